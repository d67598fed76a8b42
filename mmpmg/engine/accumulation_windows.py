"""Which batches make a step together, where K of them are accumulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Window(NamedTuple):
    """The step that a batch belongs to.

    Attributes:
        size: Batches in it, 1 to K.
        last: Whether the batch completes it, so that the weights change.
        dropped: Whether it is passed over, because the large batch would not have been filled.
    """

    size: int
    last: bool
    dropped: bool


@dataclass(frozen=True)
class Windows:
    """Steps of K batches, none of which straddles two epochs.

    Args:
        counts: K, >= 1.
        length: Batches in an epoch or, without epochs, in the run; None if that is not known.
        drop_incomplete: Whether the batches behind the last whole window of an epoch are passed
            over, as ``drop_last`` does with a large batch's remainder. Otherwise they make a step.
    """

    counts: int
    length: int | None = None
    drop_incomplete: bool = False

    def at(self, place: int, first: int = 0) -> Window:
        """Look up the window of one batch.

        Args:
            place: Number of the batch, from 0; epochs follow each other.
            first: The batch a run was resumed with; the windows stay where they were, so the
                first one may hold fewer batches.
        """
        if self.length:
            place %= self.length
        begin = place // self.counts * self.counts
        end = begin + self.counts
        dropped = False
        if self.length and end > self.length:
            end, dropped = self.length, self.drop_incomplete
        return Window(end - max(begin, first), place == end - 1 and not dropped, dropped)

    def updates(self, batches: int) -> int:
        """Count the steps begun in so many batches from the start of an epoch."""
        if not self.length:
            return -(-batches // self.counts)
        epochs, rest = divmod(batches, self.length)
        each = self.length // self.counts
        if not self.drop_incomplete:
            each = -(-self.length // self.counts)
        return epochs * each + min(-(-rest // self.counts), each)
