"""Layered: parts of other images move over a background, each in its own way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .layer import Layer
from .matte import OUTLINES, Matte
from .motion import INTERPOLATIONS, FloatArray, Motion
from .part_drawing import draw_matte
from .ranges import choice, clip_shape, number, pair, whole, whole_pair
from .smooth_displacement import draw_deformation

if TYPE_CHECKING:
    from .sampler import MotionSampler

#: The default background: a camera that pans or zooms gently and always shows picture.
CAMERA: Mapping[str, Mapping[str, Any]] = {
    "pan": {"type": "SlidingWindow", "window": 0.8},
    "zoom": {"type": "ZoomInOut", "small": (0.6, 0.75), "large": (0.8, 0.95)},
}


@dataclass(frozen=True)
class Layered:
    """Foreground parts move over a moving background, with acceleration and deformation.

    Not in the paper, which names the missing motion of parts as its limit; "Learning Video
    Representations without Natural Videos" (arXiv 2410.24213) gets its gains from shapes that move,
    accelerate and deform, filled with pieces of images. A part is cut from another image by a
    random soft-edged shape (:class:`mmpmg.motion.Matte`). At a random moment of the clip's middle
    half it stands somewhere in the frame, unturned and unscaled; from there its place and angle are
    quadratic in time and the logarithm of its size is linear. Parts may cover each other and leave
    the frame.

    Args:
        parts: Fewest and most parts, inside [1, 16].
        images: At most so many different images the parts are cut from, 1 to 16; further parts
            share them, at other places. Every image is decoded by the data worker.
        background: A set of ops to move the source image by, one of them chosen for a clip, as
            ``PMGPipeline.ops``; rendered composed, whatever it says of resampling. None: a gentle
            pan or zoom.
        part_size: Range of a part's larger side, as a fraction of the frame's shorter side, inside
            [0.05, 0.95].
        outlines: Kinds of shape to choose from: ``'blob'``, ``'polygon'``.
        softness: Range of the width of a part's soft rim, as a fraction of the shorter side, inside
            [0, 0.2]; at least half a pixel, at most a third of the part.
        velocity: Range of a part's speed at that moment, in shorter sides per clip, inside [0, 10].
        acceleration: Range of its acceleration, in shorter sides per clip squared, inside [0, 20];
            constant over the clip, in any direction.
        rotation: Range of its angular speed, degrees per clip, inside [-3600, 3600].
        rotation_acceleration: Range of the angular acceleration, degrees per clip squared.
        growth: Range of the factor by which its size changes over the clip, inside [0.1, 10],
            drawn on a logarithmic scale.
        deform: Probability that a part deforms smoothly, in [0, 1].
        strain: Range of the strain of such a part, inside [0, 0.95], as in SmoothDisplacement.
        interpolation: ``'bilinear'`` or ``'nearest'``, of the parts.

    Raises:
        ValueError: If an option is out of its range.
    """

    parts: tuple[int, int] = (1, 4)
    images: int = 2
    background: Mapping[str, Any] | None = None
    part_size: tuple[float, float] = (0.2, 0.6)
    outlines: Sequence[str] = OUTLINES
    softness: tuple[float, float] = (0.01, 0.05)
    velocity: tuple[float, float] = (0.1, 1.2)
    acceleration: tuple[float, float] = (0.0, 3.0)
    rotation: tuple[float, float] = (-120.0, 120.0)
    rotation_acceleration: tuple[float, float] = (-240.0, 240.0)
    growth: tuple[float, float] = (0.6, 1.7)
    deform: float = 0.5
    strain: tuple[float, float] = (0.2, 0.6)
    interpolation: str = "bilinear"
    _background: MotionSampler = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the options."""
        # The sampler knows all ops, and this is one of them.
        from .sampler import MotionSampler

        object.__setattr__(self, "parts", whole_pair("Layered", "parts", self.parts, 1, 16))
        whole("Layered", "images", self.images, 1, 16)
        limits = {
            "part_size": (0.05, 0.95),
            "softness": (0.0, 0.2),
            "velocity": (0.0, 10.0),
            "acceleration": (0.0, 20.0),
            "rotation": (-3600.0, 3600.0),
            "rotation_acceleration": (-7200.0, 7200.0),
            "growth": (0.1, 10.0),
            "strain": (0.0, 0.95),
        }
        for key, (low, high) in limits.items():
            object.__setattr__(self, key, pair("Layered", key, getattr(self, key), low, high))
        number("Layered", "deform", self.deform, 0.0, 1.0)
        choice("Layered", "interpolation", self.interpolation, INTERPOLATIONS)
        if isinstance(self.outlines, str) or not self.outlines:
            raise ValueError(
                f"Layered: outlines={self.outlines!r} must be a list of kinds of shape"
            )
        outlines = tuple(choice("Layered", "outlines", kind, OUTLINES) for kind in self.outlines)
        object.__setattr__(self, "outlines", outlines)
        try:
            background = MotionSampler(CAMERA if self.background is None else self.background)
        except ValueError as error:
            raise ValueError(f"Layered: background: {error}") from error
        if background.num_partners:
            raise ValueError(
                "Layered: background can only hold ops of one image, not CutMix or Layered; got "
                f"{background!r}"
            )
        object.__setattr__(self, "_background", background)

    @property
    def num_partners(self) -> int:
        """How many other images a motion may need."""
        return min(self.images, self.parts[1])

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W), both at least 16 pixels."""
        num_frames, size = clip_shape("Layered", num_frames, size)
        if min(size) < 16:
            raise ValueError(
                f"Layered: an image of {size[0]} x {size[1]} pixels has no room for parts; resize "
                "it to at least 16 x 16 before PMGPipeline"
            )
        below = self._background.sample(rng, num_frames, size)
        count = int(rng.integers(self.parts[0], self.parts[1] + 1))
        images = [i if i < self.images else int(rng.integers(self.images)) for i in range(count)]
        layers = tuple(self._layer(rng, num_frames, size, image) for image in images)
        return replace(below, family="Layered", resampling="composed", layers=layers)

    def _layer(
        self, rng: np.random.Generator, num_frames: int, size: tuple[int, int], image: int
    ) -> Layer:
        side = min(size)
        outline = self.outlines[int(rng.integers(len(self.outlines)))]
        extent = float(rng.uniform(*self.part_size)) * side
        matte = draw_matte(rng, size, outline, extent, float(rng.uniform(*self.softness)) * side)
        homographies = self._path(rng, num_frames, size, matte)
        deformation = None
        if rng.random() < self.deform:
            strain = float(rng.uniform(*self.strain))
            deformation = draw_deformation(rng, num_frames, 2, (0.8 * extent, 2 * extent), strain)
        motion = Motion(
            family="part",
            size=size,
            homographies=homographies,
            interpolation=self.interpolation,
            border="replicate",
            deformation=deformation,
        )
        return Layer(matte, motion, image)

    def _path(
        self, rng: np.random.Generator, num_frames: int, size: tuple[int, int], matte: Matte
    ) -> FloatArray:
        """Draw (T, 3, 3), output pixel to the part's image, of a part's place, angle and size."""
        side = min(size)
        t = np.linspace(0.0, 1.0, num_frames) - rng.uniform(0.25, 0.75)
        quadratic = np.stack([np.ones_like(t), t, 0.5 * t * t], axis=1)  # [T, 3]
        headings = 2 * math.pi * rng.random(2)
        speeds = np.array([rng.uniform(*self.velocity), rng.uniform(*self.acceleration)]) * side
        place = rng.uniform(0.1, 0.9, size=2) * (size[1], size[0])
        x, y = (
            quadratic @ (start, *(speeds * course))
            for start, course in zip(place, (np.cos(headings), np.sin(headings)), strict=True)
        )
        spin = (0.0, rng.uniform(*self.rotation), rng.uniform(*self.rotation_acceleration))
        angle = np.radians(quadratic @ spin)
        growth = math.exp(rng.uniform(*np.log(self.growth)))
        shrunk = growth**-t
        cos, sin = np.cos(angle) * shrunk, np.sin(angle) * shrunk
        homographies = np.tile(np.eye(3), (num_frames, 1, 1))
        homographies[:, 0, 0], homographies[:, 0, 1] = cos, sin
        homographies[:, 1, 0], homographies[:, 1, 1] = -sin, cos
        homographies[:, 0, 2] = matte.centre[0] - cos * x - sin * y
        homographies[:, 1, 2] = matte.centre[1] + sin * x - cos * y
        return homographies
