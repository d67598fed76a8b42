"""Families that change colours and move nothing: FadeInOut and ColorJitter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .motion import COLOR_OPS, RESAMPLINGS, FloatArray, Motion
from .ranges import choice, clip_shape, number


def _still(num_frames: int) -> FloatArray:
    return np.tile(np.eye(3), (num_frames, 1, 1))


@dataclass(frozen=True)
class FadeInOut:
    """The image becomes black, or appears out of black, linearly (supplement, Sec. D).

    Every frame is a multiple of the source image, so the motion is always ``composed``: a faded
    frame, rounded to 8 bits, could not give the image back.

    Args:
        darkest: Brightness of the darkest frame in [0, 1]: 0 is "completely invisible", the paper.
            VideoMAE's target divides by a patch's deviation, which amplifies rounding noise in
            nearly black frames; a small value above 0 avoids that.
        direction: ``'both'`` (in or out with probability .5 each), ``'in'`` or ``'out'``.

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 0

    darkest: float = 0.0
    direction: str = "both"

    def __post_init__(self) -> None:
        """Check the options."""
        number("FadeInOut", "darkest", self.darkest, 0.0, 1.0)
        choice("FadeInOut", "direction", self.direction, ("both", "in", "out"))

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W)."""
        num_frames, size = clip_shape("FadeInOut", num_frames, size)
        out = bool(rng.integers(2)) if self.direction == "both" else self.direction == "out"
        brightness = np.linspace(1.0, float(self.darkest), num_frames)
        return Motion(
            family="FadeInOut",
            size=size,
            homographies=_still(num_frames),
            color_ops=("brightness",),
            color=(brightness if out else brightness[::-1])[:, None],
        )


@dataclass(frozen=True)
class ColorJitter:
    """One small change of colours, drawn once and applied frame after frame (supplement, Sec. D).

    The four steps are torchvision's, in an order drawn once. How the paper's ranges are meant
    ("brightness as [0.0, 0.2]") is a silence, see ``reading``.

    Args:
        brightness: Strength s in [0, 1].
        contrast: Strength s in [0, 1].
        saturation: Strength s in [0, 1].
        hue: Largest shift in turns per frame, in [0, 0.5].
        reading: ``'strength'``: a factor from [1 - s, 1 + s] and a hue shift from [-hue, hue], what
            torchvision's class makes of these four numbers. ``'factor'``: a factor from [0, s] and
            a hue shift from [0, hue], the literal reading; the clip is black after a few frames.
        resampling: ``'recursive'`` (the paper's pseudo-code; colours that saturate are lost) or
            ``'composed'`` (frame k is the image changed once, by the k-th power of the factors).

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 0

    brightness: float = 0.2
    contrast: float = 0.3
    saturation: float = 0.2
    hue: float = 0.1
    reading: str = "strength"
    resampling: str = "recursive"

    def __post_init__(self) -> None:
        """Check the options."""
        for key in ("brightness", "contrast", "saturation"):
            number("ColorJitter", key, getattr(self, key), 0.0, 1.0)
        number("ColorJitter", "hue", self.hue, 0.0, 0.5)
        choice("ColorJitter", "reading", self.reading, ("strength", "factor"))
        choice("ColorJitter", "resampling", self.resampling, RESAMPLINGS)

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W)."""
        num_frames, size = clip_shape("ColorJitter", num_frames, size)
        order = [COLOR_OPS[i] for i in rng.permutation(len(COLOR_OPS))]
        frames = np.arange(num_frames)
        columns = []
        for name in order:
            strength = getattr(self, name)
            if name == "hue":
                shift = rng.uniform(0.0 if self.reading == "factor" else -strength, strength)
                columns.append(frames * shift)
            elif self.reading == "factor":
                columns.append(rng.uniform(0.0, strength) ** frames)
            else:
                columns.append(rng.uniform(1.0 - strength, 1.0 + strength) ** frames)
        return Motion(
            family="ColorJitter",
            size=size,
            homographies=_still(num_frames),
            resampling=self.resampling,
            color_ops=tuple(order),
            color=np.stack(columns, axis=1),
        )
