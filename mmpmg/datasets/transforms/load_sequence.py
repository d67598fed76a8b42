"""Read all frames and masks of a sequence."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from ..davis_check import MIN_FRAMES
from ..image_decoding import read_image
from ..object_masks import AnnotationError, object_ids_of, read_values


@TRANSFORMS.register_module()
class LoadSequence(BaseTransform):
    """Read what `DAVISDataset` names: frames and masks, resized together if that is wanted.

    Needs ``frame_files``, ``mask_files``, ``object_ids``, ``binary_masks``, ``unknown_ids``. Adds
    ``imgs`` (T, H, W, 3) uint8 RGB, ``gt_masks`` (T, H, W) uint8 tensor of object ids, 0 for
    background; ``img_shape``, ``original_shape``, ``modality``, ``num_clips=1``, ``clip_len=T``.
    ``FormatShape(input_format="NCTHW")`` comes next. Frames are reduced by areas (enlarged
    linearly), masks by the nearest pixel's centre, so no id arises that was not there.

    Args:
        short_side: Shorter side of the frames and masks in pixels, >= 1, the aspect kept. None: as
            they are. J and F are then measured at that size, and not comparable with DAVIS's own
            480 pixels if it is another.
        max_frames: Read no more than the sequence's first ones, at least `MIN_FRAMES`, to try
            things out. None: all. J and F are then those of the frames read.

    Raises:
        ValueError: ``short_side`` is below 1, or ``max_frames`` below `MIN_FRAMES`.
    """

    def __init__(self, short_side: int | None = None, max_frames: int | None = None) -> None:
        if short_side is not None and short_side < 1:
            raise ValueError(f"LoadSequence.short_side={short_side}: must be None or 1 or more")
        if max_frames is not None and max_frames < MIN_FRAMES:
            raise ValueError(
                f"LoadSequence.max_frames={max_frames}: must be None or {MIN_FRAMES} or more; the "
                "first frame is given and the last does not count"
            )
        self.short_side = short_side
        self.max_frames = max_frames

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Read a sequence.

        Args:
            results: See the class.

        Returns:
            ``results`` with what is added.

        Raises:
            ImageReadError: A file does not open.
            AnnotationError: A mask has unknown ids, or an object of the first frame is so small
                that nothing of it is left at ``short_side``.
        """
        files = list(zip(results["frame_files"], results["mask_files"], strict=True))
        files = files[: self.max_frames]
        height, width = read_image(files[0][0]).shape[:2]
        shape = self._shape(height, width)
        frames = np.empty((len(files), *shape, 3), dtype=np.uint8)
        masks = np.empty((len(files), *shape), dtype=np.uint8)
        reduced = shape[0] < height
        for k, (frame, mask) in enumerate(files):
            ids = object_ids_of(
                read_values(mask),
                mask,
                results["binary_masks"],
                len(results["object_ids"]),
                results["unknown_ids"],
            )
            frames[k] = _resize(
                read_image(frame), shape, cv2.INTER_AREA if reduced else cv2.INTER_LINEAR
            )
            masks[k] = _resize(ids, shape, cv2.INTER_NEAREST_EXACT)
        lost = sorted(set(results["object_ids"]) - set(np.unique(masks[0]).tolist()))
        if lost:
            raise AnnotationError(
                f"{files[0][1]}: nothing is left of objects {lost} at a short side of "
                f"{self.short_side} pixels; raise LoadSequence.short_side"
            )
        results.update(
            imgs=frames,
            gt_masks=torch.from_numpy(masks),
            img_shape=shape,
            original_shape=(height, width),
            modality="RGB",
            num_clips=1,
            clip_len=len(files),
        )
        return results

    def _shape(self, height: int, width: int) -> tuple[int, int]:
        if self.short_side is None:
            return height, width
        scale = self.short_side / min(height, width)
        return max(1, round(height * scale)), max(1, round(width * scale))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(short_side={self.short_side}, max_frames={self.max_frames})"


def _resize(image: np.ndarray, shape: tuple[int, int], how: int) -> np.ndarray:
    if image.shape[:2] == shape:
        return image
    return np.asarray(cv2.resize(image, shape[::-1], interpolation=how))
