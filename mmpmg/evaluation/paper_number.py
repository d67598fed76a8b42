"""A number that a paper prints, and how a table of them is written down by recipes."""

from __future__ import annotations

from typing import NamedTuple


class PaperNumber(NamedTuple):
    """A number and where it stands.

    Attributes:
        top1: In percent.
        source: The table.
    """

    top1: float
    source: str


PaperNumbers = dict[tuple[str, str], PaperNumber]
"""(fine-tuning, pre-training) -> number."""


def columns(
    source: str, recipes: tuple[str, ...], table: dict[str, tuple[float | None, ...]]
) -> PaperNumbers:
    """Spread a table.

    Args:
        source: The table's name.
        recipes: A fine-tuning for each column.
        table: A pre-training for each row -> its numbers in percent; None: not in the paper.
    """
    return {
        (recipe, pretraining): PaperNumber(number, source)
        for pretraining, numbers in table.items()
        for recipe, number in zip(recipes, numbers, strict=True)
        if number is not None
    }
