"""The list of a folder's files with their checksums: what ``sha256sum -c`` reads.

::

    # mmpmg images 1. Check: sha256sum -c --quiet manifest.sha256
    # {"format": "png", "num": 100000, "parameters": {...}, "source": "shaders", ...}
    <64 hexadecimal digits>  00000/00000_000000.png
    ...
    # skipped 00012/00012_000034.png: "why"

One file holds all: it appears in one piece when the folder is finished, and not before. Journals
of unfinished runs have the same lines. It names no time, machine or shard, so that every way to
make a folder ends with the same bytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from .command import Command
from .errors import GenerationError
from .layout import Layout

MANIFEST = "manifest.sha256"
_TITLE = f"# mmpmg images 1. Check: sha256sum -c --quiet {MANIFEST}\n"
_LINE = re.compile(r"([0-9a-f]{64})  ([^\n]+)\n")
_SKIPPED = re.compile(r"# skipped ([^\n:]+): ([^\n]+)\n")


def file_line(path: str, digest: bytes) -> str:
    """Return the line of a file, as sha256sum writes it."""
    return f"{digest.hex()}  {path}\n"


def skipped_line(path: str, reason: str) -> str:
    """Return the line of an image that could not be made."""
    return f"# skipped {path}: {json.dumps(reason)}\n"


def read_lines(file: Path) -> Iterator[tuple[str, bytes | str]]:
    """Yield (path, SHA-256) of files and (path, reason) of skipped images.

    A last line that is torn, because its writer was killed, is left out.

    Args:
        file: manifest or journal.
    """
    with open(file, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if match := _LINE.fullmatch(line):
                yield match[2], bytes.fromhex(match[1])
            elif match := _SKIPPED.fullmatch(line):
                with contextlib.suppress(ValueError):  # damaged, as a torn line is
                    yield match[1], str(json.loads(match[2]))


def read_command(folder: Path) -> Command | None:
    """Return what a finished folder was made by; None: it has no manifest.

    Args:
        folder: the folder of images.

    Raises:
        GenerationError: the manifest is not one of ours.
    """
    file = folder / MANIFEST
    try:
        with open(file, encoding="utf-8") as lines:
            lines.readline()
            return Command.from_json(lines.readline().removeprefix("# "))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise GenerationError(f"{file} cannot be read as a manifest: {error}") from None


class Record:
    """Which images are made, with their checksums: 33 bytes an image, however many there are.

    Args:
        layout: where images lie.

    Raises:
        GenerationError: there is not so much memory.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        try:
            self.made = np.zeros(layout.num, bool)
            self.digests = np.zeros((layout.num, 32), np.uint8)
        except (MemoryError, ValueError):
            raise GenerationError(
                f"{layout.num} images: there is not the memory to keep their checksums; lower --num"
            ) from None
        self.skipped: dict[int, str] = {}

    def read(self, file: Path, beat: Callable[[], None] = lambda: None) -> int:
        """Add what a manifest or journal says, and return how many files that are.

        Args:
            file: which.
            beat: called now and then.

        Raises:
            GenerationError: it contradicts what was read before, or names a file twice.
        """
        count = 0
        for number, (path, said) in enumerate(read_lines(file)):
            if number % 4096 == 0:
                beat()
            place = self.layout.place(path)
            if place is None:
                continue
            if isinstance(said, str):
                self.skipped[place] = said
                continue
            digest = np.frombuffer(said, np.uint8)
            if self.made[place] and not np.array_equal(self.digests[place], digest):
                raise GenerationError(
                    f"{file} gives {path} another checksum than was written before: two machines "
                    "make different images. Use equal machines, with equal versions of NumPy and "
                    "OpenCV, and an empty folder"
                )
            count += 1
            self.made[place], self.digests[place] = True, digest
        return count

    def missing(self) -> np.ndarray:
        """Return the places that are neither made nor known to be impossible, ascending."""
        missing = ~self.made
        missing[list(self.skipped)] = False
        return np.flatnonzero(missing)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the manifest, in the order of places."""
        for place in range(self.layout.num):
            path = self.layout.path(place)
            if self.made[place]:
                yield file_line(path, self.digests[place].tobytes())
            elif place in self.skipped:
                yield skipped_line(path, self.skipped[place])


def write_manifest(folder: Path, command: Command, record: Record, temporary: Path) -> None:
    """Write a manifest, in one piece.

    Args:
        folder: the folder of images.
        command: what made them.
        record: all of them.
        temporary: file to write first, on the same file system.

    Raises:
        OSError: it cannot be written.
    """
    head = [_TITLE, f"# {command.to_json()}\n"]
    write_durably(temporary, head, record.lines())
    os.replace(temporary, folder / MANIFEST)
    sync_folder(folder)


def write_durably(file: Path, *parts: Iterable[str]) -> None:
    """Write text and wait until it is on the disk; leave nothing when that fails.

    Args:
        file: which.
        *parts: lines.
    """
    try:
        with open(file, "w", encoding="utf-8") as out:
            for part in parts:
                out.writelines(part)
            out.flush()
            os.fsync(out.fileno())
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        pass  # some network file systems refuse, and need not be asked
    finally:
        os.close(handle)
