"""UCF101: classInd.txt, trainlist0K.txt and testlist0K.txt of ucfTrainTestlist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .errors import PreparationError, stop_for
from .reading import find_file, read_lines
from .sources import FACTS, DatasetFacts
from .video_index import ENDINGS, VideoIndex
from .video_list import ListedVideo, VideoLists


@dataclass(frozen=True)
class UCF101:
    """The official splits for action recognition.

    Args:
        annotations: folder of ``classInd.txt`` and the lists, or the one above it.
        splits: numbers of splits, 1 to 3.
    """

    annotations: Path
    splits: Sequence[int] = (1, 2, 3)
    facts: ClassVar[DatasetFacts] = FACTS["ucf101"]
    remedy: ClassVar[str] = (
        "Unpack UCF101TrainTestSplits-RecognitionTask.zip of "
        "https://www.crcv.ucf.edu/data/UCF101.php and name its folder as ANNOTATIONS."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists of the splits.

        Raises:
            PreparationError: a file is missing or a line is not as it should be.
        """
        labels = self._classes()
        groups = []
        for split in self.splits:
            train = self._list(f"trainlist{split:02d}.txt", labels)
            val = self._list(f"testlist{split:02d}.txt", labels)
            groups.append([
                self.facts.video_list("train", train, split),
                self.facts.video_list("val", val, split),
            ])  # fmt: skip
        return VideoLists(self.facts.num_classes, groups, list(labels))

    def _classes(self) -> dict[str, int]:
        path = find_file(self.annotations, ["classInd.txt"], self.remedy)
        labels: dict[str, int] = {}
        for where, line in read_lines(path):
            number, *rest = line.split(None, 1)
            name = rest[0] if rest else ""
            if number != str(len(labels) + 1) or not name or name in labels:
                raise PreparationError(
                    f"{where}: {line!r} should be '{len(labels) + 1} CLASS', with a class that "
                    f"does not stand above. {self.remedy}"
                )
            labels[name] = len(labels)
        if len(labels) != self.facts.num_classes:
            raise PreparationError(
                f"{path} has {len(labels)} classes instead of {self.facts.num_classes}. "
                f"{self.remedy}"
            )
        return labels

    def _list(self, name: str, labels: dict[str, int]) -> list[ListedVideo]:
        videos, problems = [], []
        for where, line in read_lines(find_file(self.annotations, [name], self.remedy)):
            video, *rest = line.rsplit(None, 1)
            number = rest[0] if rest else ""
            if number.lower().endswith(ENDINGS):  # a list without labels, a name with a blank
                video, number = line, ""
            label = labels.get(video.split("/")[0])
            if label is None or "/" not in video:
                problems.append(f"{where}: {video!r} is not in a folder of a class of classInd.txt")
            elif number and number != str(label + 1):
                problems.append(
                    f"{where}: {video} has label {number}, but classInd.txt numbers its "
                    f"class {label + 1}"
                )
            else:
                videos.append(ListedVideo(video, label, where))
        stop_for(problems, self.remedy)
        return videos
