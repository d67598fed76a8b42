"""What a long measurement is doing right now, beside its tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO, TypeAlias

Say: TypeAlias = Callable[[str], object]


def silent(what: str) -> None:
    """Say nothing."""


def timed_progress(stream: TextIO | None = None) -> Say:
    """Make a function that writes a line with the seconds since now before it.

    Args:
        stream: Where to; stderr when none, so that the tables on stdout stay clean.
    """
    start = time.monotonic()

    def say(what: str) -> None:
        seconds = time.monotonic() - start
        print(f"[{seconds:4.0f} s] {what}", file=stream or sys.stderr, flush=True)

    return say
