"""All videos below a folder, found again by the names that lists have for them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .errors import PreparationError

#: Endings of video files, in any case.
ENDINGS = (".avi", ".mp4", ".webm", ".mkv", ".mov", ".m4v", ".mpg", ".mpeg", ".flv", ".wmv")
_THREADS = 16  # network file systems answer many questions at once


class VideoIndex:
    """The videos below a folder; reading folders is all it does, so 240,000 take seconds.

    A list may name a video with other folders above it or with another ending (unpacked elsewhere,
    converted to .mp4): the file of the same name without ending is taken, if several the one whose
    folders agree best, from the innermost on, then the one with the same ending. Blanks and ``_``
    in folders are the same. A file does not count where another folder agrees better and lacks it:
    of ``run/1.avi`` and ``walk/1.avi``, neither stands in for the other.

    Args:
        folder: of videos; links are followed.

    Raises:
        PreparationError: there is no such folder, or no video in it.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise PreparationError(
                f"{folder} is no folder: put or link the videos there, or name theirs with --videos"
            )
        self.folder = folder
        found = videos_below(folder)
        #: Paths below the folder, in order.
        self.paths = found.videos
        if not self.paths:
            raise PreparationError(
                f"{folder} holds no video ({' '.join(ENDINGS)}): put or link them there, or name "
                "another folder with --videos"
            )
        self._exact = set(self.paths)
        self._by_stem: dict[str, list[str]] = {}
        for path in self.paths:
            self._by_stem.setdefault(_stem(path), []).append(path)
        self._by_folder: dict[str, list[str]] = {}
        for path in found.folders:
            self._by_folder.setdefault(_folder_name(path), []).append(path)

    def find(self, name: str) -> list[str]:
        """Return the paths that fit a name best: one, none, or several that fit equally well.

        Args:
            name: path of a video as a list has it, with or without an ending.
        """
        if name in self._exact:
            return [name]
        candidates = self.namesakes(name)
        if not candidates:
            return []
        best = max(_agreement(name, path) for path in candidates)
        parent = str(PurePosixPath(name).parent)
        for folder in self._by_folder.get(_folder_name(parent), []):
            if folders_agreeing(name, f"{folder}/_") > best[0]:
                return []
        return [path for path in candidates if _agreement(name, path) == best]

    def namesakes(self, name: str) -> list[str]:
        """Return the paths of that name without ending, whatever their folders."""
        return self._by_stem.get(_stem(name), [])


def _stem(path: str) -> str:
    name = path.rsplit("/", 1)[-1]
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in ENDINGS else name


def _folder_name(path: str) -> str:
    return PurePosixPath(path).name.replace(" ", "_")


def folders_agreeing(name: str, path: str) -> int:
    """Return how many folders of two files have the same names, from the innermost on."""
    count = 0
    for one, other in zip(PurePosixPath(name).parents, PurePosixPath(path).parents, strict=False):
        if not one.name or _folder_name(str(one)) != _folder_name(str(other)):
            break
        count += 1
    return count


def _agreement(name: str, path: str) -> tuple[int, bool]:
    """Return how many folders agree from the innermost on, and whether the file name does."""
    return folders_agreeing(name, path), PurePosixPath(name).name == PurePosixPath(path).name


@dataclass
class Below:
    """What is below a folder, as paths from there.

    Args:
        videos: files named like videos, in order.
        broken: what is named like a video and is no file, in order: links to nowhere, in a circle,
            or to where one may not look; pipes.
        folders: of all depths, empty ones too.
    """

    videos: list[str]
    broken: list[str]
    folders: list[str]


def videos_below(folder: Path) -> Below:
    """List what is below a folder; links are followed.

    Raises:
        PreparationError: a folder cannot be read.
    """
    found = Below([], [], [])
    seen = {os.path.realpath(folder)}
    level = [""]
    with ThreadPoolExecutor(_THREADS) as pool:
        while level:
            deeper = []
            for videos, broken, folders in pool.map(lambda below: _scan(folder, below), level):
                found.videos += videos
                found.broken += broken
                for below, real in folders:
                    if real not in seen:  # a link to a folder above would go on forever
                        seen.add(real)
                        deeper.append(below)
            found.folders += deeper
            level = deeper
    found.videos.sort()
    found.broken.sort()
    return found


def _scan(folder: Path, below: str) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    videos: list[str] = []
    broken: list[str] = []
    folders: list[tuple[str, str]] = []
    try:
        with os.scandir(folder / below) as entries:
            for entry in entries:
                path = f"{below}/{entry.name}" if below else entry.name
                if _holds(entry.is_dir):
                    folders.append((path, os.path.realpath(entry.path)))
                elif entry.name.lower().endswith(ENDINGS):
                    (videos if _holds(entry.is_file) else broken).append(path)
    except OSError as error:
        raise PreparationError(f"{folder / below} cannot be read: {error.strerror}") from None
    # Two links to one folder: the first by name counts, whatever the order on the disk.
    return videos, broken, sorted(folders)


def _holds(question: Callable[[], bool]) -> bool:
    """Ask about an entry; a link in a circle, or to where one may not look, is nothing at all."""
    try:
        return question()
    except OSError:
        return False
