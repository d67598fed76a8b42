"""Is a picture worth drawing: has it structure that can be followed from frame to frame?"""

from __future__ import annotations

import numpy as np

_BLOCK = 7
_SLOPE = 7  # grey levels a pixel that count as structure
_TRACKED = 0.5  # share of the blocks that must have it
_ONE_GREY = 0.55  # share of the pixels that may be of one brightness
_ALIKE = 0.4  # how alike neighbours must be; white noise has 0


def merit(picture: np.ndarray) -> float:
    """Judge a small picture: 1 or more when much of it can be tracked.

    A block of 7 x 7 pixels can be tracked if its brightness changes in both directions, that is if
    the smaller eigenvalue of its structure tensor is not small (Shi and Tomasi 1994). White noise
    has corners everywhere, and none to be found again, so neighbours must also be alike; and a few
    thin lines on an even ground are not enough. Computed in whole numbers: which programs pass
    must not depend on the machine.

    Args:
        picture: (H, W, 3) uint8, with sides of 15 to 512.

    Returns:
        The smallest of three ratios to what is asked for: the share of blocks that can be tracked,
        how alike neighbours are, and the share of pixels off the commonest brightness.
    """
    grey = picture[..., 0].astype(np.int64)
    grey += picture[..., 1]
    grey += picture[..., 2]
    here = grey[:-1, :-1]
    down, right = grey[1:, :-1] - here, grey[:-1, 1:] - here
    a, b, c = (_block_sums(part) for part in (down * down, right * right, down * right))
    enough = (3 * _SLOPE) ** 2 * _BLOCK * _BLOCK  # a grey value is a sum of three
    # Both eigenvalues exceed t exactly if those of (tensor - t) have positive sum and product.
    a, b = a - enough, b - enough
    tracked = int(((a + b > 0) & (a * b > c * c)).sum()) / a.size
    spread = int(np.abs(grey * grey.size - int(grey.sum())).sum()) / grey.size
    jump = int(np.abs(right).sum()) * grey.size / right.size
    alike = 1 - 0.7 * jump / (spread + grey.size)
    varied = 1 - int(np.bincount(grey.ravel() // 12).max()) / grey.size
    return min(tracked / _TRACKED, alike / _ALIKE, varied / (1 - _ONE_GREY))


def _block_sums(values: np.ndarray) -> np.ndarray:
    rows, columns = values.shape[0] // _BLOCK, values.shape[1] // _BLOCK
    whole = values[: rows * _BLOCK, : columns * _BLOCK]
    return whole.reshape(rows, _BLOCK, columns, _BLOCK).sum(axis=(1, 3))
