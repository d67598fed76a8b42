"""Fields of a shader: scalar patterns over the plane, from plain waves to folded fractals.

Every rule takes horizontal and vertical coordinates (float32 arrays of one shape) and returns
values of which most lie in [0, 1].
"""

from __future__ import annotations

import numpy as np

from .grammar import SEED, Vocabulary, linear, log, whole
from .noise import cells, gradient_noise, lattice_hash, value_noise, worley

FIELDS = Vocabulary()


def edge(value: np.ndarray, width: float) -> np.ndarray:
    """Return a smooth step from 0 to 1 about 0.

    Args:
        value: signed distance to the edge.
        width: width of the slope, above 0.

    Returns:
        Same shape, in [0, 1].
    """
    t = np.clip(value * np.float32(1 / width) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)


def _rotated(x: np.ndarray, y: np.ndarray, angle: float) -> np.ndarray:
    return x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle))


@FIELDS.rule(weight=1, count=whole(2, 5), frequency=log(3.0, 11.0), seed=SEED)
def waves(x: np.ndarray, y: np.ndarray, count: int, frequency: float, seed: int) -> np.ndarray:
    """Let plane waves of random directions interfere."""
    rng = np.random.default_rng(seed)
    total = np.zeros_like(x)
    for angle, factor, phase in rng.uniform((0, 0.5, 0), (2 * np.pi, 1.6, 6.3), (count, 3)):
        total += np.sin(_rotated(x, y, angle) * np.float32(frequency * factor) + np.float32(phase))
    return 0.5 + total * np.float32(0.5 / np.sqrt(count))


@FIELDS.rule(weight=0.6, frequency=log(6.0, 30.0), arms=whole(0, 5), power=linear(0.5, 1.0))
def rings(x: np.ndarray, y: np.ndarray, frequency: float, arms: int, power: float) -> np.ndarray:
    """Draw rings about the centre, or a spiral."""
    radius = (x * x + y * y + np.float32(1e-4)) ** np.float32(power / 2)
    phase = radius * np.float32(frequency)
    if arms:
        phase = phase + arms * np.arctan2(y, x)
    return 0.5 + 0.5 * np.sin(phase)


@FIELDS.rule(
    weight=0.7, frequency=log(1.5, 6.0), lean=linear(0, 0.5), gap=linear(0.03, 0.15), seed=SEED
)
def bricks(
    x: np.ndarray, y: np.ndarray, frequency: float, lean: float, gap: float, seed: int
) -> np.ndarray:
    """Lay bricks of random brightness, each course shifted."""
    f = np.float32(frequency)
    _, iy, _, v = cells(x, f * y)
    ix, _, u, _ = cells(f * x * np.float32(0.6) + np.float32(lean) * iy.astype(np.float32), y)
    inside = np.minimum(np.minimum(u, 1 - u) / np.float32(0.6), np.minimum(v, 1 - v))
    return edge(inside - np.float32(gap), 0.06) * (0.25 + 0.75 * lattice_hash(ix, iy, seed))


@FIELDS.rule(weight=1.6, frequency=log(1.2, 5.0), levels=whole(1, 3), seed=SEED)
def scatter(x: np.ndarray, y: np.ndarray, frequency: float, levels: int, seed: int) -> np.ndarray:
    """Scatter discs, squares and rings of random size and brightness, at several scales."""
    total = np.full_like(x, 0.1)
    for level in range(levels):
        f = np.float32(frequency * 1.9**level)
        ix, iy, u, v = cells(f * x + level, f * y)
        h = lattice_hash(ix, iy, seed + 7 * level)
        other = lattice_hash(ix, iy, seed + 7 * level + 3)
        px, py = np.abs(u - 0.4 - 0.2 * other), np.abs(v - 0.6 + 0.2 * h)
        round_ = np.sqrt(px * px + py * py)
        distance = np.where(h < 0.4, np.maximum(px, py), round_)
        distance = np.where(h > 0.75, np.abs(round_ - np.float32(0.2)) + 0.14, distance)
        inside = edge(0.12 + 0.18 * other - distance, 0.04)
        total += inside * (other * 61 % 1 - total)
    return total


@FIELDS.rule(weight=1, frequency=log(1.0, 4.5), lines=whole(1, 3), seed=SEED)
def truchet(x: np.ndarray, y: np.ndarray, frequency: float, lines: int, seed: int) -> np.ndarray:
    """Join quarter circles of randomly turned tiles into winding bands."""
    f = np.float32(frequency)
    ix, iy, u, v = cells(f * x, f * y)
    u = np.where(lattice_hash(ix, iy, seed) < 0.5, 1 - u, u)
    near = u + v < 1
    px, py = np.where(near, u, 1 - u), np.where(near, v, 1 - v)
    distance = np.abs(np.sqrt(px * px + py * py) - 0.5)
    return 0.5 + 0.5 * np.cos(distance * np.float32(2 * np.pi * lines))


@FIELDS.rule(
    weight=1.5, frequency=log(1.2, 4.0), octaves=whole(3, 5), gain=linear(0.45, 0.7), seed=SEED
)
def clouds(
    x: np.ndarray, y: np.ndarray, frequency: float, octaves: int, gain: float, seed: int
) -> np.ndarray:
    """Add octaves of value noise."""
    total, weight = np.zeros_like(x), 0.0
    for octave in range(octaves):
        f, a = np.float32(frequency * 2.03**octave), np.float32(gain**octave)
        total += a * value_noise(f * x, f * y, seed + octave)
        weight += float(a)
    return 0.5 + total * np.float32(0.75 / weight)


