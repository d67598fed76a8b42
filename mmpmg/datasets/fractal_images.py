"""FractalDB's images, made in the data worker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmaction.registry import DATASETS

from mmpmg.synthesis import FRACTAL_COLORS, FRACTAL_FEWEST_POINTS, fractal_image

from .generated_images import GeneratedImages, positive


@DATASETS.register_module()
class FractalImages(GeneratedImages):
    """Images of FractalDB's kind (`mmpmg.synthesis.fractal`); the defaults are FractalDB-1k's.

    The first image of a category waits for the search of its fractal, about a tenth of a second in
    every worker.

    Args:
        num_categories: how many fractals.
        images_per_category: how many images of each; the first 1000 are those of FractalDB, later
            ones have patches of their own.
        size: side, or (height, width), in pixels.
        seed: another seed gives other fractals.
        color: ``"grey"`` as published, ``"iteration"`` or ``"map"``; see `fractal_image`.
        points: how many are drawn, 100 or more; fewer make smaller pictures as dense, and faster.

    Raises:
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        num_categories: int = 1000,
        images_per_category: int = 1000,
        size: int | Sequence[int] = 362,
        seed: int = 0,
        color: str = "grey",
        points: int = 200_000,
    ) -> None:
        super().__init__(num_categories, images_per_category, size, seed)
        if color not in FRACTAL_COLORS:
            allowed = ", ".join(FRACTAL_COLORS)
            raise ValueError(f"images.color={color!r}: must be one of {allowed}")
        self.color = color
        self.points = positive(points, "images.points")
        if self.points < FRACTAL_FEWEST_POINTS:
            raise ValueError(f"images.points={points}: must be {FRACTAL_FEWEST_POINTS} or more")

    def name(self, index: int) -> str:
        """Return the call that makes an image again."""
        category, instance = self.address(index)
        return (
            f"fractal_image({self.seed}, {category}, {instance}, {self.size}, "
            f"{self.color!r}, {self.points})"
        )

    def load(self, index: int) -> np.ndarray:
        """Make an image, (H, W, 3) uint8 RGB."""
        return fractal_image(self.seed, *self.address(index), self.size, self.color, self.points)
