"""The rows that are done so far, in files that only grow.

::

    OUT.parts/settings.json     what is being extracted
    OUT.parts/rows-TOKEN.f32    vectors, 4 bytes a number, as they were computed
    OUT.parts/rows-TOKEN.jsonl  a line for each batch: whose they are, and which videos are bad
    OUT.parts/shard-*.lock      a shard that is at work
    OUT.parts/folder.lock       held for moments, to look at and change all this

Every run writes files of its own, so nothing ever follows what a dead run left torn. A batch counts
when its line is whole and its vectors are there; they are written first. A video that one run could
not read and another could is good.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ExtractionError

MISSING, BAD = -1, -2


class RowWriter:
    """Adds batches to the files of one run; use as a context manager.

    Args:
        folder: the parts' folder.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        stem = folder / f"rows-{secrets.token_hex(8)}"
        self._rows = open(stem.with_suffix(".f32"), "xb")  # noqa: SIM115  (closed by __exit__)
        self._lines = open(stem.with_suffix(".jsonl"), "x")  # noqa: SIM115

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *reason: object) -> None:
        self._rows.close()
        self._lines.close()

    def add(self, numbers: Sequence[int], vectors: np.ndarray, bad: Mapping[int, str]) -> None:
        """Write a batch; from here on it outlives the process.

        Args:
            numbers: of its videos.
            vectors: (videos, rows of a video, width) float32.
            bad: number -> why that video cannot be read.
        """
        line: dict[str, Any] = dict(videos=list(numbers), bad=list(bad.items()))
        if len(numbers):
            line["shape"] = vectors.shape[1:]
            self._rows.write(np.ascontiguousarray(vectors, np.float32).data)
            self._rows.flush()
            os.fsync(self._rows.fileno())  # before the line that vouches for them
        self._lines.write(json.dumps(line) + "\n")
        self._lines.flush()


class DoneRows:
    """All that the runs so far have written: where each video's vectors are.

    Memory: some twenty bytes a video; the vectors stay on the disk.

    Args:
        folder: the parts' folder.
        count: videos of the whole set.

    Raises:
        ExtractionError: a file is not as it was written.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.file_of = np.full(count, MISSING, np.int32)  # or BAD
        self._place = np.zeros(count, np.int64)
        self.reasons: dict[int, str] = {}
        self.shape: tuple[int, int] | None = None  # rows of a video, width
        self._files: list[Path] = []
        # The oldest first: of two reasons for a bad video, the last one counts.
        for lines in sorted(
            folder.glob("rows-*.jsonl"), key=lambda one: (one.stat().st_mtime, one)
        ):
            try:
                self._read(lines)
            except (ValueError, LookupError, TypeError) as error:  # anything may be in there
                raise ExtractionError(
                    f"{lines} is damaged ({' '.join(str(error).split())}): remove it and "
                    f"{lines.with_suffix('.f32').name} beside it; the same command then computes "
                    "their videos again"
                ) from error
        self._maps: dict[int, np.ndarray] = {}

    def _read(self, file: Path) -> None:
        rows = file.with_suffix(".f32")
        left, place = rows.stat().st_size, 0
        self._files.append(rows)
        for text in file.read_text().splitlines(keepends=True):
            if not text.endswith("\n"):
                break  # torn
            line = json.loads(text)
            numbers = line["videos"]
            if numbers:
                shape = tuple(line["shape"])
                left -= 4 * len(numbers) * shape[0] * shape[1]
                if left < 0:
                    break  # the machine died before its disk had them
                self.shape = shape
                self.file_of[numbers] = len(self._files) - 1
                self._place[numbers] = np.arange(place, place + len(numbers))
                place += len(numbers)
                for number in numbers:
                    self.reasons.pop(number, None)
            for number, reason in line["bad"]:
                if self.file_of[number] < 0:
                    self.file_of[number] = BAD
                    self.reasons[number] = reason

    def missing(self, numbers: np.ndarray) -> np.ndarray:
        """Return those of the numbers that no run has tried."""
        return numbers[self.file_of[numbers] == MISSING]

    def due(self, numbers: np.ndarray) -> np.ndarray:
        """Return those of the numbers without vectors: the bad may have been mended since."""
        return numbers[self.file_of[numbers] < 0]

    @property
    def good(self) -> np.ndarray:
        """The numbers of videos with vectors, ascending."""
        return np.flatnonzero(self.file_of >= 0)

    def vectors(self, numbers: np.ndarray) -> np.ndarray:
        """Read the vectors of some videos: (videos, rows of a video, width) float32."""
        assert self.shape is not None
        out = np.empty((len(numbers), *self.shape), np.float32)
        files = self.file_of[numbers]
        for file in np.unique(files).tolist():
            if file not in self._maps:
                size = self._files[file].stat().st_size
                whole = size // (4 * self.shape[0] * self.shape[1])  # a torn one may follow
                self._maps[file] = np.memmap(
                    self._files[file], np.float32, "r", shape=(whole, *self.shape)
                )
            chosen = files == file
            out[chosen] = self._maps[file][self._place[numbers[chosen]]]
        return out
