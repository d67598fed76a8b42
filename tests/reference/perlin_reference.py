"""Perlin's improved noise in three dimensions, one point and one corner at a time."""

from __future__ import annotations

import math


def fade(u: float) -> float:
    """6 u^5 - 15 u^4 + 10 u^3."""
    return 6 * u**5 - 15 * u**4 + 10 * u**3


def noise_3d(slope_at, t: float, y: float, x: float) -> float:
    """Blend the heights of the eight slopes around a point.

    ``slope_at(it, iy, ix)`` gives a lattice point's slope along (x, y, t).
    """
    it, iy, ix = math.floor(t), math.floor(y), math.floor(x)
    total = 0.0
    for ct in (0, 1):
        for cy in (0, 1):
            for cx in (0, 1):
                dt, dy, dx = t - it - ct, y - iy - cy, x - ix - cx
                weight = fade(1 - abs(dt)) * fade(1 - abs(dy)) * fade(1 - abs(dx))
                sx, sy, st = slope_at(it + ct, iy + cy, ix + cx)
                total += weight * (sx * dx + sy * dy + st * dt)
    return total
