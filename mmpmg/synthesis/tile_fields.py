"""Fields of tiles: bricks, checks, discs, winding bands, letters, cells of a grid."""

from __future__ import annotations

import numpy as np

from .exact_math import cosine, edge, fraction
from .grammar import SEED, Vocabulary, linear, log, whole
from .noise import cells, lookup, randoms

TILES = Vocabulary()


@TILES.rule(
    weight=0.7, frequency=log(1.5, 6.0), lean=linear(0, 0.5), gap=linear(0.03, 0.15), seed=SEED
)
def bricks(
    x: np.ndarray, y: np.ndarray, frequency: float, lean: float, gap: float, seed: int
) -> np.ndarray:
    """Lay bricks of random brightness, each course shifted."""
    fy = y * frequency
    course = np.floor(fy)
    fy -= course
    fx = course * lean
    fx += x * (0.6 * frequency)
    column = np.floor(fx)
    fx -= column
    ends = np.minimum(fx, 1 - fx)
    ends *= 1 / 0.6
    np.minimum(ends, fy, out=ends)
    np.minimum(ends, 1 - fy, out=ends)
    ends -= gap
    value = edge(ends, 0.06)
    shade = randoms(lookup(column.astype(np.int32), course.astype(np.int32), seed))
    shade *= 0.75
    shade += 0.25
    value *= shade
    return value


@TILES.rule(weight=0.6, frequency=log(1.2, 5.0), contrast=linear(0.3, 0.8), seed=SEED)
def checks(
    x: np.ndarray, y: np.ndarray, frequency: float, contrast: float, seed: int
) -> np.ndarray:
    """Paint a chequerboard whose squares differ in brightness."""
    ix, iy = np.floor(x * frequency).astype(np.int32), np.floor(y * frequency).astype(np.int32)
    value = randoms(lookup(ix, iy, seed))
    value *= 1 - contrast
    parity = (ix + iy) & 1
    value += parity * np.float32(contrast)
    return value


@TILES.rule(weight=1.3, frequency=log(1.2, 4.5), levels=whole(1, 3), seed=SEED)
def scatter(x: np.ndarray, y: np.ndarray, frequency: float, levels: int, seed: int) -> np.ndarray:
    """Scatter discs, squares and rings of random size and brightness, at several scales."""
    total, f = np.full_like(x, 0.1), frequency
    for level in range(levels):
        ix, iy, u, v = cells(x * f, y * f)
        where = lookup(ix, iy, seed + 517 * level)
        kind, other = randoms(where, 0), randoms(where, 1)
        u -= 0.4
        u -= other * 0.2
        v -= 0.6
        v += kind * 0.2
        square = np.maximum(np.abs(u), np.abs(v))
        u *= u
        v *= v
        u += v
        distance = np.sqrt(u, out=u)
        ring = np.abs(distance - 0.2)
        ring += 0.14
        np.copyto(distance, square, where=kind < 0.4)
        np.copyto(distance, ring, where=kind > 0.75)
        other *= 0.18
        other += 0.12
        other -= distance
        inside = edge(other, 0.04)
        shade = randoms(where, 2)
        shade -= total
        inside *= shade
        total += inside
        f *= 1.9
    return total


@TILES.rule(weight=0.8, frequency=log(1.0, 4.5), lines=whole(1, 3), straight=whole(0, 1), seed=SEED)
def truchet(
    x: np.ndarray, y: np.ndarray, frequency: float, lines: int, straight: int, seed: int
) -> np.ndarray:
    """Join quarter circles, or diagonals, of randomly turned tiles into winding bands."""
    ix, iy, u, v = cells(x * frequency, y * frequency)
    np.subtract(1, u, out=u, where=randoms(lookup(ix, iy, seed)) < 0.5)
    if straight:
        distance = u + v
        distance -= 1
        np.abs(distance, out=distance)
        distance *= 0.5 * lines
    else:
        far = u + v > 1
        np.subtract(1, u, out=u, where=far)
        np.subtract(1, v, out=v, where=far)
        u *= u
        v *= v
        u += v
        distance = np.sqrt(u, out=u)
        distance -= 0.5
        np.abs(distance, out=distance)
        distance *= lines
    wave = cosine(distance)
    wave *= 0.5
    wave += 0.5
    return wave


