"""Fields of folded and iterated maps: orbits, tiles within tiles, gaskets."""

from __future__ import annotations

import numpy as np

from .coordinates import turned
from .exact_math import direction, fall, sine
from .grammar import PHASE, TURNS, Vocabulary, linear, log, whole

FRACTALS = Vocabulary()


@FRACTALS.rule(
    weight=1.4,
    centred=True,
    cx=linear(0.5, 1.1, drift=0.05),
    cy=linear(0.35, 1.0, drift=0.05),
    steps=whole(4, 8),
    zoom=log(0.5, 2.0),
)
def kali(x: np.ndarray, y: np.ndarray, cx: float, cy: float, steps: int, zoom: float) -> np.ndarray:
    """Iterate p → |p| / p·p - c, and add up how near the orbit comes to the origin."""
    x, y = x * zoom, y * zoom
    total = np.zeros_like(x)
    norm = x * x
    norm += y * y
    for _ in range(steps):
        norm += 1e-3
        np.divide(1, norm, out=norm)
        np.abs(x, out=x)
        np.abs(y, out=y)
        x *= norm
        y *= norm
        x -= cx
        y -= cy
        np.multiply(x, x, out=norm)
        norm += y * y
        near = norm * 9
        near += 1
        np.divide(1, near, out=near)
        total += near
    total *= 3.0 / steps
    return total


@FRACTALS.rule(
    weight=1.0,
    centred=True,
    angle=TURNS,
    off=linear(0.02, 0.12),
    steps=whole(9, 15),
    zoom=log(0.6, 1.5),
)
def julia(
    x: np.ndarray, y: np.ndarray, angle: float, off: float, steps: int, zoom: float
) -> np.ndarray:
    """Iterate z → z² + c, c just outside the cardioid: how long z stays, and where it passed."""
    (c1, s1), (c2, s2) = direction(angle), direction(2 * angle)
    cx, cy = (c1 / 2 - c2 / 4) * (1 + off), (s1 / 2 - s2 / 4) * (1 + off)
    x, y = x * zoom, y * zoom
    stay, trap = np.zeros_like(x), np.full_like(x, 4.0)
    xx, yy = x * x, y * y
    for _ in range(steps):
        y *= x
        y *= 2
        y += cy
        np.subtract(xx, yy, out=x)
        x += cx
        # What has left stays far away, yet finite.
        np.minimum(x, 20, out=x)
        np.maximum(x, -20, out=x)
        np.minimum(y, 20, out=y)
        np.maximum(y, -20, out=y)
        np.multiply(x, x, out=xx)
        np.multiply(y, y, out=yy)
        norm = xx + yy
        near = fall(norm)
        stay += near
        norm *= 0.1
        norm += np.abs(x)
        np.minimum(trap, norm, out=trap)
    stay *= 1.4 / steps
    stay += np.sqrt(trap)
    return stay


@FRACTALS.rule(
    weight=1.3,
    scale=linear(1.2, 1.9),
    frequency=linear(4.0, 9.0),
    steps=whole(2, 4),
    shape=whole(0, 2),
    time=PHASE,
)
def glow(
    x: np.ndarray,
    y: np.ndarray,
    scale: float,
    frequency: float,
    steps: int,
    shape: int,
    time: float,
) -> np.ndarray:
    """Draw glowing outlines in tiles within tiles."""
    away = x * x
    away += y * y
    away = fall(np.sqrt(away, out=away))
    away *= frequency / 6.2831853
    total = np.zeros_like(x)
    for _ in range(steps):
        x, y = x * scale, y * scale
        x -= np.rint(x)
        y -= np.rint(y)
        if shape == 0:
            distance = x * x
            distance += y * y
            np.sqrt(distance, out=distance)
        else:
            distance = (np.maximum if shape == 1 else np.add)(np.abs(x), np.abs(y))
        distance *= away
        distance += 0.5 * time
        line = sine(distance)
        np.abs(line, out=line)
        line *= 1 / frequency
        line += 0.012
        np.divide(0.012 * 1.6 / steps, line, out=line)
        total += line
    return total


@FRACTALS.rule(
    weight=1,
    folds=whole(3, 6),
    angle=linear(0.03, 0.22, drift=0.06),
    offset=linear(0.3, 0.7),
    scale=linear(1.3, 1.7),
)
def gasket(
    x: np.ndarray, y: np.ndarray, folds: int, angle: float, offset: float, scale: float
) -> np.ndarray:
    """Fold, turn and grow again and again; the nearest approach to the axes draws the picture."""
    trap, grown = np.full_like(x, 9.0), 1.0
    for _ in range(folds):
        ax, ay = np.abs(x), np.abs(y)
        ax -= offset
        ay -= offset
        x, y = turned(ax, ay, angle, scale)
        grown *= scale
        near = np.abs(y)
        near += 0.1
        np.minimum(near, np.abs(x), out=near)
        near *= 2 / grown
        np.minimum(trap, near, out=trap)
    np.sqrt(trap, out=trap)
    trap *= 2
    return trap


@FRACTALS.rule(weight=0.8, levels=whole(3, 5), hole=linear(0.12, 0.2), scale=linear(1.8, 2.6))
def carpet(x: np.ndarray, y: np.ndarray, levels: int, hole: float, scale: float) -> np.ndarray:
    """Punch holes of ever smaller size, each level of its own brightness."""
    value, f = np.full_like(x, 0.1), 0.5
    for level in range(levels):
        u, v = x * f, y * f
        u -= np.rint(u)
        v -= np.rint(v)
        np.abs(u, out=u)
        np.abs(v, out=v)
        if level % 2:
            u += v
            u *= 0.75
        else:
            np.maximum(u, v, out=u)
        u *= 1 / hole
        np.copyto(value, 0.25 + 0.75 * (level * 0.618034 % 1), where=u < 1)
        f *= scale
    return value


@FRACTALS.rule(
    weight=0.8, centred=True, power=linear(0.6, 1.3), steps=whole(5, 9), cx=linear(-0.9, 0.3)
)
def ship(x: np.ndarray, y: np.ndarray, power: float, steps: int, cx: float) -> np.ndarray:
    """Iterate z → (|Re z| + i |Im z|)² + c over the plane of c: the burning ship, by its orbit."""
    px, py = x * power, y * power
    px += cx - 0.5
    zx, zy = np.zeros_like(x), np.zeros_like(y)
    stay = np.zeros_like(x)
    for _ in range(steps):
        cross = zx * zy
        np.abs(cross, out=cross)
        cross *= 2
        zx *= zx
        zy *= zy
        zx -= zy
        zx += px
        cross += py
        zy = cross
        np.minimum(zx, 12, out=zx)
        np.minimum(zy, 12, out=zy)
        np.maximum(zx, -12, out=zx)
        np.maximum(zy, -12, out=zy)
        norm = zx * zx
        norm += zy * zy
        stay += fall(norm)
    stay *= 1.8 / steps
    return stay
