"""The orbit of an iterated function system, all of it at once, as a loop would visit it.

A loop goes x <- M[s_0] x, x <- M[s_1] x, ... Affine maps compose to affine maps, so the sequence
of symbols is cut into chunks, every chunk is composed to one map, a short loop finds where each
chunk starts, and all chunks are then replayed side by side. The sequence is walked in words of a
few symbols, whose composed maps stand in a table.
"""

from __future__ import annotations

import cv2
import numpy as np

_LARGEST_TABLE = 4096  # composed words; larger ones fall out of the cache
_BLOCK = 4096  # points of a block that is replayed while it is in the cache


def orbit(maps: np.ndarray, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Visit the points that start at the origin and follow a sequence of maps.

    Additions and multiplications only, one NumPy call for each, so that every machine finds the
    same bits; a plain loop finds them up to rounding.

    Args:
        maps: (N, 6) float64, N at most 16: rows (a, b, c, d, e, f) of
            (x, y) -> (a x + b y + e, c x + d y + f).
        symbols: (P,) uint8, which map comes next; P at least 1. The last one is not followed.

    Returns:
        x and y of P points, the origin first, as [position in a word, word, chunk] float64.
        `in_sequence` brings such arrays into the order of the loop; what is left over at their end
        repeats the origin. Points of a system that expands may be infinite or NaN.
    """
    count, length = len(maps), len(symbols)
    chunks = max(1, min(768, length // 32))
    word = 1
    while count ** (word + 1) <= min(_LARGEST_TABLE, length // 48):
        word += 1
    words = -(-length // (chunks * word))
    padded = np.zeros(chunks * words * word, np.uint8)
    padded[:length] = symbols
    # [chunk, word, position] -> [position, word, chunk]
    steps = np.ascontiguousarray(padded.reshape(chunks, words, word).transpose(2, 1, 0))
    x, y = np.empty((2, *steps.shape))
    _word_starts(maps, steps, x[0], y[0])
    _replay(maps, steps, x, y)
    left_over = np.unravel_index(np.arange(length, padded.size), (chunks, words, word))
    x[left_over[::-1]] = y[left_over[::-1]] = 0
    return x, y


def in_sequence(values: np.ndarray, length: int) -> np.ndarray:
    """Bring what belongs to the points of an `orbit` into the order in which a loop visits them.

    Args:
        values: [position in a word, word, chunk].
        length: how many points were asked for.

    Returns:
        (length,)
    """
    return values.transpose(2, 1, 0).reshape(-1)[:length]


def _compose(outer: list[np.ndarray], inner: list[np.ndarray]) -> list[np.ndarray]:
    """Compose affine maps (a, b, c, d, e, f), ``inner`` first."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return [
        a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s,
        a * t + b * u + e, c * t + d * u + f,
    ]  # fmt: skip


def _word_starts(maps: np.ndarray, steps: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Fill in the point at which every word starts; ``x`` and ``y`` are (words, chunks)."""
    words, chunks = x.shape
    identity = [np.array([value]) for value in (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)]
    table, index = identity, np.zeros((words, chunks), np.intp)
    for symbols in steps:
        table = [
            v.ravel() for v in _compose([m[None] for m in maps.T], [v[:, None] for v in table])
        ]
        index *= len(maps)
        index += symbols

    whole = identity
    for row in index:
        whole = _compose([v[row] for v in table], whole)
    # The only loop over points: one for each chunk.
    px = py = 0.0
    starts = []
    for a, b, c, d, e, f in zip(*(v.tolist() for v in np.broadcast_arrays(*whole)), strict=True):
        starts.append((px, py))
        px, py = a * px + b * py + e, c * px + d * py + f
    x[0], y[0] = np.array(starts).T
    for k in range(words - 1):
        coefficients = [v[index[k]] for v in table]
        _apply(coefficients, x[k], y[k], x[k + 1], y[k + 1])


def _replay(maps: np.ndarray, steps: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """Fill in the other points of every word from its first, symbol by symbol."""
    tables = np.zeros((6, 1, 256))
    tables[:, 0, : len(maps)] = maps.T
    rows = max(1, _BLOCK // x.shape[2])
    for first in range(0, x.shape[1], rows):
        block = slice(first, first + rows)
        for k in range(len(steps) - 1):
            coefficients = [cv2.LUT(steps[k, block], table) for table in tables]
            _apply(coefficients, x[k, block], y[k, block], x[k + 1, block], y[k + 1, block])


def _apply(
    coefficients: list[np.ndarray], x: np.ndarray, y: np.ndarray, to_x: np.ndarray, to_y: np.ndarray
) -> None:
    """Send points through their maps; the coefficients are used up."""
    a, b, c, d, e, f = coefficients
    np.multiply(a, x, out=to_x)
    to_x += np.multiply(b, y, out=b)
    to_x += e
    np.multiply(c, x, out=to_y)
    to_y += np.multiply(d, y, out=d)
    to_y += f
