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
        parted = [_parted(m.deformation or _still(m.num_frames)) for m in motions]
        most = max(len(frequencies) for frequencies, _, _ in parted)
        frequencies, sines, cosines = (
            np.stack([_filled_up(values, axis, most) for values in group])
            for group, axis in zip(zip(*parted, strict=True), (0, 1, 1), strict=True)
        )
        self.frequencies = to_device(frequencies, device, torch.float64)  # [n, M, 2]
        self.sines = to_device(sines, device, torch.float64)  # [n, T, M, 2]
        self.cosines = to_device(cosines, device, torch.float64)
        # sin and cos of a sum part every wave into factors of y and of x.
        x = torch.arange(width, dtype=torch.float64, device=device)
        y = torch.arange(height, dtype=torch.float64, device=device)[:, None]
        across = self.frequencies[..., :1] * x
        self.by_x = torch.cat((across.sin(), across.cos()), 1)  # [n, 2M, W]
        down = (y * self.frequencies[:, None, :, 1])[:, None, None]
        self.down_sine, self.down_cosine = down.sin(), down.cos()  # [n, 1, 1, H, M]

    def __call__(self, frames: slice) -> tuple[Tensor, Tensor]:
        """Return dx and dy (n, c, H, W) float64 of the c frames of a slice, pixels."""
        sine, cosine = (
            heights[:, frames].transpose(2, 3)[..., None, :]  # [n, c, 2, 1, M]
            for heights in (self.sines, self.cosines)
        )
        of_sines = sine * self.down_cosine - cosine * self.down_sine
        of_cosines = sine * self.down_sine + cosine * self.down_cosine
        rows = torch.cat((of_sines, of_cosines), -1)  # [n, c, 2, H, 2M]
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
        heights = torch.cat((self.sines[:, frame], self.cosines[:, frame]), -1)  # [n, M, 4]
        size = self.frequencies.norm(dim=-1)
        bend = heights.norm(dim=-1) * size
        longest = 0.5 * bend.sum(1) / (bend * size).sum(1).clamp(min=1e-12)
        x, y = u, v
        away_x, away_y, step_x, step_y = self._newton(heights, longest, x, y, u, v)
        residual = torch.hypot(away_x, away_y)
        try_x, try_y = x - step_x, y - step_y
        for _ in range(STEPS):
            away_x, away_y, step_x, step_y = self._newton(heights, longest, try_x, try_y, u, v)
            left = torch.hypot(away_x, away_y)
            better = left < residual
            residual = torch.where(better, left, residual)
            next_x = torch.where(better, try_x - step_x, 0.5 * (x + try_x))
            next_y = torch.where(better, try_y - step_y, 0.5 * (y + try_y))
            x, y = torch.where(better, try_x, x), torch.where(better, try_y, y)
            try_x, try_y = next_x, next_y
        return x, y

    def _newton(
        self, heights: Tensor, longest: Tensor, x: Tensor, y: Tensor, u: Tensor, v: Tensor
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
        columns = (*self.frequencies.unbind(2), *heights.unbind(2))  # each [n, M]
        for m in range(heights.shape[1]):
            fx, fy, sine_x, sine_y, cosine_x, cosine_y = (
                column[:, m, None, None] for column in columns
            )
            angle = torch.addcmul(fx * x, fy, y)
            sine, cosine = angle.sin(), angle.cos_()
            away_x.addcmul_(sine_x, sine).addcmul_(cosine_x, cosine)
            away_y.addcmul_(sine_y, sine).addcmul_(cosine_y, cosine)
            slope_x = torch.addcmul(sine_x * cosine, cosine_x, sine, value=-1)
            slope_y = torch.addcmul(sine_y * cosine, cosine_y, sine, value=-1)
            a.addcmul_(fx, slope_x)
            b.addcmul_(fy, slope_x)
            c.addcmul_(fx, slope_y)
            d.addcmul_(fy, slope_y)
        area = a * d - b * c  # at least (1 - strain)^2
        step_x, step_y = (d * away_x - b * away_y) / area, (a * away_y - c * away_x) / area
        length = torch.hypot(step_x, step_y).clamp_(min=1e-12)
        share = (longest[:, None, None] / length).clamp_(max=1.0)
        return away_x, away_y, step_x * share, step_y * share


def _parted(deformation: Deformation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Write the waves of each frequency as one sine and one cosine.

    ``a sin(f . x + p) = a cos(p) sin(f . x) + a sin(p) cos(f . x)``; a wave that travels is two
    terms of one frequency.

    Returns:
        Frequencies (M, 2), and the amplitudes (T, M, 2) of their sines and of their cosines.
    """
    frequencies, places = np.unique(deformation.frequencies, axis=0, return_inverse=True)
    own = places.reshape(-1) == np.arange(len(frequencies))[:, None]  # [M, terms]
    phases = deformation.phases
    sines, cosines = (
        (own * turned) @ deformation.amplitudes for turned in (np.cos(phases), np.sin(phases))
    )
    return frequencies, sines, cosines


def _still(num_frames: int) -> Deformation:
    return Deformation(np.zeros((1, 2)), np.zeros(1), np.zeros((num_frames, 1, 2)))


def _filled_up(values: np.ndarray, axis: int, count: int) -> np.ndarray:
    """Append zeros along an axis until it is ``count`` long."""
    missing = [(0, count - n if a == axis else 0) for a, n in enumerate(values.shape)]
    return np.pad(values, missing)
