"""Images that a formula makes, in the data worker: nothing to download, nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from mmaction.registry import DATASETS

from mmpmg.synthesis import shader_image


class GeneratedImages:
    """A number of categories, and endlessly many images of each; what all generators share.

    Image ``index`` is instance ``index // num_categories`` of category ``index % num_categories``,
    so that the first images are balanced over the categories. It is a function of (seed, category,
    instance) alone. The length is ``num_categories * images_per_category``; `load` and `name` go
    on beyond it, with further instances of the same categories.

    Args:
        num_categories: how many categories.
        images_per_category: how many images of each.
        size: side, or (height, width), in pixels.
        seed: [0, 2^32); another seed gives other categories.

    Raises:
        ValueError: an option is illegal.
    """

    #: The images do not end with the length.
    endless: ClassVar[bool] = True

    def __init__(
        self,
        num_categories: int,
        images_per_category: int,
        size: int | Sequence[int],
        seed: int,
    ) -> None:
        self.num_categories = positive(num_categories, "images.num_categories")
        self.images_per_category = positive(images_per_category, "images.images_per_category")
        sides = (size, size) if isinstance(size, (int, np.integer)) else size
        if isinstance(sides, str) or not isinstance(sides, Sequence) or len(sides) != 2:
            raise ValueError(f"images.size={size!r}: must be a side or (height, width)")
        self.size = (positive(sides[0], "images.size"), positive(sides[1], "images.size"))
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
            raise ValueError(f"images.seed={seed!r}: must be a whole number")
        if not 0 <= seed < 2**32:
            raise ValueError(f"images.seed={seed}: must be 0 or more and below 2^32")
        self.seed = int(seed)

    def __len__(self) -> int:
        return self.num_categories * self.images_per_category

    def address(self, index: int) -> tuple[int, int]:
        """Return (category, instance) of an image.

        Raises:
            IndexError: ``index`` is negative.
        """
        if index < 0:
            raise IndexError(f"image {index}: must be 0 or more")
        return index % self.num_categories, index // self.num_categories

    def categories(self) -> np.ndarray:
        """Return the category of every image, (N,) int32."""
        return np.arange(len(self), dtype=np.int32) % np.int32(self.num_categories)


@DATASETS.register_module()
class ShaderImages(GeneratedImages):
    """Procedural shader images.

    Every category is a random program and its images are views of it, as the frames of one shader
    are (`mmpmg.synthesis.shader`). None is flat: such programs and views are replaced by that
    function itself.

    Args:
        num_categories: how many programs.
        images_per_category: how many images of each.
        size: side, or (height, width), in pixels.
        seed: another seed gives other programs.

    Raises:
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        num_categories: int = 1000,
        images_per_category: int = 100,
        size: int | Sequence[int] = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(num_categories, images_per_category, size, seed)

    def name(self, index: int) -> str:
        """Return the call that makes an image again."""
        category, instance = self.address(index)
        return f"shader_image({self.seed}, {category}, {instance}, {self.size})"

    def load(self, index: int) -> np.ndarray:
        """Make an image, (H, W, 3) uint8 RGB."""
        return shader_image(self.seed, *self.address(index), self.size)


def positive(value: Any, key: str) -> int:
    """Return a whole number of at least 1, or say which recipe key is not one."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{key}={value!r}: must be a whole number, 1 or more")
    return int(value)
