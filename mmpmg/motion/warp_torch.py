"""Resample batches of images through many frames of their motions at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .motion import FloatArray, Motion
from .transfer_torch import to_device
from .waves_torch import Waves

_IDENTITY = np.eye(3)
#: Beyond the image on any side, in grid_sampler's coordinates, where the image fills [-1, 1].
_OUTSIDE = 3.0


def moves(motion: Motion) -> bool:
    """Whether a motion resamples its image at all."""
    return motion.deformation is not None or bool((motion.homographies != _IDENTITY).any())


class Warp:
    """How a batch of motions resamples: points first, for as many frames as memory has room for.

    Args:
        motions: n of one size.
        warps: (n, T, 3, 3), output pixel to pixel of what is resampled.
        device: Where the images are.
    """

    def __init__(self, motions: Sequence[Motion], warps: FloatArray, device: torch.device) -> None:
        self.height, self.width = motions[0].size
        self.affine = bool((warps[..., 2, :] == _IDENTITY[2]).all())
        self.warps = to_device(warps, device, torch.float32)
        self.x = torch.arange(self.width, dtype=torch.float32, device=device)
        self.y = torch.arange(self.height, dtype=torch.float32, device=device)[:, None]
        deformed = any(motion.deformation is not None for motion in motions)
        self.waves = Waves(motions, device) if deformed else None
        fills = np.array([(0, 0, 0) if isinstance(m.border, str) else m.border for m in motions])
        self.fill = (
            to_device(fills, device, torch.float32)[..., None, None] if fills.any() else None
        )
        self.replicate = _which([isinstance(m.border, str) for m in motions], device)
        self.nearest = _which([m.interpolation == "nearest" for m in motions], device)

    def points(self, frames: slice) -> Tensor:
        """Return where c frames look: (n, c, H, W, 2) in the coordinates of ``grid_sampler``."""
        warp = self.warps[:, frames]
        x, y = self.x, self.y
        if self.waves is not None:
            dx, dy = self.waves(frames)
            x, y = (x + dx).float(), (y + dy).float()
        u, v = _plane(warp[:, :, 0], x, y), _plane(warp[:, :, 1], x, y)
        behind = None
        if not self.affine:
            w = _plane(warp[:, :, 2], x, y)
            behind = w <= 0
            w.masked_fill_(behind, 1.0)
            u.div_(w)
            v.div_(w)
        if self.nearest is not None:
            u, v = (torch.where(self.nearest, c.round(), c) for c in (u, v))
        if self.replicate is not None:
            u = torch.where(self.replicate, u.clamp(0, self.width - 1), u)
            v = torch.where(self.replicate, v.clamp(0, self.height - 1), v)
        # align_corners=False: the image's edges, half a pixel beside its corners, stand at -1, 1.
        points = torch.stack(
            (
                u.mul_(2 / self.width).add_(1 / self.width - 1),
                v.mul_(2 / self.height).add_(1 / self.height - 1),
            ),
            -1,
        )
        if behind is not None:
            points.masked_fill_(behind[..., None], _OUTSIDE)
        return points

    def __call__(self, images: Tensor, points: Tensor) -> Tensor:
        """Resample images at the points of c frames.

        Args:
            images: (n, C, H, W) float32 whole numbers; with C = 4 the last is a matte, which is 0
                outside the image whatever the border.
            points: (n, c, H, W, 2), c frames of what `points` returned.

        Returns:
            (n, C, c, H, W) float32 whole numbers.
        """
        if self.fill is not None:
            images = torch.cat((images[:, :3] - self.fill, images[:, 3:]), 1)
        # All frames of an image below each other, as if they were one high frame.
        sampled = torch.grid_sampler(images, points.flatten(1, 2), 0, 0, False)  # bilinear, zeros
        sampled = sampled.unflatten(2, points.shape[1:3])
        if self.fill is not None:
            sampled[:, :3].add_(self.fill[..., None])
        return sampled.round_()


def _which(flags: list[bool], device: torch.device) -> Tensor | None:
    """(n, 1, 1, 1) bool, or None if no flag is set."""
    return to_device(flags, device, torch.bool)[:, None, None, None] if any(flags) else None


def _plane(row: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """(n, c, 3) coefficients of x, y, 1 -> their values at every pixel, (n, c, H, W)."""
    a, b, c = row[..., None, None].unbind(2)
    return a * x + (b * y + c)
