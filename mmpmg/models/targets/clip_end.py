"""What a field of motion says of the last frames, which have no later frame to be compared with."""

from __future__ import annotations

import torch
from torch import Tensor

CLIP_ENDS = ("earlier", "zero", "leave_out")
"""Allowed values of ``clip_end``, of which `fill_clip_end` has the meaning."""


def fill_clip_end(field: Tensor, missing: int, clip_end: str) -> Tensor:
    """Continue a field of T - g frames to all T of the clip.

    Args:
        field: (B, C, T - g, H, W); frame k holds what happens from frame k to frame k + g.
        missing: g, at least 1.
        clip_end: "earlier": the last g frames hold what happened on the way to them, so frame k
            what stands at k - g; "zero": no motion; "leave_out": NaN, unknown.

    Returns:
        (B, C, T, H, W).
    """
    if clip_end == "earlier":
        end = field[:, :, -missing:]
    else:
        fill = 0.0 if clip_end == "zero" else torch.nan
        end = field.new_full((*field.shape[:2], missing, *field.shape[3:]), fill)
    return torch.cat((field, end), dim=2)


def least_frames(missing: int, clip_end: str) -> int:
    """Length of the shortest clip whose field `fill_clip_end` can continue."""
    return 2 * missing if clip_end == "earlier" else missing + 1
