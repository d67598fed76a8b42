"""Render a whole batch of motions on its device with torch: the renderer behind deferred clips.

The same semantics as `mmpmg.motion.render` (OpenCV), within two grey levels: frames are rounded to
8 bits wherever that renderer rounds, so recursion adds up the same blur on both sides. Which
samples move, change colour or carry a paste is known on the host, so nothing is copied back and the
device never waits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .color_torch import NO_CHANGE, change_color
from .motion import RESAMPLINGS, FloatArray, Motion

_IDENTITY = np.eye(3)


def render_batch(
    images: Tensor, motions: Sequence[Motion], partners: Tensor | None = None
) -> Tensor:
    """Make the clips of a batch.

    Args:
        images: (B, 3, H, W) uint8, the sources; H and W as the motions were sampled for.
        motions: B of them, of one length and size; families, modes and borders may differ.
        partners: (B, 3, H, W) uint8, the second images; needed where a motion pastes one, and
            ignored elsewhere.

    Returns:
        (B, 3, T, H, W) uint8 on the device of the images.

    Raises:
        ValueError: If motions and images do not fit together.
    """
    _check(images, motions, partners)
    clips = images.unsqueeze(2).repeat(1, 1, motions[0].num_frames, 1, 1)
    for resampling in RESAMPLINGS:
        _render_group(clips, images, motions, resampling)
    _stick(clips, motions, partners)
    return clips


def _check(images: Tensor, motions: Sequence[Motion], partners: Tensor | None) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"render_batch: images must be (B, 3, H, W) uint8, got {images.dtype} "
            f"{tuple(images.shape)}"
        )
    if len(motions) != len(images) or not len(motions):
        raise ValueError(f"render_batch: {len(motions)} motions for {len(images)} images")
    size = tuple(images.shape[2:])
    wrong = [m for m in motions if m.size != size or m.num_frames != motions[0].num_frames]
    if wrong:
        raise ValueError(
            f"render_batch: {wrong[0].family} was sampled for {wrong[0].num_frames} frames of "
            f"{wrong[0].size}, the batch has {motions[0].num_frames} frames of {size}"
        )
    pasting = [m.family for m in motions if m.paste is not None]
    if pasting and partners is None:
        raise ValueError(f"render_batch: {pasting[0]} pastes a second image; pass partners")
    if partners is not None and (partners.shape != images.shape or partners.dtype != torch.uint8):
        raise ValueError(
            f"render_batch: partners are {partners.dtype} {tuple(partners.shape)}, the images "
            f"{tuple(images.shape)} uint8"
        )


def _on(device: torch.device, values: Sequence[int] | np.ndarray, dtype: torch.dtype) -> Tensor:
    """Copy host numbers to the device."""
    return torch.as_tensor(np.asarray(values)).to(device, dtype, non_blocking=True)


def _render_group(
    clips: Tensor, images: Tensor, motions: Sequence[Motion], resampling: str
) -> None:
    """Warp and colour the samples of one resampling mode, frame by frame, in place in ``clips``."""
    recursive = resampling == "recursive"
    members = [
        b
        for b, motion in enumerate(motions)
        if motion.resampling == resampling and (_moves(motion) or motion.color_ops)
    ]
    if not members:
        return
    group = [motions[b] for b in members]
    warps = np.stack([m.warp_steps() if recursive else m.homographies for m in group])
    colors = [m.color_steps() if recursive else m.color for m in group]
    rows = _on(images.device, members, torch.int64)
    moving = [n for n, motion in enumerate(group) if _moves(motion)]
    moving_rows = _on(images.device, moving, torch.int64)
    warp = _Warp([group[n] for n in moving], warps[moving], images.device) if moving else None
    source = frames = images[rows].float()  # [n, 3, H, W], whole numbers in 0..255
    for k in range(warps.shape[1]):
        frames = frames if recursive else source
        if warp is not None and len(moving) == len(group):
            frames = warp(frames, k)
        elif warp is not None:
            frames = frames.index_copy(0, moving_rows, warp(frames[moving_rows], k))
        frames = _change_colors(frames, group, [steps[k] for steps in colors])
        clips[rows, :, k] = frames.to(torch.uint8)


def _moves(motion: Motion) -> bool:
    return bool((motion.homographies != _IDENTITY).any())


def _change_colors(
    frames: Tensor, group: Sequence[Motion], amounts: Sequence[FloatArray]
) -> Tensor:
    """Apply the colour steps of one frame, each step to all samples that have it in that place."""
    for place in range(max(len(motion.color_ops) for motion in group)):
        names = [m.color_ops[place] if place < len(m.color_ops) else "" for m in group]
        for name in dict.fromkeys(names):
            chosen = [
                n
                for n, own in enumerate(names)
                if name and own == name and amounts[n][place] != NO_CHANGE[name]
            ]
            if chosen:
                rows = _on(frames.device, chosen, torch.int64)
                amount = _on(frames.device, [amounts[n][place] for n in chosen], torch.float64)
                frames = frames.index_copy(0, rows, change_color(frames[rows], name, amount))
    return frames


class _Warp:
    """Resamples frames through homographies, a batch at a time."""

    def __init__(self, motions: Sequence[Motion], warps: np.ndarray, device: torch.device) -> None:
        self.height, self.width = motions[0].size
        self.affine = bool((warps[..., 2, :] == _IDENTITY[2]).all())
        self.warps = _on(device, warps, torch.float32)  # [n, T, 3, 3]
        self.x = torch.arange(self.width, dtype=torch.float32, device=device)
        self.y = torch.arange(self.height, dtype=torch.float32, device=device)[:, None]
        fills = [(0, 0, 0) if isinstance(m.border, str) else m.border for m in motions]
        self.fill = None
        if any(any(fill) for fill in fills):
            self.fill = _on(device, np.array(fills), torch.float32)[:, :, None, None]
        self.replicate = self._which([isinstance(m.border, str) for m in motions], device)
        self.nearest = self._which([m.interpolation == "nearest" for m in motions], device)

    @staticmethod
    def _which(flags: list[bool], device: torch.device) -> Tensor | None:
        return _on(device, flags, torch.bool)[:, None, None] if any(flags) else None

    def _plane(self, row: Tensor) -> Tensor:
        """(n, 3) coefficients of x, y, 1 -> their values at every pixel, (n, H, W)."""
        a, b, c = row[:, :, None, None].unbind(1)
        return a * self.x + (b * self.y + c)

    def __call__(self, frames: Tensor, k: int) -> Tensor:
        """Warp (n, 3, H, W) whole numbers by step k; whole numbers again."""
        warp = self.warps[:, k]
        u, v = self._plane(warp[:, 0]), self._plane(warp[:, 1])
        behind = None
        if not self.affine:
            w = self._plane(warp[:, 2])
            behind = w <= 0
            w = w.masked_fill(behind, 1.0)
            u, v = u / w, v / w
        if self.nearest is not None:
            u, v = (torch.where(self.nearest, c.round(), c) for c in (u, v))
        if self.replicate is not None:
            u = torch.where(self.replicate, u.clamp(0, self.width - 1), u)
            v = torch.where(self.replicate, v.clamp(0, self.height - 1), v)
        # grid_sampler's own coordinates with align_corners=False: [-1, 1] from edge to edge.
        grid = torch.stack(((2 * u + 1) / self.width - 1, (2 * v + 1) / self.height - 1), -1)
        if self.fill is not None:
            frames = frames - self.fill
        frames = torch.grid_sampler(frames, grid, 0, 0, False)  # bilinear, zeros outside
        if behind is not None:
            frames = frames.masked_fill(behind[:, None], 0.0)
        if self.fill is not None:
            frames = frames + self.fill
        return frames.round_().clamp_(0, 255)


def _stick(clips: Tensor, motions: Sequence[Motion], partners: Tensor | None) -> None:
    """Copy the pasted rectangles of the partners onto the clips, in place."""
    pasting = [b for b, motion in enumerate(motions) if motion.paste is not None]
    if not pasting or partners is None:
        return
    device = clips.device
    rows = _on(device, pasting, torch.int64)
    pastes = [motion.paste for motion in motions if motion.paste is not None]
    # One coordinate for each of (n, T, 1): corner in the frame, corner in the partner, side.
    left, top = _on(device, [p.positions for p in pastes], torch.int64)[..., None].unbind(2)
    x, y, w, h = _on(device, [p.source for p in pastes], torch.int64)[:, None, :, None].unbind(2)
    height, width = clips.shape[-2:]
    column = torch.arange(width, device=device) - left  # [n, T, W], from the rectangle's corner
    line = torch.arange(height, device=device) - top  # [n, T, H]
    inside = ((column >= 0) & (column < w))[:, :, None] & ((line >= 0) & (line < h))[..., None]
    u, v = (column + x).clamp(0, width - 1), (line + y).clamp(0, height - 1)
    sample = rows[:, None, None, None]
    # Indexing puts the broadcast axes first: [n, T, H, W, 3] -> [n, 3, T, H, W]
    seen = partners.permute(0, 2, 3, 1)[sample, v[..., None], u[:, :, None]].permute(0, 4, 1, 2, 3)
    clips[rows] = torch.where(inside[:, None], seen, clips[rows])
