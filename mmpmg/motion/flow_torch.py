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
from .follow_torch import Follower
from .layers_torch import parts_at_depth
from .motion import Motion
from .owners_torch import Owners
from .transfer_torch import to_device


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
        covisible (B, T-1, H, W) bool, True where the point of frame k is also seen in frame k + 1;
        see `Motion.flow` and `Motion.covisible`.

    Raises:
        ValueError: No motion, or motions that differ in length or size.
    """
    num_frames, (height, width) = check_alike(motions)
    device = torch.device(device)
    shape = (len(motions), num_frames - 1, height, width)
    flow = torch.empty((*shape, 2), dtype=torch.float32, device=device)
    covisible = torch.empty(shape, dtype=torch.bool, device=device)
    with torch.autocast(device.type, enabled=False):
        background = Follower(motions, device)
        layers = _Layers(motions, device)
        pastes = _Pastes(motions, device)
        x, y = background.x, background.y
        for k in range(num_frames - 1):
            u, v, seen = layers.follow(*background(k), k)
            u, v, seen = pastes.follow(u, v, seen, x, y, k)
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


def _inside(u: Tensor, v: Tensor, height: int, width: int) -> Tensor:
    return (u >= -RIM) & (u <= width - 1 + RIM) & (v >= -RIM) & (v <= height - 1 + RIM)


class _Layers:
    """The parts of a batch: each carries the pixels where it is the one seen."""

    def __init__(self, motions: Sequence[Motion], device: torch.device) -> None:
        self.depths: list[tuple[Tensor, Follower]] = []
        for depth in range(max(len(motion.layers) for motion in motions)):
            parts = parts_at_depth(motions, depth)
            rows = to_device([b for b, _ in parts], device, torch.int64)
            self.depths.append((rows, Follower([layer.motion for _, layer in parts], device)))
        self.owners = Owners(motions, device) if self.depths else None

    def follow(self, u: Tensor, v: Tensor, seen: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Let the parts carry what is theirs, and hide what passes from one to another."""
        if self.owners is None:
            return u, v, seen
        topmost = self.owners.topmost[:, k]
        for depth, (rows, follower) in enumerate(self.depths):
            mine = topmost.index_select(0, rows) == depth
            u, v, seen = (
                whole.index_copy(0, rows, torch.where(mine, part, whole.index_select(0, rows)))
                for whole, part in zip((u, v, seen), follower(k), strict=True)
            )
        return u, v, seen & self.owners.same(k, u, v)


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
        self.corners = to_device(corners, device, torch.float64)[..., None, None]
        self.sides = to_device(sides, device, torch.float64)[..., None, None]

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
