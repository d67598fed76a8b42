"""HMDB51: CLASS_test_splitK.txt of testTrainMulti_7030_splits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .errors import PreparationError, stop_for
from .reading import read_lines
from .sources import FACTS, DatasetFacts
from .video_index import VideoIndex
from .video_list import ListedVideo, VideoLists


@dataclass(frozen=True)
class HMDB51:
    """The official splits: ``video 1`` is for training, 2 for testing, 0 for neither.

    Labels number the classes in alphabetical order, as in MMAction2. Names of videos may hold any
    sign but a blank.

    Args:
        annotations: folder of the lists, or the one above it.
        splits: numbers of splits, 1 to 3.
    """

    annotations: Path
    splits: Sequence[int] = (1, 2, 3)
    facts: ClassVar[DatasetFacts] = FACTS["hmdb51"]
    remedy: ClassVar[str] = (
        "Unpack test_train_splits.rar of https://serre-lab.clps.brown.edu/resource/"
        "hmdb-a-large-human-motion-database and name its folder as ANNOTATIONS."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists of the splits.

        Raises:
            PreparationError: a file is missing or a line is not as it should be.
        """
        groups = []
        classes: list[str] = []
        for split in self.splits:
            files = self._files(split)
            classes = sorted(files)
            parts: dict[str, list[ListedVideo]] = {"1": [], "2": [], "0": []}
            problems = []
            for label, name in enumerate(classes):
                for where, line in read_lines(files[name]):
                    video, *use = line.rsplit(None, 1)
                    if not use or use[0] not in parts:
                        problems.append(f"{where}: {line!r} should be 'VIDEO' and 0, 1 or 2")
                    else:
                        parts[use[0]].append(ListedVideo(f"{name}/{video}", label, where))
            stop_for(problems, self.remedy)
            groups.append([
                self.facts.video_list("train", parts["1"], split),
                self.facts.video_list("val", parts["2"], split),
            ])  # fmt: skip
        return VideoLists(self.facts.num_classes, groups, classes)

    def _files(self, split: int) -> dict[str, Path]:
        ending = f"_test_split{split}.txt"
        for pattern in (f"*{ending}", f"*/*{ending}"):
            files = sorted(self.annotations.glob(pattern))
            if files:
                break
        classes = {path.name.removesuffix(ending): path for path in files}
        if len(files) != len(classes) or len(classes) != self.facts.num_classes:
            raise PreparationError(
                f"{self.annotations} has {len(files)} files CLASS{ending} instead of "
                f"{self.facts.num_classes}. {self.remedy}"
            )
        return classes
