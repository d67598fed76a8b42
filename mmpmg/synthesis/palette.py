"""Cosine palettes: endless smooth circles of colour from twelve numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_COLOURS = 512  # entries of a palette's table


@dataclass(frozen=True)
class Palette:
    """Colours a + b cos(2π(c t + d)), one wave for each of red, green and blue.

    Args:
        bias: a, three numbers.
        swing: b, three numbers.
        cycles: c, three whole numbers, so that the colours close into a circle.
        phase: d, three numbers.
    """

    bias: tuple[float, ...]
    swing: tuple[float, ...]
    cycles: tuple[float, ...]
    phase: tuple[float, ...]

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Palette:
        """Draw a palette.

        Args:
            rng: what to draw from.

        Returns:
            The palette.
        """
        # The farther apart the three phases, the more hues; close together, shades of one.
        start, spread = rng.uniform(0, 1), rng.uniform(0.04, 0.34)
        phase = start + spread * rng.permutation(3) + rng.uniform(-0.05, 0.05, 3)
        cycles = rng.choice([1, 2], 3, p=[0.85, 0.15])
        bias = rng.uniform(0.38, 0.62, 3) * rng.uniform(0.75, 1.1)
        swing = rng.uniform(0.15, 0.55) + rng.uniform(-0.1, 0.1, 3)
        return cls(*(tuple(float(v) for v in part) for part in (bias, swing, cycles, phase)))

    def __call__(self, t: np.ndarray) -> np.ndarray:
        """Return the colours of values on the circle of colours.

        Args:
            t: any shape; only the fraction counts.

        Returns:
            The same shape with a last axis of 3 added, float32, roughly in [0, 1].
        """
        wave = np.arange(_COLOURS)[:, None] / _COLOURS * self.cycles + self.phase
        table = np.asarray(self.bias) + np.asarray(self.swing) * np.cos(2 * np.pi * wave)
        index = (t * np.float32(_COLOURS)).astype(np.int32) & (_COLOURS - 1)
        return np.clip(table, 0, 1).astype(np.float32)[index]
