"""Sine, angle and edges of a shader from operations that every processor rounds alike.

IEEE 754 fixes the result of ``+ - * /`` and of the square root to the last bit, and rounding to
whole numbers, ``abs``, ``minimum``, ``maximum`` and comparisons are exact. It says nothing of
sine, exponential, power or arctangent, which numpy computes by other code on every kind of
processor, nor of the order of a sum. So a shader uses the former alone, one operation a call (a
call cannot be contracted to a fused multiply-add, which rounds once instead of twice), and no sum,
mean, dot product or filter over pixels. Whatever is computed so is the same on any machine.

Angles are in turns: 1 is the full circle.
"""

from __future__ import annotations

import numpy as np


def sine(turns: np.ndarray) -> np.ndarray:
    """Return a sine wave, from two parabolas and a correction, within 0.0011 of the true one.

    With t the fraction of the turn in [-1/2, 1/2] and p = 8 t - 16 t |t|, the wave is
    p (0.775 + 0.225 |p|).

    Args:
        turns: any shape, float32 below 2^22.

    Returns:
        Same shape, in [-1, 1].
    """
    t = np.rint(turns)
    np.subtract(turns, t, out=t)
    p = np.abs(t)
    p *= -16
    p += 8
    p *= t
    np.abs(p, out=t)
    t *= 0.225
    t += 0.775
    t *= p
    return t


def cosine(turns: np.ndarray) -> np.ndarray:
    """Return a cosine wave, as `sine`."""
    return sine(turns + 0.25)


def angle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the direction of points seen from the origin, within 0.0007 turns.

    In the first eighth of the circle the angle is a (1/8 + 0.04345 (1 - a)) with a = y / x; the
    others follow by symmetry.

    Args:
        x: any shape, float32.
        y: same shape.

    Returns:
        Same shape, in [-1/2, 1/2] turns; 0 at the origin.
    """
    ax, ay = np.abs(x), np.abs(y)
    a = np.minimum(ax, ay)
    a /= np.maximum(np.maximum(ax, ay), np.float32(1e-20))
    t = a * -0.04345
    t += 0.16845
    t *= a
    np.subtract(0.25, t, out=t, where=ay > ax)
    np.subtract(0.5, t, out=t, where=x < 0)
    return np.copysign(t, y)


def direction(turns: float) -> tuple[float, float]:
    """Return cosine and sine of one angle, to 1e-12.

    Args:
        turns: any angle.

    Returns:
        A unit vector, from Taylor's series within an eighth of a turn.
    """
    quarter = round(turns * 4)
    t = (turns - quarter / 4) * 6.283185307179586
    s, c, term = 0.0, 0.0, 1.0
    for power in range(1, 16, 2):
        c += term
        term = term * t / power
        s += term
        term = -term * t / (power + 1)
    return ((c, s), (-s, c), (-c, -s), (s, -c))[quarter % 4]


def rotated(x: np.ndarray, y: np.ndarray, turns: float, scale: float = 1.0) -> np.ndarray:
    """Return the horizontal coordinate of the turned and scaled plane."""
    c, s = direction(turns)
    along = x * (c * scale)
    along += y * (s * scale)
    return along


def edge(value: np.ndarray, width: float) -> np.ndarray:
    """Return a smooth step from 0 to 1 about 0.

    Args:
        value: signed distance to the edge.
        width: width of the slope, above 0.

    Returns:
        Same shape, in [0, 1].
    """
    t = value * (1 / width)
    t += 0.5
    np.maximum(t, 0, out=t)
    np.minimum(t, 1, out=t)
    s = t * -2
    s += 3
    s *= t
    s *= t
    return s


def fall(value: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + v + v² / 2), which falls as the exponential of -v does near 0.

    Args:
        value: 0 or more.

    Returns:
        Same shape, in (0, 1].
    """
    t = value * 0.5
    t += 1
    t *= value
    t += 1
    return np.divide(1, t, out=t)


def fraction(value: np.ndarray) -> np.ndarray:
    """Return what is left of the next whole number below, in [0, 1)."""
    return np.subtract(value, np.floor(value))