@TILES.rule(
    weight=1.1, frequency=log(1.0, 3.0), dense=linear(0.4, 0.6), kinds=whole(2, 9), seed=SEED
)
def glyphs(
    x: np.ndarray, y: np.ndarray, frequency: float, dense: float, kinds: int, seed: int
) -> np.ndarray:
    """Write letters of an unknown script: 5 x 5 dots, left and right alike, on spaced lines."""
    ix, iy, u, v = cells(x * frequency, y * frequency)
    u *= 7
    v *= 7
    du, dv = u.astype(np.int32), v.astype(np.int32)
    letter = (randoms(lookup(ix, iy, seed)) * kinds).astype(np.int32)
    side = np.abs(du - 3)
    ink = randoms(lookup(side + letter * 5, dv + letter, seed + 77))
    on = (ink < dense) & (side < 3) & (dv > 0) & (dv < 6)
    value = randoms(lookup(ix, iy, seed), 1)
    value *= 0.3
    value += 0.7
    value *= on
    return value


@TILES.rule(
    weight=1.1, frequency=log(0.6, 1.6), levels=whole(2, 4), gap=linear(0.01, 0.05), seed=SEED
)
def plots(
    x: np.ndarray, y: np.ndarray, frequency: float, levels: int, gap: float, seed: int
) -> np.ndarray:
    """Divide squares into four again and again, by chance: a map of fields, a circuit."""
    f = frequency
    value, border = None, None
    for level in range(levels + 1):
        ix, iy, u, v = cells(x * f, y * f)
        where = lookup(ix, iy, seed + 311 * level)
        u -= 0.5
        v -= 0.5
        np.abs(u, out=u)
        np.abs(v, out=v)
        np.maximum(u, v, out=u)
        np.subtract(0.5, u, out=u)
        u *= 1 / f
        shade = randoms(where, 1)
        if value is None or border is None:
            value, border = shade, u
            divided = randoms(where) < 0.85
        else:
            np.copyto(value, shade, where=divided)
            np.copyto(border, u, where=divided)
            divided &= randoms(where) < 0.55
        f *= 2
    assert value is not None and border is not None
    border -= gap
    value *= edge(border, 0.02)
    return value


@TILES.rule(weight=0.8, frequency=log(1.5, 5.0), rim=linear(0.04, 0.2), seed=SEED)
def hexes(x: np.ndarray, y: np.ndarray, frequency: float, rim: float, seed: int) -> np.ndarray:
    """Pave with hexagons of random brightness."""
    # Two lattices of rectangles 1 by √3, offset by half; the nearer centre owns the point.
    fx, fy = x * frequency, y * (frequency / 1.7320508)
    ax, ay = np.rint(fx), np.rint(fy)
    bx, by = np.floor(fx), np.floor(fy)
    ux, uy = fx - ax, fy - ay
    wx, wy = fx - bx, fy - by
    uy *= 1.7320508
    wx -= 0.5
    wy -= 0.5
    wy *= 1.7320508
    second = wx * wx + wy * wy < ux * ux + uy * uy
    np.copyto(ux, wx, where=second)
    np.copyto(uy, wy, where=second)
    np.copyto(ax, bx, where=second)
    np.copyto(ay, by + 61, where=second)
    shade = randoms(lookup(ax.astype(np.int32), ay.astype(np.int32), seed))
    np.abs(ux, out=ux)
    np.abs(uy, out=uy)
    uy *= 0.8660254
    uy += ux * 0.5
    np.maximum(ux, uy, out=ux)
    inside = edge(np.subtract(0.5 - 0.5 * rim, ux, out=ux), 0.05)
    shade *= 0.8
    shade += 0.2
    inside *= shade
    return inside


