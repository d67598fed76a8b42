"""Exact flow and visibility of a whole batch on its device: what a motion says, computed there.

The same numbers as `Motion.flow` and `Motion.covisible`, in float64 up to the last rounding, one
pair of frames of the whole batch at a time. Fifteen fields of 224 x 224 are 6 MB a clip: computed
where the model is they cross no process boundary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .displacement import RIM
from .motion import Motion


@torch.no_grad()
def flow_batch(
    motions: Sequence[Motion], device: torch.device | str = "cpu"
) -> tuple[Tensor, Tensor]:
    """Compute the flow of a batch of motions.

    Args:
        motions: B of them, of one length T and size (H, W); families may differ.
        device: Where it is wanted. Nothing is copied back from there, so it never waits.

    Returns:
        flow (B, T-1, H, W, 2) float32, displacements (dx, dy) in pixels, frame k to k + 1, and
        covisible (B, T-1, H, W) bool, True where the point of frame k is also seen in frame k + 1.

    Raises:
        ValueError: No motion, or motions that differ in length or size.
    """
    num_frames, (height, width) = check_alike(motions)
    device = torch.device(device)
    shape = (len(motions), num_frames - 1, height, width)
    flow = torch.empty((*shape, 2), dtype=torch.float32, device=device)
    covisible = torch.empty(shape, dtype=torch.bool, device=device)
    x = torch.arange(width, dtype=torch.float64, device=device)
    y = torch.arange(height, dtype=torch.float64, device=device)[:, None]
    steps = torch.from_numpy(_steps(motions)).to(device)
    pastes = _Pastes(motions, device)
    for k in range(num_frames - 1):
        u, v, ahead = _follow(steps[:, k], x, y)
        u, v, seen = pastes.follow(u, v, ahead, x, y, k)
        covisible[:, k] = seen & _inside(u, v, height, width)
        flow[:, k, ..., 0] = u - x
        flow[:, k, ..., 1] = v - y
    return flow, covisible


def check_alike(motions: Sequence[Motion]) -> tuple[int, tuple[int, int]]:
    """Return (T, (H, W)) of motions that make one batch, or say what is wrong with them."""
    shapes = dict.fromkeys((motion.num_frames, motion.size) for motion in motions)
    if len(shapes) != 1:
        raise ValueError(
            f"a batch needs motions of one length and size, got (T, (H, W)) = {list(shapes)}"
        )
    return next(iter(shapes))


def _steps(motions: Sequence[Motion]) -> np.ndarray:
    """(B, T-1, 3, 3): pixel of frame k to pixel of frame k + 1."""
    homographies = np.stack([motion.homographies for motion in motions])
    before, after = homographies[:, :-1], homographies[:, 1:]
    steps = np.linalg.solve(after, before)
    # Unmoved frames must have a flow of exactly zero, not of 1e-16.
    steps[(before == after).all(axis=(2, 3))] = np.eye(3)
    return steps


def _follow(steps: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Map every pixel by (B, 3, 3); return u, v (B, H, W) and whether it is before the horizon.

    Behind it the pixel's own position stands for none.
    """
    # [B, 3, 3, 1, 1]: three planes, sums of a column and a row instead of a product per pixel
    s = steps[..., None, None]
    planes = s[:, :, 0] * x + s[:, :, 1] * y + s[:, :, 2]
    ahead = planes[:, 2] > 0
    w = planes[:, 2].masked_fill(~ahead, 1.0)
    u = torch.where(ahead, planes[:, 0] / w, x)
    v = torch.where(ahead, planes[:, 1] / w, y)
    return u, v, ahead


def _inside(u: Tensor, v: Tensor, height: int, width: int) -> Tensor:
    return (u >= -RIM) & (u <= width - 1 + RIM) & (v >= -RIM) & (v <= height - 1 + RIM)


class _Pastes:
    """The pasted rectangles of a batch; samples without one have an empty one."""

    def __init__(self, motions: Sequence[Motion], device: torch.device) -> None:
        self.any = any(motion.paste is not None for motion in motions)
        if not self.any:
            return
        corners = np.zeros((len(motions), motions[0].num_frames, 2))
        sides = np.full((len(motions), 2), -np.inf)
        for b, motion in enumerate(motions):
            if motion.paste is not None:
                corners[b], sides[b] = motion.paste.positions, motion.paste.source[2:]
        # [2 or B, ...] with two axes to spread over a frame
        self.corners = torch.from_numpy(corners).to(device)[..., None, None]
        self.sides = torch.from_numpy(sides).to(device)[..., None, None]

    def follow(
        self, u: Tensor, v: Tensor, seen: Tensor, x: Tensor, y: Tensor, k: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Let the rectangle carry what it covers, and hide what it moves over."""
        if not self.any:
            return u, v, seen
        (left, top), (w, h) = self.corners[:, k].unbind(1), self.sides.unbind(1)
        (next_left, next_top) = self.corners[:, k + 1].unbind(1)
        carried = (x >= left) & (x < left + w) & (y >= top) & (y < top + h)
        # A point beside the next place by less than a pixel would be interpolated with it.
        hidden = (u > next_left - 1) & (u < next_left + w)
        hidden = hidden & (v > next_top - 1) & (v < next_top + h)
        u = torch.where(carried, x + (next_left - left), u)
        v = torch.where(carried, y + (next_top - top), v)
        return u, v, carried | (seen & ~hidden)
