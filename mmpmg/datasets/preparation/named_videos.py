"""UAV-Human and IkeaFA: data sets whose file names are the annotation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from .errors import PreparationError, stop_for
from .sources import FACTS, DatasetFacts
from .video_index import VideoIndex
from .video_list import ListedVideo, VideoList, VideoLists

#: Persons of the training parts of cross-subject-v1 and -v2 (https://github.com/sutdcv/UAV-Human),
#: of 119; first and last of each run of numbers.
_UAV_RUNS = {
    1: "0 2 5-8 10-21 25-30 32-40 42-53 55-57 59 61-65 67-71 73 76-90 98 100 102-103 105-106 "
    "110-112 114-118",
    2: "0 3-6 8 10-12 14 16 18-22 24 26 29-32 35-40 43-47 49 52 54 56-57 59-64 66-67 69-75 77-81 "
    "83-84 86-89 91-97 99-104 106-115 117-118",
}
_UAV_NAME = re.compile(r"P(\d{3})S\d.*A(\d{3})R\d+(?:_\w+)?$")
_IKEA_NAME = re.compile(r"GOPR\d+_\d+_\d+_(\d+)$")
_IKEA_CLASSES = (
    *(f"{verb}_leg_{number}" for verb in ("attach", "detach") for number in (1, 2, 3, 4)),
    "flip_over", "pick_leg", "spin_in", "spin_out",
)  # fmt: skip


@dataclass(frozen=True)
class UAVHuman:
    """RGB videos ``P070S01...A031R0_09131758.avi``: person and action stand in the name.

    Args:
        protocol: 1 (cross-subject-v1, which SynAPT's lists follow) or 2.

    Raises:
        PreparationError: there is no such protocol.
    """

    protocol: int = 1
    facts: ClassVar[DatasetFacts] = FACTS["uav_human"]
    remedy: ClassVar[str] = (
        "--videos must hold the RGB videos of UAV-Human's action recognition and nothing else."
    )

    def __post_init__(self) -> None:
        if self.protocol not in _UAV_RUNS:
            raise PreparationError(f"--protocol {self.protocol}: must be 1 or 2")

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the names of the videos.

        Raises:
            PreparationError: a name is of another form.
        """
        training = set(training_persons(self.protocol))
        parts: tuple[list[ListedVideo], list[ListedVideo]] = ([], [])
        problems = []
        for path in index.paths:
            match = _UAV_NAME.match(_name(path))
            if match:
                person, action = map(int, match.groups())
                video = ListedVideo(path, action, f"{index.folder / path}")
                parts[person not in training].append(video)
            else:
                problems.append(f"{index.folder / path}: no name like P070S01...A031R0_09131758")
        stop_for(problems, self.remedy)
        group = [self.facts.video_list(p, v) for p, v in zip(("train", "val"), parts, strict=True)]
        if self.protocol == 2:  # a file of its own, and no published size
            group = [VideoList(f"uav_human_v2_{p}_videos.txt", v)
                     for p, v in zip(("train", "val"), parts, strict=True)]  # fmt: skip
        return VideoLists(self.facts.num_classes, [group])


@dataclass(frozen=True)
class IkeaFA:
    """Clips ``spin_in/GOPR0086_00117_00294_05.MP4``: folder is class, last number is person.

    Args:
        test_persons: whose clips are for testing. The default is the split of SynAPT's lists.
    """

    test_persons: Sequence[int] = (9, 11, 13)
    facts: ClassVar[DatasetFacts] = FACTS["ikeafa"]
    remedy: ClassVar[str] = (
        "--videos must hold the clips of https://tengdahan.github.io/ikea.html in folders of the "
        f"classes: {', '.join(_IKEA_CLASSES)}."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the names of the clips.

        Raises:
            PreparationError: a folder is no class or a name is of another form.
        """
        parts: tuple[list[ListedVideo], list[ListedVideo]] = ([], [])
        problems = []
        for path in index.paths:
            match = _IKEA_NAME.match(_name(path))
            name = path.split("/")[-2] if "/" in path else ""
            if match and name in _IKEA_CLASSES:
                label = _IKEA_CLASSES.index(name)
                video = ListedVideo(path, label, f"{index.folder / path}")
                parts[int(match.group(1)) in self.test_persons].append(video)
            else:
                problems.append(
                    f"{index.folder / path}: is not CLASS/GOPR0086_00117_00294_05.MP4 of a class"
                )
        stop_for(problems, self.remedy)
        group = [self.facts.video_list(p, v) for p, v in zip(("train", "val"), parts, strict=True)]
        return VideoLists(self.facts.num_classes, [group], _IKEA_CLASSES)


def training_persons(protocol: int) -> list[int]:
    """Return the persons of UAV-Human whose videos are for training.

    Args:
        protocol: 1 or 2.
    """
    persons: list[int] = []
    for run in _UAV_RUNS[protocol].split():
        first, _, last = run.partition("-")
        persons += range(int(first), int(last or first) + 1)
    return persons


def _name(path: str) -> str:
    return PurePosixPath(path).stem
