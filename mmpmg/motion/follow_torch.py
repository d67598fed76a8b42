"""Where the points of one frame stand in the next, for a batch of motions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .motion import Motion
from .transfer_torch import to_device
from .waves_torch import Waves


class Follower:
    """Follows every pixel by the homographies and deformations of n motions.

    Pixel x of frame k looks at ``p = H[k] (x + d[k](x))``; frame k + 1 shows p at the pixel z that
    solves ``z + d[k+1](z) = inv(H[k+1]) p``. In float64.

    Args:
        motions: n of them, of one length and size; their layers and pastes do not count.
        device: Where the positions are wanted.
    """

    def __init__(self, motions: Sequence[Motion], device: torch.device) -> None:
        height, width = motions[0].size
        self.x = torch.arange(width, dtype=torch.float64, device=device)
        self.y = torch.arange(height, dtype=torch.float64, device=device)[:, None]
        self.steps = to_device(_steps(motions), device, torch.float64)
        deformed = [n for n, motion in enumerate(motions) if motion.deformation is not None]
        self.waves = Waves([motions[n] for n in deformed], device) if deformed else None
        self.rows = to_device(deformed, device, torch.int64)
        still = np.stack([_still(motion) for motion in motions])
        self.still = to_device(still, device, torch.bool)[..., None, None]

    def __call__(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Follow the pixels of frame k.

        Returns:
            Positions u and v (n, H, W) float64 in frame k + 1, and whether the point is in front of
            the horizon there; behind it the pixel's own position stands for none.
        """
        steps = self.steps[:, k]
        u, v, ahead = _project(steps, self.x, self.y)
        if self.waves is not None:
            dx, dy = (moved[:, 0] for moved in self.waves(slice(k, k + 1)))
            seen = _project(steps.index_select(0, self.rows), self.x + dx, self.y + dy)
            back = self.waves.invert(k + 1, *seen[:2])
            u, v = u.index_copy(0, self.rows, back[0]), v.index_copy(0, self.rows, back[1])
            ahead = ahead.index_copy(0, self.rows, seen[2])
        # Unmoved frames must have a flow of exactly zero, not of 1e-16.
        ahead = ahead | self.still[:, k]
        moved = ahead & ~self.still[:, k]
        return torch.where(moved, u, self.x), torch.where(moved, v, self.y), ahead


def _still(motion: Motion) -> np.ndarray:
    """(T-1,): whether a frame and the next look at the same points."""
    still: np.ndarray = (motion.homographies[:-1] == motion.homographies[1:]).all(axis=(1, 2))
    if motion.deformation is not None:
        amplitudes = motion.deformation.amplitudes
        still = still & (amplitudes[:-1] == amplitudes[1:]).all(axis=(1, 2))
    return still


def _steps(motions: Sequence[Motion]) -> np.ndarray:
    """(n, T-1, 3, 3): pixel of frame k to pixel of frame k + 1, but for the deformation."""
    homographies = np.stack([motion.homographies for motion in motions])
    steps: np.ndarray = np.linalg.solve(homographies[:, 1:], homographies[:, :-1])
    return steps


def _project(steps: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Map points by (n, 3, 3); return u, v and whether they are before the horizon."""
    # [n, 3, 3, 1, 1]: three planes, sums of a column and a row where there is no deformation
    s = steps[..., None, None]
    u, v, w = (s[:, row, 0] * x + s[:, row, 1] * y + s[:, row, 2] for row in range(3))
    ahead = w > 0
    w = w.masked_fill(~ahead, 1.0)
    return u / w, v / w, ahead
