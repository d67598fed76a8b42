"""Arrays of uniform numbers: the same on every machine and with every numpy."""

from __future__ import annotations

import numpy as np


class UniformStream:
    """Uniform numbers, keyed by any whole numbers.

    Of NumPy's random numbers only the raw bits of a bit generator are promised to stay the same
    from release to release (NEP 19); `numpy.random.Generator` may change what it makes of them.
    Whole numbers below n are ``floor(n u)``, other ranges ``low + (high - low) u``.

    Args:
        *key: whole numbers in [0, 2^32); another key gives another stream.

    Raises:
        ValueError: a number is out of that range.
    """

    def __init__(self, *key: int) -> None:
        # A longer one would fill two words, and be the same stream as two numbers.
        if not all(0 <= number < 2**32 for number in key):
            raise ValueError(f"seed, category, instance = {key}: must be in [0, 2^32)")
        # With their number, or (1,) would be the same stream as (1, 0).
        self._bits = np.random.PCG64(np.random.SeedSequence((len(key), *key)))

    def take(self, *shape: int) -> np.ndarray:
        """Return the next numbers, multiples of 2^-53 in [0, 1).

        Args:
            *shape: of the array.

        Returns:
            float64.
        """
        raw: np.ndarray = self._bits.random_raw(int(np.prod(shape)))
        raw >>= np.uint64(11)
        return (raw * 2.0**-53).reshape(shape)

    def whole(self, low: int, high: int) -> int:
        """Draw one whole number from low to high, both included."""
        return low + int(self.take(1)[0] * (high - low + 1))
