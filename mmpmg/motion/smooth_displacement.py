"""SmoothDisplacement: one image bends like cloth or water, as no homography can."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .deformation import Deformation
from .motion import INTERPOLATIONS, FloatArray, Motion
from .ranges import choice, clip_shape, number, pair, whole


def draw_deformation(
    rng: np.random.Generator,
    num_frames: int,
    waves: int,
    wavelength: tuple[float, float],
    strain: float,
    swell: tuple[float, float] = (0.5, 1.5),
    travel: float = 1.0,
) -> Deformation:
    """Draw waves that swell, ebb and travel.

    Wave m displaces by ``a_m e_m(t) sin(f_m . x + p_m - 2 pi v_m t)`` with the time t from 0 to 1
    over the clip and ``e(t) = (1 - cos(2 pi (r t + q))) / 2``.

    Args:
        rng: Source of randomness.
        num_frames: T.
        waves: Their number, at least 1; each makes two terms of the deformation.
        wavelength: Range, pixels, above 0.
        strain: The largest strain over the clip, below 1, see :meth:`Deformation.strains`.
        swell: Range of r, how many times a wave swells and ebbs.
        travel: A wave travels by at most so many wavelengths, either way.

    Returns:
        The deformation.
    """
    t = np.linspace(0.0, 1.0, num_frames)[:, None]
    length = rng.uniform(*wavelength, size=waves)
    heading, shaking, phase = 2 * math.pi * rng.random((3, waves))
    weight = rng.uniform(0.5, 1.0, size=waves)
    beat = rng.uniform(*swell, size=waves) * t + rng.random(waves)  # [T, waves]
    turn = 2 * math.pi * rng.uniform(-travel, travel, size=waves) * t
    frequencies = _unit(heading) * (2 * math.pi / length)[:, None]
    # Equal weights shear a frame equally, whatever the wavelength.
    vectors = _unit(shaking) * (weight * length)[:, None]
    envelope = 0.5 * (1.0 - np.cos(2 * math.pi * beat))
    terms = np.concatenate([envelope * np.cos(turn), -envelope * np.sin(turn)], axis=1)
    amplitudes = terms[..., None] * np.tile(vectors, (2, 1))
    sizes = np.hypot(amplitudes[..., 0], amplitudes[..., 1]) @ np.tile(2 * math.pi / length, 2)
    largest = float(sizes.max())
    return Deformation(
        frequencies=np.tile(frequencies, (2, 1)),
        phases=np.concatenate([phase, phase + 0.5 * math.pi]),
        amplitudes=amplitudes * (strain / largest if largest > 0 else 0.0),
    )


def _unit(angles: FloatArray) -> FloatArray:
    """Return (n, 2) unit vectors."""
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


@dataclass(frozen=True)
class SmoothDisplacement:
    """The image bends smoothly: a few long waves swell, ebb and travel over it.

    Not in the paper, whose motions are all rigid, affine or projective; "Learning Video
    Representations without Natural Videos" (arXiv 2410.24213) finds that parts which deform help.
    The picture is enlarged by as much as the waves may reach, so the border never shows. Waves are
    functions of the place in the frame, so the motion is always ``composed``.

    Args:
        waves: Number of waves, 1 to 16.
        wavelength: Range, as a fraction of the shorter side, inside [0.05, 4].
        strain: Range of the largest slope of the displacement over the clip, inside [0, 0.95]; near
            1 the picture is squeezed to a line somewhere. A single wave shifts pixels by at most
            ``strain * wavelength / (2 pi)``.
        swell: Range of how many times a wave swells and ebbs over the clip, inside [0, 8].
        travel: A wave moves on by at most so many wavelengths over the clip, in [0, 8].
        interpolation: ``'bilinear'`` or ``'nearest'``.

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 0

    waves: int = 3
    wavelength: tuple[float, float] = (0.3, 1.0)
    strain: tuple[float, float] = (0.3, 0.8)
    swell: tuple[float, float] = (0.5, 1.5)
    travel: float = 1.0
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check the options."""
        whole("SmoothDisplacement", "waves", self.waves, 1, 16)
        limits = {"wavelength": (0.05, 4.0), "strain": (0.0, 0.95), "swell": (0.0, 8.0)}
        for key, (low, high) in limits.items():
            ends = pair("SmoothDisplacement", key, getattr(self, key), low, high)
            object.__setattr__(self, key, ends)
        number("SmoothDisplacement", "travel", self.travel, 0.0, 8.0)
        choice("SmoothDisplacement", "interpolation", self.interpolation, INTERPOLATIONS)

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W)."""
        num_frames, size = clip_shape("SmoothDisplacement", num_frames, size)
        side = min(size)
        deformation = draw_deformation(
            rng,
            num_frames,
            self.waves,
            (self.wavelength[0] * side, self.wavelength[1] * side),
            float(rng.uniform(*self.strain)),
            self.swell,
            self.travel,
        )
        last = np.array([size[1] - 1.0, size[0] - 1.0])
        reach = deformation.reach().max(axis=0)
        # A frame sees from -reach to last + reach; that much shall be the image, from 0 to last.
        scale = float(np.min(last / np.maximum(last + 2 * reach, 1e-9)))
        homography = np.diag([scale, scale, 1.0])
        homography[:2, 2] = 0.5 * (1.0 - scale) * last
        return Motion(
            family="SmoothDisplacement",
            size=size,
            homographies=np.tile(homography if scale > 0 else np.eye(3), (num_frames, 1, 1)),
            interpolation=self.interpolation,
            border="replicate",
            deformation=deformation,
        )
