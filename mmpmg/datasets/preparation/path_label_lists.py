"""SynAPT's and PPMA's lists: ``path;label`` a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import PreparationError, stop_for
from .reading import read_lines
from .sources import FACTS, DatasetFacts
from .video_index import VideoIndex
from .video_list import ListedVideo, VideoLists


@dataclass(frozen=True)
class PathLabelLists:
    """Lists of six data sets by SynAPT and PPMA (howardzh01/PPMA, data/splits).

    Args:
        dataset: folder of a data set, a key of `FACTS`.
        train: list for training, or None.
        val: list for validation, or None.

    Raises:
        PreparationError: there is no such data set, or no list at all.
    """

    dataset: str
    train: Path | None = None
    val: Path | None = None

    def __post_init__(self) -> None:
        if self.dataset not in FACTS:
            raise PreparationError(f"{self.dataset}: must be one of {', '.join(FACTS)}")
        if self.train is None and self.val is None:
            raise PreparationError("name a list with --train, --val or both")

    @property
    def facts(self) -> DatasetFacts:
        """What is known of the data set."""
        return FACTS[self.dataset]

    @property
    def remedy(self) -> str:
        """What to do when the lists are wrong."""
        return "Mend or delete these lines, or take the lists of another source."

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists.

        Raises:
            PreparationError: a file is missing or a line is not as it should be.
        """
        # SynAPT's only split of UCF101 and HMDB51 is the first.
        split = min(self.facts.sizes, default=0)
        group = [
            self.facts.video_list(part, read_path_labels(path), split)
            for part, path in (("train", self.train), ("val", self.val))
            if path is not None
        ]
        videos = [video for one in group for video in one.videos]
        return VideoLists(
            self.facts.num_classes,
            [group],
            _folder_names(videos, self.facts.num_classes),
            self.facts.empty_classes,
        )


def _folder_names(videos: Sequence[ListedVideo], num_classes: int) -> list[str] | None:
    """Return the folder of each class, if every class has one of its own."""
    folders: list[set[str]] = [set() for _ in range(num_classes)]
    for video in videos:
        if 0 <= video.label < num_classes:
            folders[video.label].add(PurePosixPath(video.name).parent.name)
    names = [name for of_class in folders for name in of_class]
    return names if len(names) == len(set(names)) == num_classes and all(folders) else None


def read_path_labels(path: Path) -> list[ListedVideo]:
    """Read a list of ``path;label`` lines.

    Raises:
        PreparationError: it cannot be read or a line is of another form.
    """
    videos, problems = [], []
    for where, line in read_lines(path):
        name, _, label = line.rpartition(";")
        if name and label.strip().isdecimal():
            videos.append(ListedVideo(name.strip(), int(label), where))
        else:
            problems.append(f"{where}: {line!r} is not a path and a whole number, parted by ';'")
    stop_for(problems)
    return videos
