"""What a conversion did with every key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor

from mmpmg.models.conversion.sizes import ModelSizes

LOADED, MISSING, UNEXPECTED, RESIZED = STATUSES = ("loaded", "missing", "unexpected", "resized")
_BLOCK = re.compile(r"((?:blocks|layer|decoder_layers)\.)(\d+)\.")


class Row(NamedTuple):
    """One weight."""

    status: str
    """One of `STATUSES`: carried over; in the target but not in the source; in the source but
    without a place in the target; carried over in another shape."""
    source: str
    """Its key in the source, "" where there is none."""
    target: str
    """Its key or keys in the target, "" where there is none."""
    reason: str = ""
    """Why, where it was not simply carried over."""


@dataclass(frozen=True)
class Conversion:
    """A state dict in another format, and how it came about."""

    state: dict[str, Tensor]
    """The weights in the target's spelling."""
    source: str
    """Format of the source."""
    target: str
    """Format of ``state``."""
    source_sizes: ModelSizes
    """Of the model that the weights came from."""
    sizes: ModelSizes
    """Of the model that ``state`` belongs to."""
    branch: str | None = None
    """Of a pretrainer, the branch that was converted."""
    rows: list[Row] = field(default_factory=list)
    """Every key of the source and of the target."""

    def keys(self, status: str) -> list[str]:
        """List the keys with a status: the source's where it has one, otherwise the target's."""
        return [row.source or row.target for row in self.rows if row.status == status]

    def table(self) -> str:
        """Print as text: a line for each weight, blocks of one kind in one line."""
        counts = ", ".join(
            f"{sum(row.status == status for row in self.rows)} {status}" for status in STATUSES
        )
        lines = [f"{self.source} -> {self.target}: {counts}"]
        for row, count in _collapsed(self.rows):
            arrow = " -> ".join(filter(None, (row.source, row.target)))
            times = f" (x {count})" if count > 1 else ""
            reason = f": {row.reason}" if row.reason else ""
            lines.append(f"  {row.status:<10} {arrow}{times}{reason}")
        return "\n".join(lines)


def _collapsed(rows: Iterable[Row]) -> list[tuple[Row, int]]:
    """Put rows that differ in the number of their block only into one, with its count."""
    counts: dict[Row, int] = {}
    for row in rows:
        kind = row._replace(
            source=_BLOCK.sub(r"\1*.", row.source), target=_BLOCK.sub(r"\1*.", row.target)
        )
        counts[kind] = counts.get(kind, 0) + 1
    order = {status: place for place, status in enumerate(STATUSES)}
    return sorted(counts.items(), key=lambda item: order[item[0].status])
