"""VideoMAE's crop, for images of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
from mmaction.datasets.transforms import MultiScaleCrop
from mmaction.registry import TRANSFORMS


@TRANSFORMS.register_module()
class MultiScaleCropInside(MultiScaleCrop):
    """MMAction2's ``MultiScaleCrop`` that enlarges an image smaller than the crop first.

    MMAction2 rounds a crop up to ``input_size`` when they are less than three pixels apart; an
    image whose shorter side is that much too small is then cut to a strip of a pixel or two,
    without an error.

    Args:
        input_size: Side of the crop in pixels, or (width, height).
        scales: Sides of a crop as shares of the image's shorter side; VideoMAE's by default.
        max_wh_scale_gap: How many places in ``scales`` width and height may differ by.
        num_fixed_crops: Places to crop at, 5 or 13.
    """

    def __init__(
        self,
        input_size: int | tuple[int, int],
        scales: Sequence[float] = (1, 0.875, 0.75, 0.66),
        max_wh_scale_gap: int = 1,
        num_fixed_crops: int = 13,
    ) -> None:
        super().__init__(
            input_size,
            scales=tuple(scales),
            max_wh_scale_gap=max_wh_scale_gap,
            num_fixed_crops=num_fixed_crops,
        )

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Enlarge where needed, keeping the aspect ratio, and crop."""
        height, width = results["img_shape"]
        scale = max(self.input_size[0] / width, self.input_size[1] / height)
        if scale > 1:
            size = (
                max(self.input_size[0], round(width * scale)),
                max(self.input_size[1], round(height * scale)),
            )
            results["imgs"] = [
                cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR) for frame in results["imgs"]
            ]
            results["img_shape"] = size[::-1]
        return super().transform(results)
