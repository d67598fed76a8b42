"""What the families that resample the whole frame share, and the one that does nothing.

For Affine and Perspective the paper uses the classes of torchvision, so their conventions hold to
the half pixel. A step M maps a point of frame k to frame k + 1; frame k therefore shows the source
at ``inv(M)^k``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .motion import FloatArray, Motion
from .ranges import clip_shape


def step_powers(step: FloatArray, num_frames: int, drawn_from: str) -> FloatArray:
    """Raise a step to the powers of 0 .. T-1, so that frame 0 is the image itself.

    Args:
        step: (3, 3), a point of frame k + 1 to the point of frame k that it shows.
        num_frames: T.
        drawn_from: The recipe's option that makes the step as large as it is, for the message.

    Returns:
        (T, 3, 3) float64.

    Raises:
        ValueError: If a power is beyond the numbers.
    """
    powers = np.empty((num_frames, 3, 3))
    powers[0] = np.eye(3)
    with np.errstate(over="ignore", invalid="ignore"):
        for k in range(1, num_frames):
            np.matmul(powers[k - 1], step, out=powers[k])
        lost = ~np.isfinite(powers).all(axis=(1, 2)) | (np.linalg.det(powers) == 0)
    if lost.any():
        raise ValueError(
            f"{drawn_from} is too much for num_frames={num_frames}: frame {int(lost.argmax())} "
            "shows nothing of the image that numbers can tell; lower one of the two"
        )
    return powers


@dataclass(frozen=True)
class Identity:
    """The image stands still: the paper's baseline."""

    num_partners: ClassVar[int] = 0

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Return the motion of T frames that is none, for an image of (H, W)."""
        num_frames, size = clip_shape("Identity", num_frames, size)
        return Motion("Identity", size, np.tile(np.eye(3), (num_frames, 1, 1)))
