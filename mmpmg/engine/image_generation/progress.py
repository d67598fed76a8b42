"""A progress bar with rate and time left, on a terminal and in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

_LOG_PERIODS = (2.0, 10.0, 60.0)  # seconds between lines of a log: it need not grow for days


class Progress:
    """Counts what is done and says so.

    A terminal gets one line that is redrawn; anything else gets whole lines, every 2 seconds at
    first, every minute in the end.

    Args:
        total: how many there are.
        done: how many were there before; they do not count for the rate.
        what: what is counted.
        out: where to; None: standard output.
        clock: seconds that pass.
    """

    def __init__(
        self,
        total: int,
        done: int = 0,
        what: str = "images",
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.before = self.done = done
        self.what = what
        self.out = out or sys.stdout
        self.terminal = self.out.isatty()
        self.clock = clock
        self.start = self.spoken = clock()

    @property
    def seconds(self) -> float:
        """Time since the start."""
        return self.clock() - self.start

    @property
    def rate(self) -> float:
        """Of this run, a second."""
        return (self.done - self.before) / max(self.seconds, 1e-9)

    def add(self, count: int = 1) -> None:
        """Count, and speak when it is time."""
        self.done += count
        self.tick()

    def tick(self) -> None:
        """Speak when it is time."""
        if self.terminal:
            period = 0.2
        else:
            period = _LOG_PERIODS[sum(self.seconds > limit for limit in (10, 120))]
        if self.clock() - self.spoken >= period:
            self.say()

    def finish(self) -> None:
        """Say the last word, and end the line."""
        self.say()
        if self.terminal:
            print(file=self.out, flush=True)

    def say(self) -> None:
        """Print the state of things."""
        self.spoken = self.clock()
        share = self.done / max(self.total, 1)
        line = f"{share:6.1%}  {self.done} of {self.total} {self.what}  {self.rate:.1f}/s"
        if self.done > self.before and self.done < self.total:
            line += f"  {clock_text((self.total - self.done) / self.rate)} left"
        if self.terminal:
            filled = int(30 * share)
            bar = "#" * filled + "." * (30 - filled)
            print(f"\r[{bar}] {line}\033[K", end="", file=self.out, flush=True)
        else:
            print(f"  {line}", file=self.out, flush=True)


def clock_text(seconds: float) -> str:
    """Write a duration as ``1:02:03`` or ``2:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
