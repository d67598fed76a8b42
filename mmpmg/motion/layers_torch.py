"""Lay the parts of layered motions over a batch of clips, on their device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .color_torch import ColorChanges
from .layer import Layer
from .matte_torch import draw_mattes
from .motion import Motion
from .transfer_torch import to_device
from .warp_torch import Warp


def parts_at_depth(motions: Sequence[Motion], depth: int) -> list[tuple[int, Layer]]:
    """Return (place in the batch, layer) of every motion that has a layer so far up."""
    return [(b, m.layers[depth]) for b, m in enumerate(motions) if len(m.layers) > depth]


def part_warp(layers: Sequence[Layer], device: torch.device, colored: bool = True) -> Warp:
    """Return how a batch of layers is resampled, or (not ``colored``) their mattes alone."""
    motions = [layer.motion for layer in layers]
    warp = Warp(motions, np.stack([motion.homographies for motion in motions]), device)
    if not colored:
        warp.fill = None  # a matte is 0 outside, whatever the border
    return warp


def lay_parts(
    clips: Tensor, motions: Sequence[Motion], partners: Tensor | None, chunks: Sequence[slice]
) -> None:
    """Composite all layers, back to front, in place.

    A part's colours and its matte are rounded to 8 bits before they are laid over the frame, as the
    OpenCV renderer rounds them.

    Args:
        clips: (B, 3, T, H, W) uint8, the backgrounds.
        motions: B of them.
        partners: (B, P, 3, H, W) uint8; None if no motion has layers.
        chunks: The frames in portions that memory has room for.
    """
    if partners is None:
        return
    device = clips.device
    for depth in range(max(len(motion.layers) for motion in motions)):
        parts = parts_at_depth(motions, depth)
        layers = [layer for _, layer in parts]
        rows = to_device([b for b, _ in parts], device, torch.int64)
        places = [motions[b].layer_partner(layer) for b, layer in parts]
        images = partners[rows, to_device(places, device, torch.int64)].float()
        mattes = draw_mattes([layer.matte for layer in layers], motions[0].size, device)
        source = torch.cat((images, mattes[:, None]), 1)
        warp = part_warp(layers, device)
        colors = ColorChanges([m.color_ops for m in (layer.motion for layer in layers)],
                              [layer.motion.color for layer in layers], device)  # fmt: skip
        for frames in chunks:
            part, alpha = warp(source, warp.points(frames)).split((3, 1), 1)
            part = colors(part, frames)
            below = clips[rows, :, frames].float()
            # Whole numbers below 2^24 until the division, whose result is never half a level.
            mixed = (alpha * part + (255.0 - alpha) * below).div_(255.0).round_()
            clips[rows, :, frames] = mixed.to(torch.uint8)
