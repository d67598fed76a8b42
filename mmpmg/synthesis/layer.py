"""One layer of a shader: a field, seen on a surface and through coordinate steps, in colour."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .coordinates import COORDINATES
from .exact_math import direction, edge, fraction
from .fields import FIELDS
from .grammar import Step
from .palette import Palette
from .random_stream import RandomStream
from .surfaces import SURFACES

_FAR = 2048.0  # beyond it a lattice cell has too few digits left to be interpolated
_SURFACE_SHARE = 0.4


@dataclass(frozen=True)
class Layer:
    """One field, seen on a surface and through coordinate steps, in colour.

    Args:
        surface: the body in space that the layer is painted on, or None for the flat plane.
        steps: coordinate steps, applied in order.
        field: what is drawn.
        tint: a second field that moves the colour, or None.
        palette: the colours.
        bands: how often the palette is run through.
        tint_amount: how far the second field moves the colour.
        turn: where on the palette's circle the colours begin.
        shade: how much the field also sets the brightness, [0, 1].
        posterise: number of flat steps that the field is cut into, 0 for none.
        contour: dark lines at this many heights a unit of the field, 0 for none.
        relief: strength of the light on the field taken as a height, 0 for none.
        lamp: direction that it comes from, in turns.
        pan: how far the field is moved, (horizontal, vertical).
    """

    surface: Step | None
    steps: tuple[Step, ...]
    field: Step
    tint: Step | None
    palette: Palette
    bands: float
    tint_amount: float
    turn: float
    shade: float
    posterise: int
    contour: float
    relief: float
    lamp: float
    pan: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def sample(cls, stream: RandomStream) -> Layer:
        """Draw a layer.

        Args:
            stream: what to draw from.

        Returns:
            The layer.
        """
        surface = SURFACES.sample(stream) if stream.chance(_SURFACE_SHARE) else None
        most = (0.1, 0.4, 0.38, 0.12) if surface is None else (0.5, 0.4, 0.1, 0.0)
        steps = stream.choice((0, 1, 2, 3), most)
        return cls(
            surface=surface,
            steps=tuple(COORDINATES.sample(stream) for _ in range(steps)),
            field=FIELDS.sample(stream),
            tint=FIELDS.sample(stream) if stream.chance(0.35) else None,
            palette=Palette.sample(stream),
            bands=stream.uniform(0.35, 1.6),
            tint_amount=stream.uniform(0.2, 0.6),
            turn=stream.unit(),
            shade=stream.uniform(0.3, 0.9) if stream.chance(0.6) else 0.0,
            posterise=stream.whole(3, 7) if stream.chance(0.2) else 0,
            contour=stream.uniform(2.0, 6.0) if stream.chance(0.15) else 0.0,
            relief=stream.uniform(0.05, 0.3) if stream.chance(0.5) else 0.0,
            lamp=stream.unit(),
        )

    def vary(self, stream: RandomStream, amount: float) -> Layer:
        """Draw the layer of another image of the same program.

        Args:
            stream: what to draw from.
            amount: 1 for the full difference, 0 for none.

        Returns:
            The same rules and colours with parameters near by, the field seen elsewhere.
        """
        reach = amount * (0.25 if self.field.rule.centred else 1.5)
        return replace(
            self,
            surface=None if self.surface is None else self.surface.vary(stream, amount),
            steps=tuple(step.vary(stream, amount) for step in self.steps),
            field=self.field.vary(stream, amount),
            tint=None if self.tint is None else self.tint.vary(stream, amount),
            bands=self.bands * (1 + 0.15 * amount * stream.uniform(-1, 1)),
            turn=self.turn + 0.07 * amount * stream.uniform(-1, 1),
            lamp=self.lamp + 0.1 * amount * stream.uniform(-1, 1),
            pan=(reach * stream.uniform(-1, 1), reach * stream.uniform(-1, 1)),
        )

    def render(
        self, x: np.ndarray, y: np.ndarray, pixel: float
    ) -> tuple[list[np.ndarray], np.ndarray]:
        """Draw the layer.

        Args:
            x: horizontal coordinates, (H + 1, W + 1) float32: one row and column more than are
                drawn, from which the relief takes its slopes.
            y: vertical coordinates, same shape.
            pixel: distance between neighbours.

        Returns:
            Red, green and blue, each (H, W), roughly in [0, 1], and the field (H, W).
        """
        light = None
        if self.surface is not None:
            x, y, light = self.surface(x, y)
        for step in self.steps:
            x, y = step(x, y)
        x, y = _moved(x, self.pan[0]), _moved(y, self.pan[1])
        whole = _tame(self.field(x, y))
        value = whole[:-1, :-1]
        shown = value
        if self.posterise:
            shown = np.floor(value * self.posterise)
            shown *= 1 / self.posterise
        t = shown * self.bands
        if self.tint is not None:
            tint = _tame(self.tint(x[:-1, :-1], y[:-1, :-1]))
            tint *= self.tint_amount
            t += tint
        t += self.turn
        colours = self.palette(t)
        bright = None if light is None else light[:-1, :-1].copy()
        if self.shade:
            shade = np.minimum(np.maximum(shown, 0), 1)
            shade *= 1.3 * self.shade
            shade += 1 - self.shade
            bright = _times(bright, shade)
        if self.contour:
            bright = _times(bright, _contour(value, self.contour))
        if self.relief:
            bright = _times(bright, _relief(whole, self.relief / pixel, self.lamp))
        if bright is not None:
            for plane in colours:
                plane *= bright
        return colours, value


def _times(bright: np.ndarray | None, factor: np.ndarray) -> np.ndarray:
    if bright is None:
        return factor
    bright *= factor
    return bright


def _moved(axis: np.ndarray, pan: float) -> np.ndarray:
    """Move an axis and keep it within what a lattice can resolve."""
    axis = axis + pan
    np.minimum(axis, _FAR, out=axis)
    return np.maximum(axis, -_FAR, out=axis)


def _tame(value: np.ndarray) -> np.ndarray:
    """Keep the field within a few units of [0, 1], in place."""
    np.minimum(value, 3, out=value)
    return np.maximum(value, -2, out=value)


def _contour(value: np.ndarray, number: float) -> np.ndarray:
    """Return the brightness that draws dark lines at equal heights."""
    line = fraction(value * number)
    line -= 0.5
    np.abs(line, out=line)
    line -= 0.1
    line = edge(line, 0.12)
    line *= 0.75
    line += 0.25
    return line


def _relief(height: np.ndarray, strength: float, lamp: float) -> np.ndarray:
    """Return the brightness of slopes towards and away from a lamp, in (0, 2)."""
    c, s = direction(lamp)
    here = height[:-1, :-1]
    slope = height[:-1, 1:] - here
    slope *= c * strength
    down = height[1:, :-1] - here
    down *= s * strength
    slope += down
    np.abs(slope, out=down)
    down += 1
    slope /= down
    slope += 1
    return slope
