"""Smooth displacements of whole batches of frames: `Deformation` on a device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .deformation import Deformation
from .motion import Motion
from .transfer_torch import to_device

#: Newton steps of an inversion.
STEPS = 5


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

    def invert(self, frame: int, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Find the pixels that look at given points: solve ``x + d(x) = (u, v)``.

        Newton's method from the points themselves, which are less than a radian of a wave away. No
        step is longer than half the way on which the slope can change by the strain, and one that
        does not lessen the residual is halved. Their number is fixed: whether they were enough
        cannot be asked without waiting for the device.

        Args:
            frame: k.
            u: (n, H, W) float64, pixels along x.
            v: The same along y.

        Returns:
            x and y (n, H, W) float64, to 1e-5 pixels for strains up to 0.95.
        """
        amplitudes, size = self.amplitudes[:, frame], self.frequencies.norm(dim=-1)
        bend = amplitudes.norm(dim=-1) * size
        longest = 0.5 * bend.sum(1) / (bend * size).sum(1).clamp(min=1e-12)
        x, y = u, v
        away_x, away_y, step_x, step_y = self._newton(amplitudes, longest, x, y, u, v)
        residual = torch.hypot(away_x, away_y)
        try_x, try_y = x - step_x, y - step_y
        for _ in range(STEPS):
            away_x, away_y, step_x, step_y = self._newton(amplitudes, longest, try_x, try_y, u, v)
            left = torch.hypot(away_x, away_y)
            better = left < residual
            residual = torch.where(better, left, residual)
            next_x = torch.where(better, try_x - step_x, 0.5 * (x + try_x))
            next_y = torch.where(better, try_y - step_y, 0.5 * (y + try_y))
            x, y = torch.where(better, try_x, x), torch.where(better, try_y, y)
            try_x, try_y = next_x, next_y
        return x, y

    def _newton(
        self, amplitudes: Tensor, longest: Tensor, x: Tensor, y: Tensor, u: Tensor, v: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the residual of ``x + d(x) = (u, v)`` along x and y, and Newton's step along both.

        One wave after the other: all at once would need M times the memory.
        """
        away_x, away_y = x - u, y - v
        # The slope of x + d(x), [[a, b], [c, d]].
        a, b, c, d = (
            torch.ones_like(x),
            torch.zeros_like(x),
            torch.zeros_like(x),
            torch.ones_like(x),
        )
        columns = (*self.frequencies.unbind(2), self.phases, *amplitudes.unbind(2))  # each [n, M]
        for m in range(self.phases.shape[1]):
            fx, fy, phase, high_x, high_y = (column[:, m, None, None] for column in columns)
            angle = torch.addcmul(torch.addcmul(phase, fx, x), fy, y)
            sine, cosine = angle.sin(), angle.cos_()
            away_x.addcmul_(high_x, sine)
            away_y.addcmul_(high_y, sine)
            a.addcmul_(high_x * fx, cosine)
            b.addcmul_(high_x * fy, cosine)
            c.addcmul_(high_y * fx, cosine)
            d.addcmul_(high_y * fy, cosine)
        area = a * d - b * c  # at least (1 - strain)^2
        step_x, step_y = (d * away_x - b * away_y) / area, (a * away_y - c * away_x) / area
        length = torch.hypot(step_x, step_y).clamp_(min=1e-12)
        share = (longest[:, None, None] / length).clamp_(max=1.0)
        return away_x, away_y, step_x * share, step_y * share


def _still(num_frames: int) -> Deformation:
    return Deformation(np.zeros((1, 2)), np.zeros(1), np.zeros((num_frames, 1, 2)))


def _filled_up(values: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Append zeros along an axis until it is ``count`` long."""
    missing = [(0, count - n if a == axis else 0) for a, n in enumerate(values.shape)]
    return np.pad(values, missing)
