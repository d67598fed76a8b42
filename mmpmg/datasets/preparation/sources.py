"""What a data set's reader is, and the published numbers that its lists are compared with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .video_index import VideoIndex
from .video_list import ListedVideo, VideoList, VideoLists


@dataclass(frozen=True)
class DatasetFacts:
    """What is known of a data set.

    Attributes:
        folder: its folder below ``data``.
        num_classes: its classes; labels are in [0, num_classes).
        sizes: split -> (train, val) videos of the published lists; a data set without numbered
            splits has split 0.
        empty_classes: labels that the published lists do not use.
    """

    folder: str
    num_classes: int
    sizes: dict[int, tuple[int | None, int | None]]
    empty_classes: frozenset[int] = frozenset()

    def video_list(self, part: str, videos: list[ListedVideo], split: int = 0) -> VideoList:
        """Make a list under the name that the recipes look for.

        Args:
            part: ``"train"`` or ``"val"``.
            videos: of the list.
            split: number of the split; 0: there is one only.
        """
        middle = f"split_{split}_" if split else ""
        sizes = self.sizes.get(split, (None, None))
        return VideoList(f"{self.folder}_{part}_{middle}videos.txt", videos, sizes[part == "val"])


class DatasetSource(Protocol):
    """Reads the lists of a data set as it was downloaded."""

    @property
    def facts(self) -> DatasetFacts:
        """What is known of the data set."""

    @property
    def remedy(self) -> str:
        """What to do when the lists are wrong."""

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists.

        Args:
            index: the videos, for data sets whose file names are the annotation.
        """


#: By the folder below ``data``. Sizes: the official lists of UCF101, HMDB51 and SSv2; Kinetics
#: changes with every copy; else the lists of PPMA (howardzh01/PPMA, data/splits), counted by lines
#: that are not empty. Of Diving48 (v2) no video has label 30.
FACTS = {
    facts.folder: facts
    for facts in (
        DatasetFacts("ucf101", 101, {1: (9537, 3783), 2: (9586, 3734), 3: (9624, 3696)}),
        DatasetFacts("hmdb51", 51, dict.fromkeys((1, 2, 3), (3570, 1530))),
        DatasetFacts("diving48", 48, {0: (15027, 1970)}, frozenset({30})),
        DatasetFacts("ssv2", 174, {0: (168913, 24777)}),
        DatasetFacts("ssv2_mini", 87, {0: (None, 11799)}),
        DatasetFacts("ikeafa", 12, {0: (1781, 163)}),
        DatasetFacts("uav_human", 155, {0: (16285, 6191)}),
        DatasetFacts("kinetics400", 400, {}),
        DatasetFacts("mimetics", 50, {}),
    )
}
