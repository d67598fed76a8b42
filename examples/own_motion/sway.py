"""A motion of your own: the image swings from its upper edge, like a sign in the wind."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mmpmg.motion import OPS, Motion


@dataclass(frozen=True)
class Sway:
    """A pendulum's swing.

    Args:
        angle: Largest swing to either side, in degrees, at least 0.
        swings: Swings there and back in a clip, at least 0.
    """

    num_partners: ClassVar[int] = 0  # other images that a motion may need

    angle: float = 12.0
    swings: float = 1.0

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw where the swing begins and where it hangs, once for all T frames."""
        phase = rng.uniform(0.0, 2.0 * np.pi)
        pivot = np.array([rng.uniform(0.0, size[1]), 0.0])  # on the upper edge
        time = np.arange(num_frames) / num_frames
        turn = np.radians(self.angle) * np.sin(2.0 * np.pi * self.swings * time + phase)
        homographies = np.tile(np.eye(3), (num_frames, 1, 1))  # pixel of a frame -> of the image
        homographies[:, 0, 0] = homographies[:, 1, 1] = np.cos(turn)
        homographies[:, 0, 1], homographies[:, 1, 0] = -np.sin(turn), np.sin(turn)
        homographies[:, :2, 2] = pivot - homographies[:, :2, :2] @ pivot
        return Motion("Sway", size, homographies, border="replicate")


OPS["Sway"] = Sway  # recipes build ops by these names