@TILES.rule(weight=0.7, frequency=log(1.5, 5.0), width=linear(0.5, 0.85), seed=SEED)
def weave(x: np.ndarray, y: np.ndarray, frequency: float, width: float, seed: int) -> np.ndarray:
    """Weave bands over and under each other, each of its own brightness."""
    ix, iy, u, v = cells(x * frequency, y * frequency)
    u -= 0.5
    v -= 0.5
    np.abs(u, out=u)
    np.abs(v, out=v)
    over = (ix + iy & 1).astype(bool)
    zero = np.zeros_like(ix)
    warp_, weft = randoms(lookup(ix, zero, seed)), randoms(lookup(zero, iy, seed + 99), 1)
    value = np.full_like(x, 0.05)
    half = width / 2
    in_warp, in_weft = u < half, v < half
    # A band is bright where it lies on top, in the middle of the tile, and dark where it dives.
    for band, inside, along in ((warp_, in_warp & ~over, v), (weft, in_weft & over, u)):
        shade = along * -1.1
        shade += 1.0
        shade *= band * 0.8 + 0.2
        np.copyto(value, shade, where=inside)
    np.copyto(value, weft * 0.5 + 0.1, where=in_weft & ~in_warp & ~over)
    np.copyto(value, warp_ * 0.5 + 0.1, where=in_warp & ~in_weft & over)
    return value


@TILES.rule(weight=0.6, frequency=log(1.5, 4.0), seed=SEED, bars=whole(0, 1))
def towers(x: np.ndarray, y: np.ndarray, frequency: float, seed: int, bars: int) -> np.ndarray:
    """Build columns of random height with windows, or a bar chart."""
    fx = x * frequency
    column = np.floor(fx)
    fx -= column
    number = column.astype(np.int32)
    where = lookup(number, number * 3, seed)
    height = randoms(where)
    height *= 1.6
    height -= 0.8
    inside = (y > height) & (np.abs(fx - 0.5) < 0.45)
    body = randoms(where, 1)
    body *= 0.35
    body += 0.1
    if not bars:
        wx, wy = fx * 5, y * (5 * frequency)
        storey = np.floor(wy).astype(np.int32)
        lit = randoms(lookup(wx.astype(np.int32) + number * 5, storey, seed + 9))
        frame = (np.abs(fraction(wx) - 0.5) < 0.3) & (np.abs(fraction(wy) - 0.5) < 0.3)
        np.copyto(body, lit * 0.6 + 0.4, where=frame & (lit > 0.45))
    body *= inside
    return body


@TILES.rule(
    weight=0.6, frequency=log(1.5, 5.0), levels=whole(1, 2), size=log(0.01, 0.05), seed=SEED
)
def stars(
    x: np.ndarray, y: np.ndarray, frequency: float, levels: int, size: float, seed: int
) -> np.ndarray:
    """Set points of light, each with a glow and a cross of rays."""
    total, f = np.zeros_like(x), frequency
    for level in range(levels):
        ix, iy, u, v = cells(x * f, y * f)
        where = lookup(ix, iy, seed + 401 * level)
        u -= 0.3
        v -= 0.3
        u -= randoms(where, 0) * 0.4
        v -= randoms(where, 1) * 0.4
        np.abs(u, out=u)
        np.abs(v, out=v)
        cross = u * v
        cross *= 25
        reach = np.maximum(u, v)
        u *= u
        v *= v
        u += v
        u += cross
        u += 0.004
        glow = randoms(where, 2)
        glow *= size * 2
        glow /= u
        # The light ends inside its own cell.
        glow *= edge(np.subtract(0.26, reach, out=reach), 0.1)
        total += glow
        f *= 2.1
    return np.minimum(total, 1.2, out=total)