@FIELDS.rule(
    weight=1.5, frequency=log(1.0, 3.0), octaves=whole(3, 4), gain=linear(0.5, 0.7), seed=SEED
)
def ridges(
    x: np.ndarray, y: np.ndarray, frequency: float, octaves: int, gain: float, seed: int
) -> np.ndarray:
    """Add octaves of folded gradient noise: sharp crests, as of mountains or veins."""
    total, weight = np.zeros_like(x), 0.0
    for octave in range(octaves):
        f, a = np.float32(frequency * 2.1**octave), np.float32(gain**octave)
        crest = 1 - np.abs(gradient_noise(f * x, f * y, seed + octave))
        total += a * crest * crest
        weight += float(a)
    return total * np.float32(1.25 / weight) - np.float32(0.2)


@FIELDS.rule(weight=1.3, frequency=log(1.5, 7.0), jitter=linear(0.5, 1.0), seed=SEED)
def stones(x: np.ndarray, y: np.ndarray, frequency: float, jitter: float, seed: int) -> np.ndarray:
    """Draw Voronoi regions, each of its own brightness, with dark joints."""
    f = np.float32(frequency)
    first, second, identity = worley(f * x, f * y, seed, jitter)
    return edge(second - first - 0.06, 0.08) * (0.15 + 0.85 * identity)


@FIELDS.rule(weight=0.8, frequency=log(1.5, 7.0), jitter=linear(0.6, 1.0), seed=SEED)
def bubbles(x: np.ndarray, y: np.ndarray, frequency: float, jitter: float, seed: int) -> np.ndarray:
    """Draw the distance to the nearest of scattered points."""
    f = np.float32(frequency)
    first, _, identity = worley(f * x, f * y, seed, jitter)
    return np.clip(1.15 - first * (1 + identity * np.float32(0.6)), 0, 1.2)


@FIELDS.rule(
    weight=1.4, cx=linear(0.5, 1.1), cy=linear(0.35, 1.0), steps=whole(6, 11), zoom=log(0.5, 2.0)
)
def kali(x: np.ndarray, y: np.ndarray, cx: float, cy: float, steps: int, zoom: float) -> np.ndarray:
    """Iterate p → |p| / p·p - c, and add up how near the orbit comes to the origin."""
    x, y = x * np.float32(zoom), y * np.float32(zoom)
    total = np.zeros_like(x)
    for _ in range(steps):
        norm = x * x + y * y + np.float32(1e-3)
        x, y = np.abs(x) / norm - np.float32(cx), np.abs(y) / norm - np.float32(cy)
        total += np.exp(np.float32(-4) * np.sqrt(x * x + y * y))
    return total * np.float32(3.0 / steps)


@FIELDS.rule(
    weight=1.2,
    angle=linear(0, 2 * np.pi),
    off=linear(0.02, 0.12),
    steps=whole(14, 26),
    zoom=log(0.6, 1.5),
)
def julia(
    x: np.ndarray, y: np.ndarray, angle: float, off: float, steps: int, zoom: float
) -> np.ndarray:
    """Iterate z → z² + c, c just outside the cardioid: how long z stays, and where it passed."""
    point = (np.exp(1j * angle) / 2 - np.exp(2j * angle) / 4) * (1 + off)
    cx, cy = np.float32(point.real), np.float32(point.imag)
    x, y = x * np.float32(zoom), y * np.float32(zoom)
    stay, trap = np.zeros_like(x), np.full_like(x, 4.0)
    for _ in range(steps):
        x, y = x * x - y * y + cx, 2 * x * y + cy
        norm = x * x + y * y
        stay += np.exp(-norm)
        np.minimum(trap, np.abs(x) + np.float32(0.1) * norm, out=trap)
        np.clip(x, -20, 20, out=x)
        np.clip(y, -20, 20, out=y)
    return stay * np.float32(1.4 / steps) + np.sqrt(trap)


@FIELDS.rule(
    weight=1.5,
    scale=linear(1.2, 1.9),
    frequency=linear(4.0, 9.0),
    steps=whole(2, 4),
    shape=whole(0, 2),
)
def glow(
    x: np.ndarray, y: np.ndarray, scale: float, frequency: float, steps: int, shape: int
) -> np.ndarray:
    """Draw glowing outlines in tiles within tiles."""
    away = np.exp(-np.sqrt(x * x + y * y))
    total = np.zeros_like(x)
    for _ in range(steps):
        x, y = x * np.float32(scale), y * np.float32(scale)
        x, y = x - np.round(x), y - np.round(y)
        ax, ay = np.abs(x), np.abs(y)
        distance = (np.sqrt(ax * ax + ay * ay), np.maximum(ax, ay), ax + ay)[shape]
        line = np.abs(np.sin(distance * away * np.float32(frequency))) / np.float32(frequency)
        total += np.float32(0.012) / (line + np.float32(0.012))
    return total * np.float32(1.6 / steps)


@FIELDS.rule(
    weight=1,
    folds=whole(3, 6),
    angle=linear(0.2, 1.4),
    offset=linear(0.3, 0.7),
    scale=linear(1.3, 1.7),
)
def gasket(
    x: np.ndarray, y: np.ndarray, folds: int, angle: float, offset: float, scale: float
) -> np.ndarray:
    """Fold, turn and grow again and again; the nearest approach to the axes draws the picture."""
    c, s, o = np.float32(np.cos(angle)), np.float32(np.sin(angle)), np.float32(offset)
    trap, grown = np.full_like(x, 9.0), 1.0
    for _ in range(folds):
        x, y = np.abs(x) - o, np.abs(y) - o
        x, y = (c * x - s * y) * np.float32(scale), (s * x + c * y) * np.float32(scale)
        grown *= scale
        np.minimum(
            trap, np.minimum(np.abs(x), np.abs(y) + 0.1) * np.float32(2 / grown**0.5), out=trap
        )
    return np.sqrt(trap) * np.float32(1.3)
