"""Render a motion on the CPU with OpenCV: the fast renderer of the data workers."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from .color_opencv import change_color
from .motion import Motion
from .part_opencv import Part
from .paste import Paste
from .warp_opencv import Image, Warp, with_fourth_channel

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


def _check_partners(motion: Motion, partners: Sequence[Image]) -> list[Image]:
    """Return as many partners as the motion needs."""
    needed = motion.num_images - 1
    if isinstance(partners, np.ndarray) or len(partners) < needed:
        got = "one array" if isinstance(partners, np.ndarray) else f"{len(partners)}"
        raise ValueError(
            f"render: {motion.family} needs {needed} other image{'s' * (needed != 1)} beside the "
            f"source, got {got}; pass a list of them as partners"
        )
    return [_check_image(f"partner {i}", partners[i], motion.size) for i in range(needed)]


def _stick(paste: Paste, frame: int, partner: Image, out: Image) -> None:
    """Copy the paste's rectangle of the partner onto the frame, clipped at the frame's rim."""
    (x, y, w, h), (left, top) = paste.source, (int(v) for v in paste.positions[frame])
    height, width = out.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
    if x0 < x1 and y0 < y1:
        dx, dy = x - left, y - top
        out[y0:y1, x0:x1] = partner[y0 + dy : y1 + dy, x0 + dx : x1 + dx]


def _moves(motion: Motion) -> bool:
    return motion.deformation is not None or bool((motion.homographies != _IDENTITY).any())


def _move(image: Image, motion: Motion, clip: Image) -> None:
    """Warp and colour every frame, straight into the clip."""
    recursive = motion.resampling == "recursive"
    warps = motion.warp_steps() if recursive else motion.homographies
    colors = motion.color_steps() if recursive else motion.color
    moves = _moves(motion)
    warp = Warp(motion)
    source = with_fourth_channel(image) if moves else image
    # Recursive frames take turns in two buffers; nothing is allocated frame by frame.
    buffers = [np.empty_like(source), np.empty_like(source)] if moves else []
    for k, frame in enumerate(clip):
        if moves:
            warped = buffers[k % 2]
            warp(source, warps[k], k, warped)
            cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB, dst=frame)
        else:
            np.copyto(frame, source)
        for name, amount in zip(motion.color_ops, colors[k], strict=True):
            change_color(frame, name, float(amount))
        if recursive:
            source = frame
            if moves:
                source = with_fourth_channel(frame) if motion.color_ops else warped


def render(image: Image, motion: Motion, partners: Sequence[Image] = ()) -> npt.NDArray[np.uint8]:
    """Make the clip: deterministic, the same image and motion give the same clip.

    Args:
        image: (H, W, 3) uint8, the source; H and W as the motion was sampled for.
        motion: What happens to it.
        partners: The other images, (H, W, 3) uint8 each, ``motion.num_images - 1`` of them in the
            order of :attr:`Motion.num_images`; what is beyond those is ignored.

    Returns:
        (T, H, W, 3) uint8, a new array.

    Raises:
        ValueError: If an image is missing or does not fit the motion.
    """
    image = _check_image("image", image, motion.size)
    images = _check_partners(motion, partners)
    clip = np.empty((motion.num_frames, *motion.size, 3), dtype=np.uint8)
    _move(image, motion, clip)
    for layer in motion.layers:
        part = Part(layer, images[motion.layer_partner(layer)])
        for k, frame in enumerate(clip):
            part.lay(k, frame)
    if motion.paste is not None:
        for k, frame in enumerate(clip):
            _stick(motion.paste, k, images[0], frame)
    return clip
