"""Random numbers of a program: whole-number arithmetic only, the same with every numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_T = TypeVar("_T")


class RandomStream:
    """SplitMix64 (Steele, Lea and Flood 2014), keyed by any whole numbers.

    `numpy.random.Generator` does not promise the same draws from one release to the next; a few
    dozen numbers for a program do not need its speed.

    Args:
        *key: whole numbers; every key gives another stream, ``(1, 2)`` another than ``(2, 1)``.
    """

    def __init__(self, *key: int) -> None:
        self._state = 0
        for number in (len(key), *(int(part) for part in key)):
            self._state = _mix((self._state + _GOLDEN) ^ _mix((number + 1) * _GOLDEN & _MASK))

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number from low to high, both included."""
        self._state = (self._state + _GOLDEN) & _MASK
        return low + (_mix(self._state) >> 11) * (high - low + 1) // (1 << 53)

    def unit(self) -> float:
        """Draw a number in [0, 1): 53 random bits, exactly representable."""
        self._state = (self._state + _GOLDEN) & _MASK
        return (_mix(self._state) >> 11) * 2.0**-53

    def uniform(self, low: float, high: float) -> float:
        """Draw a number between low and high."""
        return low + (high - low) * self.unit()

    def chance(self, share: float) -> bool:
        """Return True in this share of the draws."""
        return self.unit() < share

    def choice(self, items: Sequence[_T], weights: Sequence[float] | None = None) -> _T:
        """Draw one of several.

        Args:
            items: what to draw from.
            weights: how often each is drawn, relative to the others; None for equally often.

        Returns:
            One of the items.
        """
        if weights is None:
            return items[self.whole(0, len(items) - 1)]
        total = 0.0
        for weight in weights:  # `sum` rounds floats in another way since Python 3.12
            total += weight
        left = self.unit() * total
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        return items[-1]


def _mix(z: int) -> int:
    """Stir 64 bits, so that neighbouring numbers come out unrelated."""
    z &= _MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)
