"""What a run has made so far, so that the next one goes on from there."""

from __future__ import annotations

import os
import time
from pathlib import Path

from .layout import Layout
from .manifest import file_line, skipped_line

_SYNC = 5.0  # seconds; a machine that crashes costs what was made since


class Journal:
    """A file of manifest lines that grows; use as a context manager.

    Every run writes a new one, so that no line ever follows one that a dead run left torn.

    Args:
        file: which; it does not exist yet.
        layout: where images lie.
        title: one line that says whose it is.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, file: Path, layout: Layout, title: str) -> None:
        self.layout = layout
        self.skipped: dict[int, str] = {}
        self._file = open(file, "x", encoding="utf-8")  # noqa: SIM115  (closed by __exit__)
        self._file.write(f"# {title}\n")
        self._synced = time.monotonic()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *reason: object) -> None:
        try:
            self._sync()
        finally:
            self._file.close()

    def add(self, place: int, said: bytes | str) -> None:
        """Note an image: the SHA-256 of its file, which is on the disk, or why there is none."""
        path = self.layout.path(place)
        if isinstance(said, str):
            self.skipped[place] = said
            self._file.write(skipped_line(path, said))
        else:
            self._file.write(file_line(path, said))

    def tick(self) -> None:
        """Write out what was noted: from here on it outlives the process."""
        self._file.flush()
        if time.monotonic() - self._synced >= _SYNC:
            self._sync()

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()
