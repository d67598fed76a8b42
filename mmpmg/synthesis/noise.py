"""Lattice noise over any coordinates: value, gradient and cellular, in float32."""

from __future__ import annotations

import numpy as np

_LIMIT = np.float32(1e6)  # beyond it float32 has no fraction worth interpolating


def lattice_hash(ix: np.ndarray, iy: np.ndarray, seed: int) -> np.ndarray:
    """Hash lattice points to numbers in [0, 1).

    Args:
        ix: columns, int32.
        iy: rows, int32, same shape.
        seed: another seed gives independent numbers.

    Returns:
        Uniform float32 numbers, the same on every machine.
    """
    h = ix.astype(np.uint32) * np.uint32(0x8DA6B343)
    h += np.uint32((seed * 0x9E3779B1) & 0xFFFFFFFF)
    h ^= h >> np.uint32(16)  # between the two, or (-ix, -iy) would often hash as (ix, iy) does
    h *= np.uint32(0x7FEB352D)
    h += iy.astype(np.uint32) * np.uint32(0xD8163841)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x2C1B3C6D)
    h ^= h >> np.uint32(12)
    h *= np.uint32(0x297A2D39)
    h >>= np.uint32(8)
    return h.astype(np.float32) * np.float32(2.0**-24)


def cells(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split coordinates into lattice cells and the position inside them.

    Args:
        x: horizontal, float32.
        y: vertical, float32, same shape.

    Returns:
        Column and row of the cell (int32), horizontal and vertical position in it in [0, 1).
    """
    x, y = np.clip(x, -_LIMIT, _LIMIT), np.clip(y, -_LIMIT, _LIMIT)
    fx, fy = np.floor(x), np.floor(y)
    return fx.astype(np.int32), fy.astype(np.int32), x - fx, y - fy


def value_noise(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Interpolate random values at the lattice points.

    Args:
        x: horizontal, float32, in lattice cells.
        y: vertical, same shape.
        seed: which noise.

    Returns:
        Smooth noise in [-1, 1].
    """
    ix, iy, u, v = cells(x, y)
    u, v = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    a, b = lattice_hash(ix, iy, seed), lattice_hash(ix + 1, iy, seed)
    c, d = lattice_hash(ix, iy + 1, seed), lattice_hash(ix + 1, iy + 1, seed)
    top = a + u * (b - a)
    return 2 * (top + v * (c + u * (d - c) - top)) - 1


def gradient_noise(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Interpolate random slopes at the lattice points (Perlin's noise with four-way slopes).

    Args:
        x: horizontal, float32, in lattice cells.
        y: vertical, same shape.
        seed: which noise.

    Returns:
        Smooth noise, mostly in [-1, 1].
    """
    ix, iy, u, v = cells(x, y)

    def corner(cx: int, cy: int) -> np.ndarray:
        h = lattice_hash(ix + cx, iy + cy, seed)
        # Two slopes from one hash: its first and its later digits.
        gx = 2 * h - 1
        gy = 2 * (h * 64 - np.floor(h * 64)) - 1
        return gx * (u - cx) + gy * (v - cy)

    su, sv = u * u * (3 - 2 * u), v * v * (3 - 2 * v)
    a, b, c, d = corner(0, 0), corner(1, 0), corner(0, 1), corner(1, 1)
    top = a + su * (b - a)
    return 1.5 * (top + sv * (c + su * (d - c) - top))


def worley(
    x: np.ndarray, y: np.ndarray, seed: int, jitter: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the two nearest of the points that are scattered one to a cell.

    Args:
        x: horizontal, float32, in lattice cells.
        y: vertical, same shape.
        seed: which points.
        jitter: how far a point strays from the middle of its cell, [0, 1].

    Returns:
        Distance to the nearest and to the second point, and a number in [0, 1) that is constant
        over the region of the nearest.
    """
    ix, iy, u, v = cells(x, y)
    first = np.full(x.shape, 9.0, np.float32)
    second = first.copy()
    identity = np.zeros_like(first)
    for cy in (-1, 0, 1):
        for cx in (-1, 0, 1):
            h = lattice_hash(ix + cx, iy + cy, seed)
            digits = h * 256
            px = cx + 0.5 + jitter * (h - 0.5) - u
            py = cy + 0.5 + jitter * (digits - np.floor(digits) - 0.5) - v
            distance = px * px + py * py
            nearer = distance < first
            np.minimum(second, np.maximum(first, distance), out=second)
            np.copyto(identity, h, where=nearer)
            np.minimum(first, distance, out=first)
    # The hash already placed the point; stir it so that colour does not follow position.
    identity = identity * 977
    return np.sqrt(first), np.sqrt(second), identity - np.floor(identity)
