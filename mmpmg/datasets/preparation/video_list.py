"""Lists of labelled videos, as they are read and as MMAction2 wants them: ``path label`` a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .errors import PreparationError, stop_for
from .reading import read_lines


class ListedVideo(NamedTuple):
    """One video of a list.

    Attributes:
        name: its path as the list has it; below the folder of videos once it has been found.
        label: its class, from 0.
        where: file and line that name it, for messages.
    """

    name: str
    label: int
    where: str


@dataclass(frozen=True)
class VideoList:
    """What becomes one annotation file.

    Attributes:
        file_name: its name, without a folder.
        videos: in the order of the file.
        published: how many videos the published list has; None: unknown.
    """

    file_name: str
    videos: list[ListedVideo]
    published: int | None = None


@dataclass(frozen=True)
class VideoLists:
    """All lists of a data set.

    Attributes:
        num_classes: labels are in [0, num_classes).
        groups: lists of one group, for example train and val of one split, share no video.
        classes: names of the classes, or None where they are unknown.
        empty_classes: labels that the published lists do not use.
    """

    num_classes: int
    groups: Sequence[Sequence[VideoList]]
    classes: Sequence[str] | None = None
    empty_classes: frozenset[int] = frozenset()

    def class_name(self, label: int) -> str:
        """Return ``3 (brush_hair)``, or the number alone."""
        return f"{label} ({self.classes[label]})" if self.classes else str(label)


def in_order(videos: Iterable[ListedVideo]) -> list[ListedVideo]:
    """Sort by label and name, so that a part of a list does not depend on the list's order."""
    return sorted(videos, key=lambda video: (video.label, video.name))


def list_text(videos: Iterable[ListedVideo]) -> str:
    """Write the lines of an annotation file.

    Raises:
        PreparationError: a name is not UTF-8, as MMAction2 reads it.
    """
    text = "".join(f"{video.name} {video.label}\n" for video in videos)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        name = text[: error.start + 1].rsplit("\n", 1)[-1]
        shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise PreparationError(
            f"the file name that begins with {shown} is not UTF-8, and MMAction2 reads lists as "
            "UTF-8: rename the file"
        ) from None
    return text


def read_list(path: Path) -> list[ListedVideo]:
    """Read an annotation file, ``path label`` a line; names may hold spaces.

    Raises:
        PreparationError: it does not exist, is empty, or a line has no label.
    """
    videos, problems = [], []
    for where, line in read_lines(path):
        name, *rest = line.rsplit(None, 1)
        if rest and rest[0].isdecimal():
            videos.append(ListedVideo(name, int(rest[0]), where))
        else:
            problems.append(f"{where}: {line!r} is not a path and a whole number")
    stop_for(problems, "A list has one video a line: path label.")
    if not videos:
        raise PreparationError(f"{path} names no video")
    return videos
