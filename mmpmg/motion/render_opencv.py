"""Render a motion on the CPU with OpenCV: the fast renderer of the data workers.

Frames are warped by OpenCV 5's linear kernels, which weigh in float32 and stay within rounding of
exact bilinear sampling; OpenCV 4 quantises positions to 1/32 pixel, up to 4 grey levels at the
hardest edges.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from .color_opencv import change_color
from .motion import FloatArray, Motion
from .paste import Paste

Image: TypeAlias = npt.NDArray[np.uint8]

_INTERPOLATION = {"bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}
_IDENTITY = np.eye(3)


def _check_image(name: str, image: Image, size: tuple[int, int]) -> Image:
    """Return the image in memory order, or say what is wrong with it."""
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3:
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image)
        raise ValueError(f"render: {name} must be an (H, W, 3) uint8 array, got {got}")
    if image.shape != (*size, 3):
        raise ValueError(
            f"render: {name} has shape {image.shape}, but the motion was sampled for "
            f"{(*size, 3)}; resize the image first or sample for its size"
        )
    return np.ascontiguousarray(image)


def _blank_behind_horizon(frame: Image, homography: FloatArray, fill: tuple[int, ...]) -> None:
    """Fill in place where w <= 0: OpenCV would show those points mirrored."""
    height, width = frame.shape[:2]
    g, h, i = homography[2]
    # w is linear in (x, y), so its least value over the frame stands at a corner.
    if i + min(0.0, g * (width - 1)) + min(0.0, h * (height - 1)) > 0:
        return
    w = g * np.arange(width) + (h * np.arange(height) + i)[:, None]
    frame[w <= 0] = fill


def _warp(source: Image, homography: FloatArray, motion: Motion, out: Image) -> None:
    """Show the source through a homography (output pixel to source pixel), into ``out``."""
    if np.array_equal(homography, _IDENTITY):
        np.copyto(out, source)
        return
    height, width = motion.size
    replicate = isinstance(motion.border, str)
    fill = (0, 0, 0) if isinstance(motion.border, str) else motion.border
    affine = bool((homography[2] == _IDENTITY[2]).all())
    warp = cv2.warpAffine if affine else cv2.warpPerspective
    warp(
        source,
        homography[:2] if affine else homography,
        (width, height),
        dst=out,
        flags=_INTERPOLATION[motion.interpolation] | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT,
        borderValue=fill,
    )
    if not affine:
        _blank_behind_horizon(out, homography, fill)


def _stick(paste: Paste, frame: int, partner: Image, out: Image) -> None:
    """Copy the paste's rectangle of the partner onto the frame, clipped at the frame's rim."""
    (x, y, w, h), (left, top) = paste.source, (int(v) for v in paste.positions[frame])
    height, width = out.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
    if x0 < x1 and y0 < y1:
        dx, dy = x - left, y - top
        out[y0:y1, x0:x1] = partner[y0 + dy : y1 + dy, x0 + dx : x1 + dx]


def render(image: Image, motion: Motion, partner: Image | None = None) -> npt.NDArray[np.uint8]:
    """Make the clip: deterministic, the same image and motion give the same clip.

    Args:
        image: (H, W, 3) uint8, the source; H and W as the motion was sampled for.
        motion: What happens to it.
        partner: (H, W, 3) uint8, the second image; needed if, and only if, the motion pastes one.

    Returns:
        (T, H, W, 3) uint8, a new array.

    Raises:
        ValueError: If an image is missing or does not fit the motion.
    """
    image = _check_image("image", image, motion.size)
    if motion.paste is not None:
        if partner is None:
            raise ValueError(f"render: {motion.family} pastes a second image; pass it as partner")
        partner = _check_image("partner", partner, motion.size)
    recursive = motion.resampling == "recursive"
    warps = motion.warp_steps() if recursive else motion.homographies
    colors = motion.color_steps() if recursive else motion.color
    # Every frame is warped straight into the clip; OpenCV takes a view of it as its target.
    clip = np.empty((motion.num_frames, *motion.size, 3), dtype=np.uint8)
    for k, frame in enumerate(clip):
        _warp(clip[k - 1] if recursive and k else image, warps[k], motion, frame)
        for name, amount in zip(motion.color_ops, colors[k], strict=True):
            change_color(frame, name, float(amount))
        if motion.paste is not None and partner is not None:
            _stick(motion.paste, k, partner, frame)
    return clip
