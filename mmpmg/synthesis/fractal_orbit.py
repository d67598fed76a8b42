"""The orbit of an iterated function system, all of it at once, as a loop would visit it.

A loop goes x <- M[s_0] x, x <- M[s_1] x, ... Affine maps compose to affine maps, so the sequence
of symbols is cut into chunks, every chunk is composed to one map, a short loop finds where each
chunk starts, and all chunks are then replayed side by side. The sequence is walked in words of a
few symbols, whose composed maps stand in a table.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_LARGEST_TABLE = 4096  # composed words; larger ones fall out of the cache
_BLOCK = 8192  # points of a block that is replayed while it is in the cache


def orbit(
    maps: np.ndarray,
    symbols: np.ndarray,
    empty: Callable[[tuple[int, ...]], np.ndarray] = np.empty,
) -> tuple[np.ndarray, np.ndarray]:
    """Visit the points that start at the origin and follow a sequence of maps.

    Additions and multiplications only, one NumPy call for each, so that every machine finds the
    same bits; a plain loop finds them up to rounding.

    Args:
        maps: (N, 6) float64, N at most 16: rows (a, b, c, d, e, f) of
            (x, y) -> (a x + b y + e, c x + d y + f).
        symbols: (P,) uint8, which map comes next; P at least 1. The last one is not followed.
        empty: makes the float64 array that the points are written to.

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
    # [N, 6] -> [3, 2, N]: what x is multiplied by, what y is, and what is added, for either result
    table = np.ascontiguousarray(maps.T.reshape(6, count)[[0, 2, 1, 3, 4, 5]].reshape(3, 2, count))
    points = empty((2, *steps.shape))
    _word_starts(table, steps, points[:, 0])
    _replay(table, steps, points)
    left_over = np.unravel_index(np.arange(length, padded.size), (chunks, words, word))
    points[:, left_over[2], left_over[1], left_over[0]] = 0
    return points[0], points[1]


def in_sequence(values: np.ndarray, length: int) -> np.ndarray:
    """Bring what belongs to the points of an `orbit` into the order in which a loop visits them.

    Args:
        values: [position in a word, word, chunk].
        length: how many points were asked for.

    Returns:
        (length,)
    """
    return values.transpose(2, 1, 0).reshape(-1)[:length]


def _word_starts(table: np.ndarray, steps: np.ndarray, starts: np.ndarray) -> None:
    """Fill in the point at which every word starts, (2, words, chunks)."""
    words, chunks = starts.shape[1:]
    identity = np.array([[[1.0], [0.0]], [[0.0], [1.0]], [[0.0], [0.0]]])
    word_table, index = identity, np.zeros((words, chunks), np.intp)
    for symbols in steps:
        longer = _compose(table[:, :, None], word_table[..., None])
        word_table = longer.reshape(3, 2, -1)
        index *= table.shape[2]
        index += symbols

    whole = identity
    for row in index:
        whole = _compose(word_table.take(row, axis=2), whole)
    # The only loop over points: one for each chunk.
    x = y = 0.0
    first = []
    for a, c, b, d, e, f in whole.reshape(6, -1).T.tolist():
        first.append((x, y))
        x, y = a * x + b * y + e, c * x + d * y + f
    starts[:, 0] = np.array(first).T
    for k in range(words - 1):
        _apply(word_table.take(index[k], axis=2), starts[:, k], starts[:, k + 1])


def _replay(table: np.ndarray, steps: np.ndarray, points: np.ndarray) -> None:
    """Fill in the other points of every word from its first, symbol by symbol."""
    rows = max(1, _BLOCK // points.shape[3])
    for first in range(0, points.shape[2], rows):
        block = slice(first, first + rows)
        for k in range(len(steps) - 1):
            coefficients = table.take(steps[k, block], axis=2)
            _apply(coefficients, points[:, k, block], points[:, k + 1, block])


def _compose(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """Compose affine maps (3, 2, ...), ``inner`` first."""
    both: np.ndarray = outer[0] * inner[:, :1] + outer[1] * inner[:, 1:]
    both[2] += outer[2]
    return both


def _apply(coefficients: np.ndarray, points: np.ndarray, to: np.ndarray) -> None:
    """Send points (2, ...) through their maps (3, 2, ...), which are used up."""
    along_x, along_y, added = coefficients
    np.multiply(along_x, points[0], out=to)
    along_y *= points[1]
    to += along_y
    to += added
