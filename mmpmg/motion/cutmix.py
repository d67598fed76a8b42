"""CutMix: a piece of a second image slides over the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .motion import Motion
from .paste import Paste
from .paths import PATHS, window_path
from .ranges import choice, clip_shape, number


@dataclass(frozen=True)
class CutMix:
    """A window cut from a fixed place of a second image moves over the first (supplement, Sec. D).

    The window is not resized, and it stands on whole pixels: its content is the partner's, bit for
    bit. Every frame is made from the two images, so the motion is always ``composed``.

    Args:
        window: Side of the window as a fraction of the image's side, in (0, 1]; 112 of 224.
        path: ``'line'`` between two random positions, or ``'walk'``, see
            :func:`mmpmg.motion.paths.window_path`.
        step: Longest step of a walk per axis and frame, a fraction of the image's side in [0, 1].

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 1

    window: float = 0.5
    path: str = "line"
    step: float = 0.05

    def __post_init__(self) -> None:
        """Check the options."""
        number("CutMix", "window", self.window, 1e-3, 1.0)
        choice("CutMix", "path", self.path, PATHS)
        number("CutMix", "step", self.step, 0.0, 1.0)

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W) and a partner of the same size."""
        num_frames, size = clip_shape("CutMix", num_frames, size)
        height, width = size
        w, h = max(1, round(self.window * width)), max(1, round(self.window * height))
        x, y = int(rng.integers(width - w + 1)), int(rng.integers(height - h + 1))
        # A path in the unit square, stretched to the pixels that are left: its ends are reachable
        # whatever the rounding of the window's sides.
        room = 1.0 - self.window
        path = window_path(rng, self.path, num_frames, room, self.step) / (room or 1.0)
        positions = np.rint(path * (width - w, height - h)).astype(np.int64)
        return Motion(
            family="CutMix",
            size=size,
            homographies=np.tile(np.eye(3), (num_frames, 1, 1)),
            paste=Paste(source=(x, y, w, h), positions=positions),
        )
