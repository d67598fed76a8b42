"""Visual Atom's images, made in the data worker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmaction.registry import DATASETS

from mmpmg.synthesis import visual_atom_image

from .generated_images import GeneratedImages


@DATASETS.register_module()
class VisualAtomImages(GeneratedImages):
    """Images of VisualAtom's kind (`mmpmg.synthesis.visual_atom`); the defaults are those of -1k.

    Args:
        num_categories: how many atoms.
        images_per_category: how many images of each.
        size: side, or (height, width), in pixels.
        seed: another seed gives other atoms.

    Raises:
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        num_categories: int = 1000,
        images_per_category: int = 1000,
        size: int | Sequence[int] = 512,
        seed: int = 0,
    ) -> None:
        super().__init__(num_categories, images_per_category, size, seed)

    def name(self, index: int) -> str:
        """Return the call that makes an image again."""
        category, instance = self.address(index)
        return f"visual_atom_image({self.seed}, {category}, {instance}, {self.size})"

    def load(self, index: int) -> np.ndarray:
        """Make an image, (H, W, 3) uint8 RGB."""
        return visual_atom_image(self.seed, *self.address(index), self.size)
