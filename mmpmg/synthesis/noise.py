"""Lattice noise over any coordinates: value, gradient and cellular, in float32.

The random numbers of the lattice lie in tables, made once by a hash: looking one up takes half the
time of hashing. They repeat after `PERIOD` cells; a seed chooses where in the tables to begin.
"""

from __future__ import annotations

import numpy as np

#: Cells after which the random numbers repeat.
PERIOD = 128
_WIDTH = PERIOD + 2  # one more column and row on either side: neighbours need no wrapping
_START = _WIDTH + 1


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


def _table(seed: int) -> np.ndarray:
    iy, ix = np.mgrid[-1 : PERIOD + 1, -1 : PERIOD + 1].astype(np.int32) % PERIOD
    return lattice_hash(ix, iy, seed)


def _shifted(table: np.ndarray, cx: int = 0, cy: int = 0) -> np.ndarray:
    """Return the table as a row of numbers, with the neighbour (cx, cy) in each cell's place."""
    return table.ravel()[_START + cy * _WIDTH + cx :]


_TABLES = [_table(seed) for seed in range(4)]
_RANDOM = [_shifted(table) for table in _TABLES]
_VALUES = 2 * _TABLES[0] - 1
_SLOPES = (2 * _TABLES[0] - 1, 2 * _TABLES[1] - 1)
_POINTS = (_TABLES[2] - 0.5, _TABLES[3] - 0.5)


def _bilinear(table: np.ndarray) -> list[np.ndarray]:
    """Return a, b, c, d of a + b u + c v + d u v over every cell of a table."""
    a, b, c, d = (np.roll(table, (-cy, -cx), (0, 1)) for cy in (0, 1) for cx in (0, 1))
    return [_shifted(part) for part in (a, b - a, c - a, a - b - c + d)]


_COEFFICIENTS = _bilinear(_VALUES)


def cells(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Split coordinates into lattice cells and the position inside them.

    Args:
        x: horizontal, float32 within a million of 0.
        y: vertical, same shape.

    Returns:
        Column and row of the cell (int32), horizontal and vertical position in it in [0, 1).
    """
    fx, fy = np.floor(x), np.floor(y)
    return fx.astype(np.int32), fy.astype(np.int32), x - fx, y - fy


def lookup(ix: np.ndarray, iy: np.ndarray, seed: int) -> np.ndarray:
    """Return where the random numbers of lattice points stand.

    Args:
        ix: columns, int32.
        iy: rows, same shape.
        seed: another seed begins elsewhere in the tables.

    Returns:
        Indices for `randoms`.
    """
    where = iy + (seed >> 7 & (PERIOD - 1))
    where &= PERIOD - 1
    where *= _WIDTH
    column = ix + (seed & (PERIOD - 1))
    column &= PERIOD - 1
    where += column
    return where.astype(np.intp)


def randoms(where: np.ndarray, which: int = 0) -> np.ndarray:
    """Return the random numbers of lattice points.

    Args:
        where: what `lookup` returned.
        which: 0 to 3: each point has four independent numbers.

    Returns:
        Same shape, float32 in [0, 1).
    """
    return _RANDOM[which].take(where)


def _smooth(u: np.ndarray) -> np.ndarray:
    s = u * -2
    s += 3
    s *= u
    s *= u
    return s


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
    return _interpolated(lookup(ix, iy, seed), _smooth(u), _smooth(v))


def value_noise_pair(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two noises as `value_noise`, which share the work on the lattice."""
    ix, iy, u, v = cells(x, y)
    where, u, v = lookup(ix, iy, seed), _smooth(u), _smooth(v)
    # A stride that no lattice of a few cells shows twice.
    other = lookup(ix + 37, iy + 59, seed)
    return _interpolated(where, u, v), _interpolated(other, u, v)


def _interpolated(where: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    a, b, c, d = _COEFFICIENTS
    total = d.take(where)
    total *= u
    total += c.take(where)
    total *= v
    slope = b.take(where)
    slope *= u
    total += slope
    total += a.take(where)
    return total


def gradient_noise(x: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
    """Interpolate random slopes at the lattice points (Perlin's noise).

    Args:
        x: horizontal, float32, in lattice cells.
        y: vertical, same shape.
        seed: which noise.

    Returns:
        Smooth noise, mostly in [-1, 1].
    """
    ix, iy, u, v = cells(x, y)
    where = lookup(ix, iy, seed)
    left = (u, u - 1)

    def row(cy: int, below: np.ndarray) -> np.ndarray:
        ends = []
        for cx in (0, 1):
            end = _shifted(_SLOPES[0], cx, cy).take(where)
            end *= left[cx]
            rise = _shifted(_SLOPES[1], cx, cy).take(where)
            rise *= below
            end += rise
            ends.append(end)
        ends[1] -= ends[0]
        ends[1] *= su
        ends[1] += ends[0]
        return ends[1]

    su = _smooth(u)
    top, bottom = row(0, v), row(1, v - 1)
    bottom -= top
    bottom *= _smooth(v)
    bottom += top
    bottom *= 1.5
    return bottom


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
    where = lookup(ix, iy, seed)
    first = np.full(x.shape, 9.0, np.float32)
    second = first.copy()
    owner = where.copy()
    for cy in (-1, 0, 1):
        below = v - (cy + 0.5)
        for cx in (-1, 0, 1):
            px = _shifted(_POINTS[0], cx, cy).take(where)
            px *= jitter
            px -= u
            px += cx + 0.5
            py = _shifted(_POINTS[1], cx, cy).take(where)
            py *= jitter
            py -= below
            px *= px
            py *= py
            px += py
            np.maximum(first, px, out=py)
            np.minimum(second, py, out=second)
            np.copyto(owner, where + (cy * _WIDTH + cx), where=px < first)
            np.minimum(first, px, out=first)
    # `owner` may stand in the margin, before the first entry of the shifted table.
    identity = _TABLES[1].ravel().take(owner + _START)
    return np.sqrt(first, out=first), np.sqrt(second, out=second), identity
