"""Contours of Visual Atom: circles whose radius waves and trembles, and grows orbit by orbit."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import cv2
import numpy as np

from .uniform_stream import UniformStream

_BLOCK = 8192  # positions that are treated while they are in the cache


def turn_table(parts: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cosine and sine of every fraction k / parts of a turn.

    The machine's own functions differ in the last bit from processor to processor; these are
    Taylor polynomials over an eighth of a turn on either side of zero, right to a few units in the
    last place.

    Args:
        parts: 1 or more.

    Returns:
        Two (parts,) float64.
    """
    turn = np.arange(parts) / parts
    quarter = np.floor(4 * turn + 0.5)
    angle = (turn - quarter / 4) * (2 * math.pi)
    square = angle * angle
    cosine, sine = np.zeros((2, parts))
    for k in range(9, -1, -1):
        cosine = cosine * square + (-1) ** k / math.factorial(2 * k)
        sine = sine * square + (-1) ** k / math.factorial(2 * k + 1)
    sine *= angle
    pick = quarter.astype(np.intp) % 4
    return (
        np.choose(pick, [cosine, -sine, -cosine, sine]),
        np.choose(pick, [sine, cosine, -sine, -cosine]),
    )


def perlin_1d(position: np.ndarray) -> np.ndarray:
    """Interpolate slopes along a line: Perlin's noise as the library behind Visual Atom has it.

    .4 (g0 u (1 - f) + g1 (u - 1) f) with f = 6 u^5 - 15 u^4 + 10 u^3, u the fraction of the
    position; half of the slopes g are -1, the others 1 to 8. Which slope stands at which whole
    number is ours: a fixed shuffle with period 256.

    Args:
        position: float64, 0 or more.

    Returns:
        The same shape, within 1 of zero.
    """
    flat = position.reshape(-1)
    out = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        _perlin_block(flat[block], out[block])
    return out.reshape(position.shape)


def _perlin_block(position: np.ndarray, out: np.ndarray) -> None:
    cell = position.astype(np.int32)
    u = position - cell
    period = cell.astype(np.uint8)[None]  # modulo 256
    left, right = (cv2.LUT(period, table)[0] for table in _slopes())
    fade = u * 6
    fade -= 15
    fade *= u
    fade += 10
    fade *= u
    fade *= u
    fade *= u
    left *= u
    u -= 1
    np.multiply(right, u, out=out)
    out -= left
    out *= fade
    out += left
    out *= 0.4


def contours(
    noise: np.ndarray,
    coefficient: float,
    width: float,
    radius: float,
    waves: tuple[int, int],
    ovals: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Place the vertices of all orbits around the origin.

    The first orbit already moves away from the circle, along cos and sin of its vertex's angle t,
    by c + w - c noise + sin(n1 t) / 2 + sin(n2 t) / 2; every further orbit moves on from the last.

    Args:
        noise: (2, orbits, vertices) Perlin noise for x and for y.
        coefficient: c, of the noise.
        width: w, pixels added to every orbit (the "line width" of the published program).
        radius: of the circle, in pixels.
        waves: n1 and n2, whole numbers of waves around the circle.
        ovals: stretch of the circle along x and y.

    Returns:
        x and y, (orbits, vertices) float64, in pixels of the 512 x 512 picture.
    """
    vertices = noise.shape[2]
    cosine, sine = turn_table(vertices)
    index = np.arange(vertices)
    wave = 0.5 * sine[index * waves[0] % vertices] + 0.5 * sine[index * waves[1] % vertices]
    outward = wave + (coefficient + width)
    moved = []
    for values, direction, oval in zip(noise, (cosine, sine), ovals, strict=True):
        step = np.multiply(values, -coefficient)
        step += outward
        step *= direction
        step[0] += direction * (radius * oval)
        for before, after in pairwise(step):  # twice as fast as cumsum along the first axis
            after += before
        moved.append(step)
    return moved[0], moved[1]


@cache
def _slopes() -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes left and right of the 256 cells, (1, 256) each."""
    values = np.concatenate([np.full(8, -1.0), np.arange(1.0, 9.0)])
    slopes = np.repeat(values, 16)[np.argsort(UniformStream(1).take(256), kind="stable")]
    return slopes[None], np.roll(slopes, -1)[None]
