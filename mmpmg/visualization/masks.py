"""Which tokens of a clip are hidden, drawn on its frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .labels import Picture

TINT = np.array((58, 78, 120), dtype=np.float32)
OPACITY = 0.72


def pixel_mask(
    mask: npt.NDArray[np.bool_], clip_shape: tuple[int, int, int], token_shape: tuple[int, int, int]
) -> npt.NDArray[np.bool_]:
    """Spread a mask over tokens to a mask over pixels.

    Args:
        mask: (N,) bool in (t, h, w) order, True = masked.
        clip_shape: (T, H, W) of the clip.
        token_shape: (frames, rows, columns) of a token.

    Returns:
        (T, H, W) bool.

    Raises:
        ValueError: The mask has not as many tokens as the clip.
    """
    grid = tuple(size // step for size, step in zip(clip_shape, token_shape, strict=True))
    exact = all(g * step == s for g, step, s in zip(grid, token_shape, clip_shape, strict=True))
    if not exact or mask.shape != (int(np.prod(grid)),):
        raise ValueError(
            f"a mask of shape {mask.shape} does not fit a clip of (T, H, W) = {clip_shape} with "
            f"tokens of {token_shape}, which has a grid of {grid}"
        )
    spread = np.asarray(mask, dtype=bool).reshape(grid)
    for axis, step in enumerate(token_shape):
        spread = spread.repeat(step, axis=axis)
    return spread


def overlay_mask(
    clip: Picture, mask: npt.NDArray[np.bool_], token_shape: tuple[int, int, int]
) -> Picture:
    """Veil the masked tokens: the frame shines through, grey and tinted; visible ones stay.

    Args:
        clip: (T, H, W, 3) uint8.
        mask: (N,) bool in (t, h, w) order, True = masked.
        token_shape: (frames, rows, columns) of a token.

    Returns:
        (T, H, W, 3) uint8, a new array; pixels of visible tokens are those of the clip.
    """
    hidden = pixel_mask(mask, (clip.shape[0], clip.shape[1], clip.shape[2]), token_shape)
    grey = clip.astype(np.float32).mean(axis=3, keepdims=True)
    veiled = (1 - OPACITY) * grey + OPACITY * TINT
    # The rim of each token is darker, so that neighbours can be told apart and counted.
    rows, columns = np.ogrid[: clip.shape[1], : clip.shape[2]]
    rim = (rows % token_shape[1] == 0) | (columns % token_shape[2] == 0)
    veiled[:, rim] *= 0.7
    return np.where(hidden[..., None], veiled.round().astype(np.uint8), clip)


def hide_masked(
    clip: Picture,
    mask: npt.NDArray[np.bool_],
    token_shape: tuple[int, int, int],
    fill: int = 128,
) -> Picture:
    """Paint the masked tokens plain grey: what the encoder is given, and nothing more.

    Args:
        clip: (T, H, W, 3) uint8.
        mask: (N,) bool in (t, h, w) order, True = masked.
        token_shape: (frames, rows, columns) of a token.
        fill: Grey level in [0, 255].

    Returns:
        (T, H, W, 3) uint8, a new array.
    """
    hidden = pixel_mask(mask, (clip.shape[0], clip.shape[1], clip.shape[2]), token_shape)
    return np.where(hidden[..., None], np.uint8(fill), clip)
