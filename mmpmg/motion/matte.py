"""The soft-edged random shape by which a part is cut out of an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .ranges import choice, number

FloatArray: TypeAlias = npt.NDArray[np.float64]

OUTLINES = ("blob", "polygon")


@dataclass(frozen=True)
class Matte:
    r"""How much of an image belongs to a part, at every point: a star-shaped form, soft at its rim.

    The form is drawn in coordinates q of its own: ``p - centre`` is turned by ``-angle``, its first
    coordinate divided by ``stretch`` and its second multiplied by it. There the rim stands at the
    distance ``radius * r(theta)`` from the centre, with theta the angle of q and

    * ``'blob'``: ``r(theta) = 1 + sum_n c_n cos(n theta) + s_n sin(n theta)`` for n = 2, 3, ...;
      ``shape`` is (c_2, s_2, c_3, s_3, ...), and () is an ellipse;
    * ``'polygon'``: straight lines between n corners at the angles ``2 pi i / n`` and the distances
      ``shape[i]``; equal distances make it convex, alternating ones a star.

    With b the distance from the centre to the rim along the ray through p (in pixels of the image,
    ``b = |p - centre| * radius * r / |q|``), the matte is ``3 t^2 - 2 t^3`` of
    ``t = clip(1/2 + (b - |p - centre|) / softness, 0, 1)``; 1 at the centre itself.

    Attributes:
        outline: ``'blob'`` or ``'polygon'``.
        centre: (x, y) in pixels of the part's image; pixel centres stand at integers.
        radius: Above 0, pixels.
        shape: The numbers of the outline: for a blob an even number of them, with the sum over n of
            ``hypot(c_n, s_n)`` at most 0.9; for a polygon 3 to 64 of them, each in [0.05, 2].
        stretch: In [0.2, 5]; the form is this much longer along its own first axis and as much
            shorter along the second.
        angle: Radians, clockwise as seen on the screen.
        softness: Width of the soft rim along the ray, pixels, at least 0.5.

    Raises:
        ValueError: If a number is out of its range.
    """

    outline: str
    centre: tuple[float, float]
    radius: float
    shape: tuple[float, ...] = ()
    stretch: float = 1.0
    angle: float = 0.0
    softness: float = 2.0

    def __post_init__(self) -> None:
        """Check the numbers, keep them as floats."""
        choice("Matte", "outline", self.outline, OUTLINES)
        centre = _numbers("centre", self.centre, 1e6)
        shape = _numbers("shape", self.shape, 2.0)
        if len(centre) != 2:
            raise ValueError(f"Matte: centre={self.centre!r} must be (x, y)")
        if self.outline == "blob" and (len(shape) % 2 or sum(_strengths(shape)) > 0.9):
            raise ValueError(
                f"Matte: shape={self.shape!r} must be pairs (c_n, s_n) whose hypot(c_n, s_n) add "
                "up to at most 0.9 for outline='blob'"
            )
        if self.outline == "polygon" and not (3 <= len(shape) <= 64 and min(shape) >= 0.05):
            raise ValueError(
                f"Matte: shape={self.shape!r} must be 3 to 64 distances in [0.05, 2] for "
                "outline='polygon'"
            )
        object.__setattr__(self, "centre", centre)
        object.__setattr__(self, "shape", shape)
        limits = {"radius": (1e-3, 1e6), "stretch": (0.2, 5), "angle": (-1e6, 1e6)}
        for key, (low, high) in {**limits, "softness": (0.5, 1e6)}.items():
            object.__setattr__(self, key, number("Matte", key, getattr(self, key), low, high))

    def rim(self, theta: FloatArray) -> FloatArray:
        """Return r(theta), the distance of the rim in radii, above 0."""
        if self.outline == "blob":
            r = np.ones_like(theta)
            for n, (c, s) in enumerate(zip(self.shape[::2], self.shape[1::2], strict=True), 2):
                r += c * np.cos(n * theta) + s * np.sin(n * theta)
            return r
        wedge = 2 * math.pi / len(self.shape)
        place = np.mod(theta, 2 * math.pi) / wedge
        corner = np.minimum(place.astype(np.int64), len(self.shape) - 1)
        within = theta - corner * wedge  # a period more or less, which sines do not see
        here, after = np.array(self.shape)[corner], np.roll(self.shape, -1)[corner]
        # The line between two corners in polar form.
        bent = here * np.sin(within) + after * np.sin(wedge - within)
        return here * after * math.sin(wedge) / bent

    def alpha(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the matte at points of the part's image.

        Args:
            x: Positions along x, pixels; any shape that broadcasts with ``y``.
            y: Positions along y, pixels.

        Returns:
            float64 in [0, 1], of the broadcast shape: 1 belongs to the part.
        """
        dx, dy = np.subtract(x, self.centre[0]), np.subtract(y, self.centre[1])
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        along = (cos * dx + sin * dy) / self.stretch
        aside = (cos * dy - sin * dx) * self.stretch
        away, own = np.hypot(dx, dy), np.hypot(along, aside)
        rim = away * self.radius * self.rim(np.arctan2(aside, along))
        depth = np.divide(rim, own, np.full_like(own, np.inf), where=own > 0) - away
        t = np.clip(0.5 + depth / self.softness, 0.0, 1.0)
        return t * t * (3.0 - 2.0 * t)

    def box(self) -> tuple[float, float, float, float]:
        """Return (x0, y0, x1, y1) in pixels: outside, and on its sides, the matte is 0."""
        corners = self.outline == "polygon"
        count = len(self.shape) if corners else 64
        theta = 2 * math.pi * np.arange(count) / count
        r = self.radius * (np.array(self.shape) if corners else self.rim(theta))
        along, aside = r * np.cos(theta) * self.stretch, r * np.sin(theta) / self.stretch
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        margin = 0.5 * self.softness
        if self.outline == "blob":
            # Between two samples a curve bulges by at most step^2 / 8 times its second derivative.
            bends = sum((n + 1) ** 2 * a for n, a in enumerate(_strengths(self.shape), 2))
            bulge = (2 * math.pi / count) ** 2 / 8 * (1.0 + bends)
            margin += bulge * self.radius * max(self.stretch, 1.0 / self.stretch)
        x, y = cos * along - sin * aside, sin * along + cos * aside
        cx, cy = self.centre
        return (
            float(cx + x.min() - margin),
            float(cy + y.min() - margin),
            float(cx + x.max() + margin),
            float(cy + y.max() + margin),
        )

    def raster(self, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Draw the matte once for a clip: ``rint(255 * alpha)`` at the pixel centres.

        Args:
            size: (H, W) of the part's image.

        Returns:
            (H, W) uint8.
        """
        levels = np.zeros(size, np.uint8)
        x0, y0, x1, y1 = self.box()
        left, top = max(math.floor(x0), 0), max(math.floor(y0), 0)
        right, bottom = min(math.ceil(x1) + 1, size[1]), min(math.ceil(y1) + 1, size[0])
        if left < right and top < bottom:
            x = np.arange(left, right, dtype=np.float64)
            y = np.arange(top, bottom, dtype=np.float64)[:, None]
            levels[top:bottom, left:right] = np.rint(255.0 * self.alpha(x, y))
        return levels

    def to_dict(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain python data."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}


def _numbers(key: str, values: Sequence[float], largest: float) -> tuple[float, ...]:
    return tuple(number("Matte", key, v, -largest, largest) for v in values)


def _strengths(shape: Sequence[float]) -> list[float]:
    """Return hypot(c_n, s_n) for n = 2, 3, ..."""
    return [math.hypot(c, s) for c, s in zip(shape[::2], shape[1::2], strict=True)]
