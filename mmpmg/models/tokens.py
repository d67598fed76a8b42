"""The token grid: how a clip is cut into tubelets, and how tubelets become a clip again."""

from __future__ import annotations

import torch
from torch import Tensor

TokenShape = tuple[int, int, int]
Grid = tuple[int, int, int]


def token_grid(clip_shape: tuple[int, int, int], token_shape: TokenShape) -> Grid:
    """Number of tokens along time, height and width.

    Args:
        clip_shape: (T, H, W) of the clip, in frames and pixels.
        token_shape: (frames, rows, columns) of one token; VideoMAE's is (2, 16, 16).

    Returns:
        (t, h, w); N = t * h * w tokens in this order, w fastest.

    Raises:
        ValueError: A side of the clip is not a multiple of the token's side.

    >>> token_grid((16, 224, 224), (2, 16, 16))
    (8, 14, 14)
    """
    names = ("clip length (num_frames)", "image height", "image width")
    keys = ("tubelet_size", "patch_size", "patch_size")
    for name, key, size, step in zip(names, keys, clip_shape, token_shape, strict=True):
        if size < step or size % step:
            lower, upper = size // step * step, (size // step + 1) * step
            nearest = f"{lower} or {upper}" if lower else f"{upper}"
            raise ValueError(
                f"{name} {size} is not a positive multiple of {key}={step}; use {nearest} in the "
                f"recipe's pipeline and model.backbone, or change model.backbone.{key}"
            )
    t, h, w = (size // step for size, step in zip(clip_shape, token_shape, strict=True))
    return t, h, w


def _unfold(clip: Tensor, token_shape: TokenShape) -> Tensor:
    """View a clip as its token grid, without copying a pixel."""
    batch, channels, *size = clip.shape
    t, h, w = token_grid((size[0], size[1], size[2]), token_shape)
    dt, dh, dw = token_shape
    # [B, C, T, H, W] -> [B, C, t, dt, h, dh, w, dw] -> [B, t, h, w, C, dt, dh, dw]
    view = clip.reshape(batch, channels, t, dt, h, dh, w, dw)
    return view.permute(0, 2, 4, 6, 1, 3, 5, 7)


def patchify(clip: Tensor, token_shape: TokenShape) -> Tensor:
    """Cut a clip into tokens.

    Args:
        clip: (B, C, T, H, W).
        token_shape: (dt, dh, dw) of one token.

    Returns:
        (B, N, dt * dh * dw, C): tokens in (t, h, w) order; inside a token the pixels in (time,
        row, column) order with the colour channel last, as VideoMAE flattens them. In memory each
        token has its colours one after the other, so that means over pixels read on and a
        convolution's weights fit as they are.
    """
    # [B, t, h, w, C, dt, dh, dw] -> [B, N, C, dt*dh*dw] -> [B, N, dt*dh*dw, C]
    return _unfold(clip, token_shape).flatten(5).flatten(1, 3).transpose(2, 3)


def tokens_at(clip: Tensor, index: Tensor, token_shape: TokenShape) -> Tensor:
    """Cut only the named tokens: ``patchify(clip)[b, index[b]]``, reading no other pixel.

    Args:
        clip: (B, C, T, H, W).
        index: (B, K) int64 token numbers in [0, N).
        token_shape: (dt, dh, dw) of one token.

    Returns:
        (B, K, dt * dh * dw, C), in memory as `patchify` has it.
    """
    view = _unfold(clip, token_shape)
    height, width = view.shape[2:4]
    batch = torch.arange(len(clip), device=index.device).unsqueeze(1)
    # [B, t, h, w, ...] at [B, K] -> [B, K, C, dt, dh, dw]
    picked = view[batch, index // (height * width), index // width % height, index % width]
    return picked.flatten(3).transpose(2, 3)


def unpatchify(tokens: Tensor, grid: Grid, token_shape: TokenShape) -> Tensor:
    """Inverse of :func:`patchify`.

    Args:
        tokens: (B, N, dt * dh * dw, C) or (B, N, dt * dh * dw * C).
        grid: (t, h, w) with t * h * w = N.
        token_shape: (dt, dh, dw) of one token.

    Returns:
        (B, C, T, H, W).
    """
    (t, h, w), (dt, dh, dw) = grid, token_shape
    view = tokens.reshape(len(tokens), t, h, w, dt, dh, dw, -1)
    # [B, t, h, w, dt, dh, dw, C] -> [B, C, t, dt, h, dh, w, dw] -> [B, C, T, H, W]
    view = view.permute(0, 7, 1, 4, 2, 5, 3, 6)
    return view.reshape(len(tokens), -1, t * dt, h * dh, w * dw)


def split_tokens(mask: Tensor, num_masked: int) -> tuple[Tensor, Tensor]:
    """Turn a mask into token numbers, without waiting for the device.

    Args:
        mask: (B, N) bool, True = masked, exactly ``num_masked`` True in every row.
        num_masked: K, known on the host: asking the device for it would stall the step.

    Returns:
        ``visible`` (B, N - K) and ``masked`` (B, K), int64, ascending.

    >>> visible, masked = split_tokens(torch.tensor([[True, False, False, True]]), num_masked=2)
    >>> visible.tolist(), masked.tolist()
    ([[1, 2]], [[0, 3]])
    """
    # A stable sort of {0, 1} lists the visible tokens first and keeps both groups in order.
    order = mask.to(torch.uint8).argsort(dim=1, stable=True)
    num_visible = mask.shape[1] - num_masked
    return order[:, :num_visible], order[:, num_visible:]


def first_tokens(priority: Tensor, noise: Tensor, count: int) -> Tensor:
    """Choose exactly ``count`` tokens of each sample: by priority, then by chance.

    Args:
        priority: (B, N) integers from 0 to 3; the lowest go first.
        noise: (B, N) int64 random numbers, which decide among equals.
        count: How many, known on the host.

    Returns:
        (B, count) int64 token numbers, ascending.
    """
    # The two top bits below the sign are the priority's, the others the noise's.
    key = (priority.to(torch.int64) << 61) | (noise & ((1 << 61) - 1))
    return key.argsort(dim=1)[:, :count].sort(dim=1).values
