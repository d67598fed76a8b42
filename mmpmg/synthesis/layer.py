"""One layer of a shader: a field, seen through coordinate steps, in colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .coordinates import COORDINATES
from .fields import FIELDS
from .grammar import Step
from .palette import Palette


@dataclass(frozen=True)
class Layer:
    """One field, seen through coordinate steps, in colour.

    Args:
        steps: coordinate steps, applied in order.
        field: what is drawn.
        tint: a second field that moves the colour, or None.
        palette: the colours.
        bands: how often the palette is run through.
        tint_amount: how far the second field moves the colour.
        shade: how much the field also sets the brightness, [0, 1].
        posterise: number of flat steps that the field is cut into, 0 for none.
        relief: strength of the light on the field taken as a height, 0 for none.
        light: direction that it comes from, radians.
    """

    steps: tuple[Step, ...]
    field: Step
    tint: Step | None
    palette: Palette
    bands: float
    tint_amount: float
    shade: float
    posterise: int
    relief: float
    light: float

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Layer:
        """Draw a layer.

        Args:
            rng: what to draw from.

        Returns:
            The layer.
        """
        steps = tuple(
            COORDINATES.sample(rng) for _ in range(rng.choice(4, p=[0.1, 0.35, 0.4, 0.15]))
        )
        return cls(
            steps=steps,
            field=FIELDS.sample(rng),
            tint=FIELDS.sample(rng) if rng.random() < 0.45 else None,
            palette=Palette.sample(rng),
            bands=float(rng.uniform(0.35, 1.6)),
            tint_amount=float(rng.uniform(0.2, 0.6)),
            shade=float(rng.choice([0.0, rng.uniform(0.4, 1.0)], p=[0.3, 0.7])),
            posterise=int(rng.choice([0, rng.integers(3, 8)], p=[0.75, 0.25])),
            relief=float(rng.choice([0.0, rng.uniform(0.05, 0.3)], p=[0.5, 0.5])),
            light=float(rng.uniform(0, 2 * np.pi)),
        )

    def render(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Draw the layer.

        Args:
            x: horizontal coordinates, (H, W) float32.
            y: vertical coordinates, same shape.

        Returns:
            Colours (H, W, 3), roughly in [0, 1], and the field (H, W).
        """
        pixel = float(x[0, 1] - x[0, 0]) if x.shape[1] > 1 else 2.0
        for step in self.steps:
            x, y = step(x, y)
        value = _tame(self.field(x, y))
        shown = value
        if self.posterise:
            shown = np.floor(value * self.posterise) / np.float32(self.posterise)
        t = shown * np.float32(self.bands)
        if self.tint is not None:
            t = t + np.float32(self.tint_amount) * _tame(self.tint(x, y))
        colour = self.palette(t)
        if self.shade:
            shade = 1 - self.shade + np.float32(1.3 * self.shade) * np.clip(shown, 0, 1)
            colour *= shade[..., None]
        if self.relief and min(value.shape) > 1:
            down, right = np.gradient(value, np.float32(pixel))
            slope = np.float32(np.cos(self.light)) * right + np.float32(np.sin(self.light)) * down
            slope *= np.float32(self.relief)
            colour *= (1 + slope / (1 + np.abs(slope)))[..., None]
        return colour, value


def _tame(value: np.ndarray) -> np.ndarray:
    """Return the field as finite float32 within a few units of [0, 1]."""
    value = np.nan_to_num(value.astype(np.float32, copy=False), nan=0.0, posinf=3.0, neginf=-2.0)
    return np.clip(value, -2, 3, out=value)
