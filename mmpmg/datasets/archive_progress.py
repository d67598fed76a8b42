"""How far the first scan of a big archive has come, a line in the log every few seconds."""

from __future__ import annotations

import time
from types import TracebackType

from mmengine.logging import print_log

_EVERY = 5.0  # seconds
_CALLS = 1000  # the clock is looked at once in so many calls


class ArchiveProgress:
    """Say from time to time how far a scan is and how long it will take; silent if it is short.

    Args:
        archive: what is scanned.
    """

    def __init__(self, archive: str) -> None:
        self.archive = archive
        self._calls = 0
        self._start = self._last = time.monotonic()
        self._said = False

    def __call__(self, done: int, total: int) -> None:
        """Note that so many of so many bytes are done."""
        self._calls += 1
        if self._calls % _CALLS:
            return
        now = time.monotonic()
        if now - self._last < _EVERY:
            return
        self._last, self._said = now, True
        left = (now - self._start) * (total - done) / max(done, 1)
        print_log(
            f"Indexing {self.archive}, once: {done / total:.0%}, {self._calls} members, about "
            f"{_duration(left)} left",
            logger="current",
        )

    def __enter__(self) -> ArchiveProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._said and error is None:
            print_log(
                f"Indexed {self.archive}: {self._calls} members in "
                f"{_duration(time.monotonic() - self._start)}",
                logger="current",
            )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
