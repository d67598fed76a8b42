"""Palettes: circles of colour, as waves, as smooth ramps or as flat swatches."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .exact_math import cosine
from .random_stream import RandomStream

_COLOURS = 512  # entries of a palette's table
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Palette:
    """A circle of colours.

    ``"wave"`` is a + b cos(2π (c t + d)), one wave for each of red, green and blue; ``"ramp"``
    passes smoothly through its colours and ``"swatches"`` jumps from one to the next.

    Args:
        kind: ``"wave"``, ``"ramp"`` or ``"swatches"``.
        colours: three numbers (red, green, blue) a row. Of a wave the four rows a (bias), b
            (swing), c (cycles, whole numbers, so that the colours close into a circle), d (phase);
            of the others the colours in [0, 1].
    """

    kind: str
    colours: tuple[Colour, ...]

    @classmethod
    def sample(cls, stream: RandomStream) -> Palette:
        """Draw a palette.

        Args:
            stream: what to draw from.

        Returns:
            The palette.
        """
        kind = stream.choice(("wave", "ramp", "swatches"), (0.5, 0.3, 0.2))
        if kind == "wave":
            return cls(kind, _draw_wave(stream))
        count = stream.whole(3, 6) if kind == "ramp" else stream.whole(4, 8)
        # Hues within a spread of one, from shades of a single hue to the whole circle.
        hue, spread, strength = stream.unit(), stream.uniform(0.05, 0.6), stream.uniform(0.2, 1)
        colours = []
        for number in range(count):
            # Dark and bright take turns, so that neighbours differ.
            bright = stream.uniform(0.0, 0.45) if number % 2 else stream.uniform(0.55, 1.0)
            own = hue + spread * stream.uniform(-1, 1)
            colours.append(_from_hue(own, strength * stream.uniform(0.4, 1), bright))
        return cls(kind, tuple(colours))

    def table(self) -> np.ndarray:
        """Return the colours once around the circle, (3, 512) float32 in [0, 1]."""
        rows = np.asarray(self.colours, np.float32)[:, :, None]
        place = np.arange(_COLOURS, dtype=np.float32) / _COLOURS
        if self.kind == "wave":
            bias, swing, cycles, phase = rows
            table = bias + swing * cosine(cycles * place + phase)
            return np.minimum(np.maximum(table, 0), 1)
        place = place * len(rows)
        start = np.floor(place)
        number = start.astype(np.intp)
        if self.kind == "swatches":
            return np.take(rows[:, :, 0].T, number, axis=1)
        u = place - start
        u = u * u * (3 - 2 * u)
        here = np.take(rows[:, :, 0].T, number, axis=1)
        there = np.take(rows[:, :, 0].T, (number + 1) % len(rows), axis=1)
        return here + u * (there - here)

    def __call__(self, t: np.ndarray) -> list[np.ndarray]:
        """Return the colours of values on the circle.

        Args:
            t: any shape, within a million of 0; only the fraction counts.

        Returns:
            Red, green and blue, each of the same shape, float32 in [0, 1].
        """
        index = np.floor(t * _COLOURS).astype(np.intp)
        index &= _COLOURS - 1
        return [plane.take(index) for plane in self.table()]


def _draw_wave(stream: RandomStream) -> tuple[Colour, ...]:
    # The farther apart the three phases, the more hues; close together, shades of one.
    start, spread = stream.unit(), stream.uniform(0.04, 0.34)
    order = stream.choice(((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)))
    level, amount = stream.uniform(0.75, 1.1), stream.uniform(0.15, 0.55)
    bias = [level * stream.uniform(0.38, 0.62) for _ in order]
    swing = [amount + stream.uniform(-0.1, 0.1) for _ in order]
    cycles = [2.0 if stream.chance(0.15) else 1.0 for _ in order]
    phase = [start + spread * place + stream.uniform(-0.05, 0.05) for place in order]
    return tuple((row[0], row[1], row[2]) for row in (bias, swing, cycles, phase))


def _from_hue(hue: float, saturation: float, value: float) -> Colour:
    """Return red, green and blue of a hue (in turns), a saturation and a value, both in [0, 1]."""

    def channel(offset: float) -> float:
        place = (hue + offset) % 1.0 * 6
        return value * (1 - saturation * (1 - min(max(abs(place - 3) - 1, 0.0), 1.0)))

    return channel(0.0), channel(2 / 3), channel(1 / 3)
