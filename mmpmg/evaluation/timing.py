"""Comparing speeds on a machine that is not quiet: in turn, and by the ratio of neighbours."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, TypeAlias

import cv2
import torch

Side: TypeAlias = Callable[[int], object]
Clock: TypeAlias = Callable[[], float]
Timings: TypeAlias = dict[str, list[float]]

FEW_ROUNDS = 5
FEW_ROUNDS_HINT = f"Fewer than {FEW_ROUNDS} rounds: add `--repeats {FEW_ROUNDS}` or more."
WIDE = 0.2
"""Spread of a ratio, as a share of its median, above which the machine was not quiet."""


class Spread(NamedTuple):
    """Median and extremes of a few measurements."""

    median: float
    lowest: float
    highest: float
    rounds: int

    def text(self, form: str = ".2f", unit: str = "") -> str:
        """Write ``1.31 (1.22 to 1.40)``, or ``1.31 (one round)``, where there are no extremes.

        Args:
            form: How numbers are formatted.
            unit: After the median, with its own blank.
        """
        extremes = f"{self.lowest:{form}} to {self.highest:{form}}"
        return f"{self.median:{form}}{unit} ({extremes if self.rounds > 1 else 'one round'})"

    def __str__(self) -> str:
        """``1.31 (1.22 to 1.40)``."""
        return self.text()

    @property
    def width(self) -> float:
        """Distance of the extremes, as a share of the median."""
        return (self.highest - self.lowest) / self.median


def spread(values: Sequence[float]) -> Spread:
    """Summarise measurements, at least one."""
    return Spread(statistics.median(values), min(values), max(values), len(values))


def notes(found: Sequence[Spread]) -> str:
    """Say, below a table, when its figures are not to be trusted.

    Args:
        found: Figures of the table, each of them from rounds that did the same work.

    Returns:
        Paragraphs of Markdown, each with an empty line before it; "" when there is nothing to say.
    """
    lines = []
    if min(each.rounds for each in found) < FEW_ROUNDS:
        lines.append(FEW_ROUNDS_HINT)
    widest = max(each.width for each in found)
    if widest > WIDE:
        lines.append(
            f"Warning: spread > {100 * WIDE:.0f} % (up to {100 * widest:.0f} %): the cores were "
            "busy; do not use these figures."
        )
    return "".join(f"\n\n{line}" for line in lines)


def alternate(
    sides: Mapping[str, Side], repeats: int, warmup: int = 2, clock: Clock = time.perf_counter
) -> Timings:
    """Time several ways of doing the same thing, in turn: A B A B ...

    Neighbours in time share the machine's mood (clock rate, other processes), so the ratio of two
    neighbours says more than the ratio of two averages.

    Args:
        sides: Name -> what to time; called with the round's number, which is the same for all
            sides of a round.
        repeats: Timed rounds, >= 1.
        warmup: Rounds before them that are not timed, >= 0.
        clock: Seconds; a device that works asynchronously must be waited for in it.

    Returns:
        Name -> seconds of each round.

    Raises:
        ValueError: ``repeats`` below 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats {repeats} must be >= 1; mend --repeats")
    timings: Timings = {name: [] for name in sides}
    for number in range(-warmup, repeats):
        for name, side in sides.items():
            start = clock()
            side(number % repeats)
            if number >= 0:
                timings[name].append(clock() - start)
    return timings


def ratios(timings: Timings, ours: str, theirs: str) -> Spread:
    """How many times faster ``ours`` is: seconds of theirs over ours, round by round."""
    return spread([b / a for a, b in zip(timings[ours], timings[theirs], strict=True)])


def device_clock(device: str) -> Clock:
    """Make a clock that waits for a device to finish what it was given.

    Args:
        device: "cpu" or "cuda".
    """

    def clock() -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    return clock


@contextmanager
def limited_threads(threads: int) -> Iterator[None]:
    """Let torch and OpenCV compute on so many threads, and give back what they had."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out a Markdown table, first column left, the others right.

    Raises:
        ValueError: A row has more or fewer cells than the head.
    """
    if any(len(row) != len(head) for row in rows):
        raise ValueError(f"a row's cells do not match the {len(head)} columns {list(head)}")
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
