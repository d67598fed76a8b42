"""Smooth displacements of whole batches of frames: `Deformation` on a device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .deformation import Deformation
from .motion import Motion
from .transfer_torch import to_device


class Waves:
    """The deformations of a batch; a motion without one has waves of height zero.

    In float64: a matrix product of float32 may run in TF32 or, within autocast, in bf16, and would
    then miss by tenths of a pixel.

    Args:
        motions: n of them, of one length T and size.
        device: Where the displacements are wanted.
    """

    def __init__(self, motions: Sequence[Motion], device: torch.device) -> None:
        height, width = motions[0].size
        x, y = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)
        waves = [motion.deformation or _still(motion.num_frames) for motion in motions]
        most = max(wave.phases.size for wave in waves)
        frequencies, phases, amplitudes = (
            np.stack([_filled_up(values, axis, most) for values in group])
            for group, axis in (
                ([wave.frequencies for wave in waves], 0),
                ([wave.phases for wave in waves], 0),
                ([wave.amplitudes for wave in waves], 1),
            )
        )
        self.frequencies = to_device(frequencies, device, torch.float64)  # [n, M, 2]
        self.phases = to_device(phases, device, torch.float64)  # [n, M]
        self.amplitudes = to_device(amplitudes, device, torch.float64)  # [n, T, M, 2]
        self.x = to_device(x, device, torch.float64)
        self.y = to_device(y, device, torch.float64)
        # sin(a + b) = sin a cos b + cos a sin b parts every wave into a factor of y and one of x.
        across = self.frequencies[..., :1] * self.x
        down = self.y[:, None] * self.frequencies[:, None, :, 1] + self.phases[:, None]
        self.by_x = torch.cat((across.sin(), across.cos()), 1)  # [n, 2M, W]
        self.by_y = torch.cat((down.cos(), down.sin()), 2)  # [n, H, 2M]

    def __call__(self, frames: slice) -> tuple[Tensor, Tensor]:
        """Return dx and dy (n, c, H, W) float64 of the c frames of a slice, pixels."""
        heights = self.amplitudes[:, frames].transpose(2, 3).repeat(1, 1, 1, 2)  # [n, c, 2, 2M]
        rows = self.by_y[:, None, None] * heights[..., None, :]  # [n, c, 2, H, 2M]
        dx, dy = (rows @ self.by_x[:, None, None]).unbind(2)
        return dx, dy


def _still(num_frames: int) -> Deformation:
    return Deformation(np.zeros((1, 2)), np.zeros(1), np.zeros((num_frames, 1, 2)))


def _filled_up(values: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Append zeros along an axis until it is ``count`` long."""
    missing = [(0, count - n if a == axis else 0) for a, n in enumerate(values.shape)]
    return np.pad(values, missing)
