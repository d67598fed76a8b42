"""Kinetics-400: the CSV lists train.csv and val.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .reading import find_file
from .sources import FACTS, DatasetFacts
from .video_index import VideoIndex
from .video_list import VideoLists
from .youtube_clips import class_labels, listed_clips, read_rows

_NAMES = {
    "train": ["train.csv", "kinetics_train.csv", "kinetics-400_train.csv"],
    "val": ["val.csv", "validate.csv", "kinetics_val.csv", "kinetics-400_val.csv"],
}


@dataclass(frozen=True)
class Kinetics400:
    """Clips ``ID_000012_000022.mp4``, in folders of classes or not.

    Labels number the classes in alphabetical order with ``_`` for blanks, as in MMAction2.

    Args:
        annotations: folder of the lists.
    """

    annotations: Path
    facts: ClassVar[DatasetFacts] = FACTS["kinetics400"]
    remedy: ClassVar[str] = (
        "Take train.csv and val.csv from https://github.com/cvdfoundation/kinetics-dataset and "
        "name their folder as ANNOTATIONS."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists.

        Raises:
            PreparationError: a file is missing or a row is not as it should be.
        """
        paths = {part: find_file(self.annotations, _NAMES[part], self.remedy) for part in _NAMES}
        rows = {part: read_rows(path) for part, path in paths.items()}
        train = paths["train"]
        labels = class_labels(train, rows["train"], self.facts.num_classes, self.remedy)
        group = [
            self.facts.video_list(part, listed_clips(train, found, labels, self.remedy))
            for part, found in rows.items()
        ]
        return VideoLists(self.facts.num_classes, [group], list(labels))
