"""Perspective: a small change of view, again and again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .geometric import step_powers
from .motion import INTERPOLATIONS, RESAMPLINGS, FloatArray, Motion
from .ranges import BorderOption, border_fill, choice, clip_shape, flag, number


def homography_from_corners(
    corners: npt.NDArray[np.float64], images: npt.NDArray[np.float64]
) -> FloatArray:
    """Solve for the homography that maps four points to four points.

    Args:
        corners: (4, 2) points (x, y), no three on a line.
        images: (4, 2), where they go.

    Returns:
        (3, 3) float64 with a 1 in the corner.
    """
    equations, values = [], []
    for (x, y), (u, v) in zip(corners, images, strict=True):
        equations.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        equations.append([0, 0, 0, x, y, 1, -v * x, -v * y])
        values += [u, v]
    solution = np.linalg.solve(np.array(equations), np.array(values))
    return np.append(solution, 1.0).reshape(3, 3)


@dataclass(frozen=True)
class Perspective:
    """One small change of view, drawn once and applied frame after frame (supplement, Sec. D).

    Each corner of the frame moves inwards, per axis by a uniform share of ``distortion`` times half
    the side, as in torchvision's RandomPerspective (here always applied, there with p = .5). Its
    quirk is kept too: corners are named 0 and W - 1, where pixel centres stand at .5 and W - .5.

    Args:
        distortion: Scale of the distortion, in [0, 0.99].
        whole_pixels: Draw the corners' shifts in whole pixels, as torchvision's class does (0 to 5
            at 224 pixels, 0 or 1 at 64, none below 40); False draws them continuously.
        resampling: ``'recursive'`` (the paper's pseudo-code) or ``'composed'``.
        border: What comes in from outside, a silence of the paper: a grey level, (r, g, b), or
            ``'replicate'``. 0 is torchvision's default.
        interpolation: ``'bilinear'`` or ``'nearest'``, a silence of the paper.

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 0

    distortion: float = 0.05
    whole_pixels: bool = True
    resampling: str = "recursive"
    border: BorderOption = 0
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check the options."""
        number("Perspective", "distortion", self.distortion, 0.0, 0.99)
        flag("Perspective", "whole_pixels", self.whole_pixels)
        choice("Perspective", "resampling", self.resampling, RESAMPLINGS)
        choice("Perspective", "interpolation", self.interpolation, INTERPOLATIONS)
        object.__setattr__(self, "border", border_fill("Perspective", self.border))

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W), both at least 2 pixels."""
        num_frames, size = clip_shape("Perspective", num_frames, size)
        height, width = size
        if min(size) < 2:
            raise ValueError(
                f"Perspective: an image of {height} x {width} pixels has no four corners; resize "
                "it before PMGPipeline"
            )
        ends = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)
        inwards = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        if self.whole_pixels:
            reach = np.array([int(self.distortion * (side // 2)) for side in (width, height)])
            if self.distortion > 0 and not reach.any():
                raise ValueError(
                    f"Perspective: distortion={self.distortion} moves no corner of {height} x "
                    f"{width} pixels by a whole pixel, so there is no motion; set "
                    "whole_pixels=False"
                )
            shifts = rng.integers(0, reach + 1, size=(4, 2)).astype(np.float64)
        else:
            reach = self.distortion * np.array([width - 1, height - 1]) / 2
            shifts = rng.uniform(0.0, reach, size=(4, 2))
        # From a point of frame k + 1 (the moved corners) to the point of frame k that it shows.
        edge_step = homography_from_corners(ends + inwards * shifts, ends)
        half = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
        step = np.linalg.inv(half) @ edge_step @ half
        return Motion(
            family="Perspective",
            size=size,
            homographies=step_powers(
                step, num_frames, f"Perspective: distortion={self.distortion}"
            ),
            resampling=self.resampling,
            interpolation=self.interpolation,
            border=border_fill("Perspective", self.border),
        )
