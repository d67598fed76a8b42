"""What a pipeline may hand to PMG: frames that are images, and a partner that fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def _is_image(image: object) -> bool:
    return (
        isinstance(image, np.ndarray)
        and image.dtype == np.uint8
        and image.ndim == 3
        and image.shape[2] == 3
        and image.size > 0
    )


def describe(image: object) -> str:
    """Say what a thing is that should have been an image: type and shape of an array, or type."""
    if isinstance(image, np.ndarray):
        return f"a {image.dtype} array of shape {image.shape}"
    return f"a {type(image).__name__}"


def check_frames(name: str, results: Mapping[str, Any]) -> list[npt.NDArray[np.uint8]]:
    """Return ``results['imgs']`` if it is a list of images.

    Args:
        name: The transform that asks, for the message.
        results: The sample.

    Returns:
        The frames, each (H, W, 3) uint8.

    Raises:
        ValueError: If the key is absent, the list empty, or a frame no 8-bit RGB image.
    """
    frames = results.get("imgs")
    if not isinstance(frames, (list, tuple)) or len(frames) == 0:
        raise ValueError(
            f"{name}: results['imgs'] must be a list of at least one (H, W, 3) uint8 image, got "
            f"{describe(frames)}; put {name} after decoding and before FormatShape"
        )
    for frame in frames:
        if not _is_image(frame):
            raise ValueError(
                f"{name}: a frame must be an (H, W, 3) uint8 image, got {describe(frame)}; put "
                f"{name} before any transform that normalises or formats"
            )
    return list(frames)


def fit_partner(image: npt.NDArray[np.uint8], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Resize an image to cover (H, W), keeping its aspect, and cut out the middle.

    Args:
        image: (h, w, 3) uint8, as decoded: it has not gone through the pipeline's crops.
        size: (H, W) of the clip.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: If it is no 8-bit RGB image.
    """
    if not _is_image(image):
        raise ValueError(
            f"load_partner must return an (H, W, 3) uint8 image, got {describe(image)}"
        )
    height, width = size
    h, w = image.shape[:2]
    if (h, w) == size:
        return image
    scale = max(height / h, width / w)
    new_h, new_w = max(height, round(h * scale)), max(width, round(w * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(image, (new_w, new_h), interpolation=how)
    y, x = (new_h - height) // 2, (new_w - width) // 2
    return np.ascontiguousarray(resized[y : y + height, x : x + width], dtype=np.uint8)
