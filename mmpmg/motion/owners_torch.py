"""Whose each pixel of a batch of layered clips is, on their device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .displacement import BACKGROUND, MIXTURE, RIM
from .layers_torch import part_warp, parts_at_depth
from .matte_torch import draw_mattes
from .motion import Motion
from .transfer_torch import to_device


class Owners:
    """Who is seen at every pixel of T frames: a layer's number from 0, or the background's.

    It is read off the levels of alpha with which the layers are laid over the frames. Two renderers
    may differ by a level there, and so, at single pixels of a rim, in whose a pixel is.

    Args:
        motions: B of one length and size.
        device: Where the answer is wanted.

    Attributes:
        topmost: (B, T, H, W) int8: the topmost layer with an alpha of at least one half.
        pure: The same, with MIXTURE wherever the rim of that layer or of one above is soft.
    """

    def __init__(self, motions: Sequence[Motion], device: torch.device) -> None:
        shape = (len(motions), motions[0].num_frames, *motions[0].size)
        self.topmost = torch.full(shape, BACKGROUND, dtype=torch.int8, device=device)
        self.pure = self.topmost.clone()
        for depth in range(max(len(motion.layers) for motion in motions)):
            parts = parts_at_depth(motions, depth)
            layers = [layer for _, layer in parts]
            rows = to_device([b for b, _ in parts], device, torch.int64)
            mattes = draw_mattes([layer.matte for layer in layers], motions[0].size, device)
            warp = part_warp(layers, device, colored=False)
            for k in range(shape[1]):
                frame = slice(k, k + 1)
                alpha = warp(mattes[:, None], warp.points(frame))[:, 0, 0]
                topmost, pure = (each[:, k].index_select(0, rows) for each in self._both())
                topmost.masked_fill_(alpha >= 128, depth)
                pure.masked_fill_(alpha > 0, MIXTURE).masked_fill_(alpha == 255, depth)
                self.topmost[:, k].index_copy_(0, rows, topmost)
                self.pure[:, k].index_copy_(0, rows, pure)

    def _both(self) -> tuple[Tensor, Tensor]:
        return self.topmost, self.pure

    def same(self, k: int, u: Tensor, v: Tensor) -> Tensor:
        """Whether pixels of frame k and the four around their targets (B, H, W) have one owner."""
        height, width = u.shape[1:]
        now, then = self.pure[:, k], self.pure[:, k + 1].flatten(1)
        # A target within RIM of a pixel is that pixel: its far neighbours have no weight.
        columns, lines = (
            [
                (where + RIM).floor_().clamp_(0, side - 1).long(),
                (where - RIM).ceil_().clamp_(0, side - 1).long(),
            ]
            for where, side in ((u, width), (v, height))
        )
        same = now != MIXTURE
        for line in lines:
            for column in columns:
                seen = then.gather(1, (line * width + column).flatten(1))
                same &= seen.view_as(now) == now
        return same
