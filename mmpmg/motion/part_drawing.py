"""How a part's random shape is drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .matte import Matte

#: Pixels between a drawn shape's box and the image's edge, at least.
HAIR = 1e-6


def draw_matte(
    rng: np.random.Generator, size: tuple[int, int], outline: str, extent: float, softness: float
) -> Matte:
    """Draw a shape of a given extent somewhere inside an image.

    Args:
        rng: Source of randomness.
        size: (H, W) of the image.
        outline: ``'blob'``: an ellipse with two to four bumps; ``'polygon'``: 3 to 9 corners, every
            third one a star, whose every other corner lies halfway in.
        extent: The larger side of the shape's bounding box, rim included, pixels; kept
            between 3 and the image's shorter side less 1.
        softness: Width of the soft rim, pixels; kept between half a pixel and a third of the
            extent.

    Returns:
        The shape; its box lies inside the image.
    """
    height, width = size
    # A hair inside, so that rounding does not push the box over the image's edge.
    extent = min(max(extent, 3.0), min(size) - 1.0 - 10 * HAIR)
    shape: tuple[float, ...]
    if outline == "blob":
        count = int(rng.integers(1, 4))
        # Bumps get weaker with their number, or the rim would look like a cog.
        bumps = rng.uniform(-0.35, 0.35, size=(count, 2)) / np.arange(1, count + 1)[:, None]
        strength = float(np.hypot(bumps[:, 0], bumps[:, 1]).sum())
        shape = tuple((bumps * min(1.0, 0.6 / strength)).ravel().tolist())
    else:
        corners = int(rng.integers(3, 10))
        distances = rng.uniform(0.75, 1.0, size=corners)
        if rng.random() < 1 / 3:
            corners = 2 * max(corners // 2, 2) + 2  # a star of 3 to 5 points has 6 to 10 corners
            distances = rng.uniform(0.8, 1.0, size=corners) * np.tile((1.0, 0.5), corners // 2)
        shape = tuple(distances.tolist())
    trial = Matte(
        outline,
        centre=(0.0, 0.0),
        radius=0.5 * extent,
        shape=shape,
        stretch=math.exp(rng.uniform(-0.35, 0.35)),
        angle=float(rng.uniform(-math.pi, math.pi)),
        softness=min(max(softness, 0.5), extent / 3),
    )
    # All of the box but the rim's own width grows with the radius.
    box = np.array(trial.box()).reshape(2, 2)
    half = 0.5 * trial.softness * np.array([[-1.0], [1.0]])
    ratio = (extent - trial.softness) / (np.ptp(box, axis=0).max() - trial.softness)
    first, last = (box - half) * ratio + half
    centre = rng.uniform(HAIR - first, np.array([width - 1.0, height - 1.0]) - last - HAIR)
    return replace(
        trial, radius=trial.radius * float(ratio), centre=(float(centre[0]), float(centre[1]))
    )
