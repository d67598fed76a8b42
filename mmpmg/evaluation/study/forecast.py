"""How long cells will take, from those that are done."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mmpmg.evaluation.study.cells import DONE, FAILED, RUNNING, Cell, Status

_STARTUP = 10.0  # seconds, before any cell has told


class Forecast:
    """Expectations from what was measured in this study.

    Args:
        found: Cells and what became of them.
    """

    def __init__(self, found: Iterable[tuple[Cell, Status]]) -> None:
        self._facts = [(cell, status.facts) for cell, status in found]
        self._done = [
            (cell, status.facts["seconds"] + (status.facts.get("startup") or _STARTUP))
            for cell, status in found
            if status.state == DONE
        ]

    def whole(self, cell: Cell) -> float | None:
        """Return the seconds of a cell from its beginning; None: nothing like it was measured.

        The mean over done cells of the same kind and budget, of the same arm where there are any.
        """
        like = [
            (other.arm, seconds)
            for other, seconds in self._done
            if other.kind == cell.kind and (cell.fold is not None or other.clips == cell.clips)
        ]
        times = [s for arm, s in like if arm == cell.arm] or [s for _, s in like]
        return sum(times) / len(times) if times else None

    def left(self, cell: Cell, status: Status) -> float | None:
        """Return the seconds that a cell still needs; None: unknown."""
        if status.state in (DONE, FAILED):
            return 0.0
        facts, whole = status.facts, self.whole(cell)
        epoch, epochs = facts.get("epoch") or 0, facts.get("epochs") or 0
        if epoch and facts.get("seconds"):
            rest = facts["seconds"] / epoch * (epochs - epoch)
            return rest + (0.0 if status.state == RUNNING else self.startup())
        return whole

    def total(self, found: Iterable[tuple[Cell, Status]], parallel: int) -> float | None:
        """Return the seconds until all cells are done; None: a kind was not measured yet."""
        each = [self.left(cell, status) for cell, status in found]
        if any(seconds is None for seconds in each):
            return None
        return sum(seconds or 0.0 for seconds in each) / parallel

    def startup(self) -> float:
        """Return the longest start-up that was measured."""
        return max((facts.get("startup") or 0.0 for _, facts in self._facts), default=0) or _STARTUP

    def least(self, cell: Cell) -> float:
        """Return the seconds below which a slice would be lost on a cell: start-up and an epoch."""
        epochs = [
            facts["epoch_seconds"]
            for other, facts in self._facts
            if other.kind == cell.kind and facts.get("epoch_seconds")
        ]
        return 1.25 * self.startup() + 1.5 * max(epochs, default=0.0) + 3


def epoch_seconds(facts: Mapping[str, Any], seconds: float) -> float | None:
    """Estimate an epoch of a cell that was broken off in it.

    Args:
        facts: Its state.
        seconds: It has run, start-up included.

    Returns:
        Seconds; None: it did not come so far.
    """
    share = facts.get("epoch_share")
    if facts.get("epoch_seconds") or not share:
        known = facts.get("epoch_seconds")
        return float(known) if known else None
    return max(seconds - (facts.get("startup") or 0.0), 0.0) / share


def duration(seconds: float | None) -> str:
    """Write a duration for people; "?" where it is unknown."""
    if seconds is None:
        return "?"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
