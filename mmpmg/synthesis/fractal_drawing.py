"""Drawing an orbit: scaled into the picture, each point a 3 x 3 patch over what was there before.

FractalDB (Kataoka et al., ACCV 2020) pastes one patch a point, its dark pixels included, so that a
later point wipes out what earlier ones left. The last point that covers a pixel therefore decides
it, and the whole picture follows from one array: the number of the last point at every pixel.
"""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np

from .fractal_orbit import in_sequence
from .scratch import Scratch

#: How points are coloured; see `draw_patches`.
COLORS = ("grey", "iteration", "map")

_GREY = 127  # FractalDB's
_HUES = 128
_MARGIN = 6
_SCRATCH = Scratch()
_NEVER = -(2**30)


def cells(values: np.ndarray, side: int, out: np.ndarray | None = None) -> np.ndarray:
    """Scale one coordinate of an orbit to pixels: its range to the side, less a margin of 6.

    Args:
        values: float64 of two or more axes, finite, not all alike.
        side: pixels. A side below 48 has a margin of an eighth.
        out: int32 array of the same shape for the result.

    Returns:
        The same shape, int32, in [margin, side - margin].
    """
    low, high = values.min(), values.max()
    margin = min(_MARGIN, side // 8)
    pixels = np.empty(values.shape, np.int32) if out is None else out
    for part, whole in zip(values, pixels, strict=True):  # by parts, for the cache
        scaled = np.subtract(part, low)
        scaled /= high - low
        scaled *= side - 2 * margin
        scaled += margin
        whole[...] = scaled
    return pixels


def filled_rate(x: np.ndarray, y: np.ndarray, side: int) -> float:
    """Measure the share of pixels that hold a point.

    Args:
        x: float64, any shape.
        y: the same shape.
        side: of the picture, in pixels.

    Returns:
        In [0, 1]; 0 for points that run away or lie on one horizontal or vertical line.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        spread = (np.ptp(x), np.ptp(y))
    if not all(0 < s < np.inf for s in spread):
        return 0.0
    filled = np.zeros((side + 1) * side, bool)
    filled[cells(y[None], side) * side + cells(x[None], side)] = True
    return np.count_nonzero(filled) / side**2


def draw_patches(
    x: np.ndarray,
    y: np.ndarray,
    symbols: np.ndarray,
    patch: int,
    size: tuple[int, int],
    color: str,
) -> np.ndarray:
    """Paste a patch at every point, in the order of the orbit.

    Args:
        x: of an `orbit`.
        y: of the same.
        symbols: (P,) uint8, those of the orbit.
        patch: which of the 3 x 3 pixels shine, [1, 511]; the highest bit is the first pixel.
        size: (height, width) in pixels.
        color: ``"grey"``: 127; ``"iteration"``: hue by the number of the point, 128 hues round
            and round (FractalDB's colour); ``"map"``: hue by the map that led to the point, so
            that the copies which make up the fractal are told apart.

    Returns:
        (H, W, 3) uint8 RGB, black where nothing shines, y upwards.
    """
    height, width = size
    stride = width + 4
    pixels = cells(y, height, _SCRATCH.take("pixels", x.shape, np.int32))
    pixels *= stride
    pixels += cells(x, width, _SCRATCH.take("columns", x.shape, np.int32))
    places = _SCRATCH.take("places", (len(symbols),), np.intp)
    places[...] = in_sequence(pixels, len(symbols))
    # Twice the number of the last point at each pixel; NumPy lets the last of repeated ones win.
    last, shining, cover = _SCRATCH.take("pictures", (3, height + 4, stride), np.int32)
    last[...] = cover[...] = _NEVER
    last.reshape(-1)[places] = _even(len(symbols))
    # The last bit says whether the patch shines there: the largest sum is the last point's.
    np.bitwise_or(last, 1, out=shining)
    # A point's patch covers the pixels (+1, +1) to (+3, +3) from it; the picture starts at (0, 0).
    for k in range(9):
        row, column = 1 + k // 3, 1 + k % 3
        source = shining if patch >> (8 - k) & 1 else last
        covered = cover[row:, column:]
        np.maximum(covered, source[: height + 4 - row, : stride - column], out=covered)
    cover = cover[height - 1 :: -1, :width]
    lit = (cover > 0) & (cover & 1).astype(bool)
    if color == "grey":
        grey = lit * np.uint8(_GREY)
        return np.asarray(cv2.merge([grey, grey, grey]))
    point = np.maximum(cover, 0) >> 1
    if color == "iteration":
        hue = point % _HUES
    else:
        hue = symbols[np.maximum(point - 1, 0)].astype(np.intp) * 37 % _HUES
    return _palette()[hue] * lit[..., None]


@lru_cache(maxsize=4)
def _even(count: int) -> np.ndarray:
    return np.arange(0, 2 * count, 2, dtype=np.int32)


@cache
def _palette() -> np.ndarray:
    """Return the 128 hues at saturation and value .75, (128, 3) uint8."""
    sixths = np.arange(_HUES) * 6 / _HUES
    # Red falls over the second sixth and rises over the fifth; green and blue follow by thirds.
    wave = [np.abs((sixths + shift) % 6 - 3) - 1 for shift in (0, 4, 2)]
    value = 0.75 * (0.25 + 0.75 * np.clip(np.stack(wave, -1), 0, 1))
    return (value * 255).astype(np.uint8)
