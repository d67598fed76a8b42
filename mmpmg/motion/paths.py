"""How a window wanders: shared by SlidingWindow and CutMix."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PATHS = ("line", "walk")


def window_path(
    rng: np.random.Generator, path: str, num_frames: int, room: float, step: float
) -> npt.NDArray[np.float64]:
    """Draw where a window's corner stands in each frame.

    Args:
        rng: Source of randomness.
        path: ``'line'``: straight and at constant speed between two points drawn uniformly;
            ``'walk'``: from a uniformly drawn point, each frame steps by U(-step, step) per axis
            and is reflected at the edge of the room.
        num_frames: T.
        room: Side of the square in which the corner may stand, a fraction of the image's side
            (1 - window), in [0, 1].
        step: Longest step of a walk per axis and frame, a fraction of the image's side.

    Returns:
        (T, 2) positions (x, y) in [0, room].
    """
    if path == "line":
        ends = rng.uniform(0.0, room, size=(2, 2))
        progress = np.linspace(0.0, 1.0, num_frames)[:, None]
        return ends[0] * (1.0 - progress) + ends[1] * progress
    start = rng.uniform(0.0, room, size=(1, 2))
    steps = rng.uniform(-step, step, size=(num_frames - 1, 2))
    free = np.concatenate([start, start + np.cumsum(steps, axis=0)])
    # Reflection at 0 and at room unfolds to a triangle wave of period 2 room.
    return room - np.abs(np.mod(free, 2.0 * room) - room) if room > 0 else np.zeros_like(free)
