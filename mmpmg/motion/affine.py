"""Affine: a small turn, shift, scaling and shear, again and again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .geometric import step_powers
from .motion import INTERPOLATIONS, RESAMPLINGS, FloatArray, Motion
from .ranges import BorderOption, border_fill, choice, clip_shape, flag, pair


def affine_matrix(
    size: tuple[int, int],
    rotation: float,
    translation: tuple[float, float],
    scale: float,
    shear: tuple[float, float],
) -> FloatArray:
    """Build torchvision's affine matrix, from a point of the input to a point of the output.

    The picture is sheared and scaled about its centre, turned, then shifted.

    Args:
        size: (H, W) in pixels; the centre is ((W - 1) / 2, (H - 1) / 2).
        rotation: Degrees, clockwise as seen on the screen.
        translation: (x, y) in pixels.
        scale: Factor, above 0.
        shear: (x, y) in degrees, inside (-90, 90).

    Returns:
        (3, 3) float64.
    """
    height, width = size
    angle, shear_x, shear_y = (math.radians(v) for v in (rotation, *shear))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    slant_x = np.array([[1.0, -math.tan(shear_x)], [0.0, 1.0]])
    slant_y = np.array([[1.0, 0.0], [-math.tan(shear_y), 1.0]])
    linear = scale * turn @ slant_y @ slant_x
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = centre + translation - linear @ centre
    return matrix


@dataclass(frozen=True)
class Affine:
    """One small affine step, drawn once and applied frame after frame (supplement, Sec. D).

    The step accumulates: after 15 steps of 15 degrees the picture has turned by 225. The paper's
    pseudo-code reads so.

    Args:
        rotation: Range of the angle in degrees per frame, clockwise, inside [-180, 180].
        translation: Range of the shift per frame as a fraction of the side, both axes, inside
            [-1, 1].
        scale: Range of the factor per frame, inside [0.01, 100].
        shear: Range of the shear along x in degrees per frame, inside [-89, 89]. Given one range,
            torchvision's class shears along x only.
        shear_y: Range of the shear along y in degrees per frame.
        whole_pixels: Round the shift to whole pixels, as torchvision's class does. At 64 pixels
            that leaves few shifts but 0: False draws them continuously.
        resampling: ``'recursive'`` (the paper's pseudo-code) or ``'composed'``.
        border: What comes in from outside, a silence of the paper: a grey level, (r, g, b), or
            ``'replicate'``. 0 is torchvision's default.
        interpolation: ``'bilinear'`` or ``'nearest'``, a silence of the paper.

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 0

    rotation: tuple[float, float] = (-15.0, 15.0)
    translation: tuple[float, float] = (-0.01, 0.01)
    scale: tuple[float, float] = (0.9999, 1.0001)
    shear: tuple[float, float] = (-1.0, 1.0)
    shear_y: tuple[float, float] = (0.0, 0.0)
    whole_pixels: bool = True
    resampling: str = "recursive"
    border: BorderOption = 0
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check the options."""
        limits = {
            "rotation": (-180.0, 180.0),
            "translation": (-1.0, 1.0),
            "scale": (0.01, 100.0),
            "shear": (-89.0, 89.0),
            "shear_y": (-89.0, 89.0),
        }
        for key, (low, high) in limits.items():
            object.__setattr__(self, key, pair("Affine", key, getattr(self, key), low, high))
        flag("Affine", "whole_pixels", self.whole_pixels)
        choice("Affine", "resampling", self.resampling, RESAMPLINGS)
        choice("Affine", "interpolation", self.interpolation, INTERPOLATIONS)
        object.__setattr__(self, "border", border_fill("Affine", self.border))

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W)."""
        num_frames, size = clip_shape("Affine", num_frames, size)
        rotation = rng.uniform(*self.rotation)
        shift = rng.uniform(*self.translation, size=2) * (size[1], size[0])
        if self.whole_pixels:
            shift = np.rint(shift)
        scale = rng.uniform(*self.scale)
        shear = (rng.uniform(*self.shear), rng.uniform(*self.shear_y))
        step = affine_matrix(size, rotation, (float(shift[0]), float(shift[1])), scale, shear)
        return Motion(
            family="Affine",
            size=size,
            homographies=step_powers(
                np.linalg.inv(step), num_frames, f"Affine: scale={self.scale}"
            ),
            resampling=self.resampling,
            interpolation=self.interpolation,
            border=border_fill("Affine", self.border),
        )
