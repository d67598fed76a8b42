"""Shares of several parts in a whole: whole numbers of each, and an order that mixes them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import numpy as np


def shares_of(
    parts: str,
    key: str,
    names: Sequence[str],
    lengths: Sequence[int],
    weights: Mapping[str, float] | None,
) -> list[float]:
    """Return the share of every part, in [0, 1], summing to 1.

    Args:
        parts: the recipe's key of the parts, for messages.
        key: the recipe's key of the weights.
        names: of the parts.
        lengths: of the parts; they are the weights where none are given.
        weights: name -> positive number.

    Raises:
        ValueError: a part without a weight, a weight without a part, or one that is not positive.
    """
    if weights is None:
        return [length / sum(lengths) for length in lengths]
    if set(weights) != set(names):
        raise ValueError(
            f"{key} names {', '.join(weights) or 'nothing'}, but {parts} are "
            f"{', '.join(names)}: give every one of them one weight"
        )
    for name, weight in weights.items():
        number = isinstance(weight, (int, float)) and not isinstance(weight, bool)
        if not (number and weight > 0 and math.isfinite(weight)):
            raise ValueError(f"{key}.{name}={weight!r}: must be a positive number")
    total = math.fsum(weights.values())
    return [weights[name] / total for name in names]


def named_seed(seed: int, name: str) -> int:
    """Return a seed of a part's own: two of one length must not draw the same numbers."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest(), "big")


def largest_remainder(shares: Sequence[float], total: int) -> list[int]:
    """Round shares of a total to whole numbers that sum to it (Hamilton's method)."""
    exact = [share * total for share in shares]
    # What is whole but for rounding errors is whole.
    counts = [math.floor(value + 1e-9) for value in exact]
    order = sorted(range(len(shares)), key=lambda i: (counts[i] - exact[i], i))
    for number in order[: total - sum(counts)]:
        counts[number] += 1
    return counts


def interleaved(counts: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Spread every part evenly over the whole.

    Member r of a part of n stands at (r + 1/2) / n of the whole.

    Returns:
        For every place its part, (N,) uint16, and its rank in that part, (N,) int64.
    """
    part = np.repeat(np.arange(len(counts), dtype=np.uint16), counts)
    rank = np.concatenate([np.arange(count, dtype=np.int64) for count in counts])
    place = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts])
    order = np.argsort(place, kind="stable")
    return part[order], rank[order]
