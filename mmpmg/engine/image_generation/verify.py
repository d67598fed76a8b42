"""Check a finished folder of images against its manifest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np

from mmpmg import typed

from .command import Command
from .errors import GenerationError
from .folder import ImageFolder
from .manifest import MANIFEST, Record, read_command
from .progress import Progress

_BATCH = 1024  # files that are looked at at once
_SHORTEST = 32  # bytes; every line about an image is longer
_NAMED = 20  # of each kind of fault


def verify(out: str, workers: int = 0) -> None:
    """Read every file of a folder, and compare it with the manifest.

    Args:
        out: the folder.
        workers: threads; 0: one for each core that this process may use.

    Raises:
        GenerationError: files are missing, changed or too many, or the folder is not finished; the
            message names them (`_NAMED` of each kind) and says what mends it.
    """
    folder = ImageFolder(Path(out))
    command = read_command(folder.out)
    if command is None:
        begun = folder.begun()
        raise GenerationError(
            f"{out} is not finished: run again: {begun.shell(out)}"
            if begun is not None
            else f"{out} has no {MANIFEST}: it was not made by {typed.tool('generate_images.py')}"
        )
    if command.num > (folder.out / MANIFEST).stat().st_size // _SHORTEST:
        raise GenerationError(
            f"{folder.out / MANIFEST} is damaged: too short for the {command.num} images that "
            "its second line names. Correct that line (num), or make the images in a new folder"
        )
    record = Record(command.layout)
    record.read(folder.out / MANIFEST)
    if len(record.missing()):
        raise GenerationError(
            f"{folder.out / MANIFEST} is damaged: it names {record.made.sum()} of {command.num} "
            f"images. Remove it and the images, and run again: {command.shell(out)}"
        )
    seen = np.zeros(command.num, bool)
    extra = list(_sort_out(folder.out, record, seen))
    missing = [record.layout.path(place) for place in np.flatnonzero(record.made & ~seen)]
    changed = list(_changed(folder.out, record, np.flatnonzero(record.made & seen), workers))
    faults = [("missing", missing), ("changed", changed), ("extra", extra)]
    if any(paths for _, paths in faults):
        raise GenerationError(_report(out, command, faults))
    skipped = command.num - int(record.made.sum())
    print(
        f"{out}: all {command.num - skipped} images are as {MANIFEST} says"
        + (f"; {skipped} could not be made, see '# skipped' in it" if skipped else "")
    )


def _sort_out(out: Path, record: Record, seen: np.ndarray) -> Iterator[str]:
    """Mark in ``seen`` which images are there, and yield files that should not be."""
    for folder, folders, files in os.walk(out):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(folder, out)
        for name in sorted(files):
            path = name if inside == "." else f"{inside}/{name}"
            place = record.layout.place(path)
            if place is not None and record.made[place]:
                seen[place] = True
            elif not name.startswith(".") and path != MANIFEST:
                yield path


def _changed(out: Path, record: Record, places: np.ndarray, workers: int) -> Iterator[str]:
    """Yield the files whose checksum is another."""

    def is_intact(place: int) -> bool:
        try:
            with open(out / record.layout.path(place), "rb") as file:
                digest = hashlib.sha256(file.read()).digest()
        except OSError:
            return False
        return digest == record.digests[place].tobytes()

    progress = Progress(len(places), what="files")
    rest = iter(places.tolist())
    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        while batch := list(islice(rest, _BATCH)):
            for place, intact in zip(batch, pool.map(is_intact, batch), strict=True):
                progress.add()
                if not intact:
                    yield record.layout.path(place)
    progress.finish()


def _report(out: str, command: Command, faults: list[tuple[str, list[str]]]) -> str:
    lines = [f"{out} is not as {MANIFEST} says:"]
    for kind, paths in faults:
        lines += [f"  {kind}: {path}" for path in paths[:_NAMED]]
        if len(paths) > _NAMED:
            lines.append(f"  {kind}: {len(paths) - _NAMED} more")
    lines.append(
        "Remove what is changed or extra; then this makes what is missing: " + command.shell(out)
    )
    return "\n".join(lines)
