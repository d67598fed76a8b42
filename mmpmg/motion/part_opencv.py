"""Lay a part over a frame on the CPU, inside its own bounding box only."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from .color_opencv import change_color
from .layer import Layer
from .warp_opencv import FloatArray, Image, Warp


class Part:
    """A layer made ready for one clip: its image cut to the matte's box, the matte beside it.

    Args:
        layer: The layer.
        image: (H, W, 3) uint8, what it is cut from; None where only the matte is asked for.
    """

    def __init__(self, layer: Layer, image: Image | None) -> None:
        motion = layer.motion
        height, width = motion.size
        x0, y0, x1, y1 = layer.matte.box()
        # On the box's sides the matte is 0, so that the outermost pixels are 0 as well, and all
        # beyond them, be it fill or the edge repeated.
        left, top = max(math.floor(x0), 0), max(math.floor(y0), 0)
        right, bottom = min(math.ceil(x1) + 1, width), min(math.ceil(y1) + 1, height)
        self.source = np.zeros((bottom - top, right - left, 4), np.uint8)
        if image is not None:
            self.source[..., :3] = image[top:bottom, left:right]
        self.source[..., 3] = layer.matte.raster(motion.size)[top:bottom, left:right]
        to_cut = np.eye(3)
        to_cut[:2, 2] = -left, -top
        self.homographies = to_cut @ motion.homographies
        self.color_ops, self.color = motion.color_ops, motion.color
        self.warp = Warp(motion)
        self.boxes = _boxes(layer, (left, top, right - 1, bottom - 1))

    def cut(self, frame: int) -> tuple[tuple[slice, slice], Image] | None:
        """Return where a frame may show the part, and its four channels there; None if nowhere."""
        left, top, right, bottom = (int(v) for v in self.boxes[frame])
        if left >= right or top >= bottom:
            return None
        out = np.empty((bottom - top, right - left, 4), np.uint8)
        self.warp(self.source, self.homographies[frame], frame, out, (left, top))
        return (slice(top, bottom), slice(left, right)), out

    def lay(self, frame: int, below: Image) -> None:
        """Lay the part over frame k, ``below`` (H, W, 3), in place."""
        shown = self.cut(frame)
        if shown is None:
            return
        place, part = shown
        rgb = cv2.cvtColor(part, cv2.COLOR_RGBA2RGB)
        for name, amount in zip(self.color_ops, self.color[frame], strict=True):
            change_color(rgb, name, float(amount))
        # (alpha * part + (255 - alpha) * below) / 255 is never half a level, so that a float32
        # product rounds as whole numbers would.
        alpha = cv2.extractChannel(part, 3).astype(np.float32)
        below[place] = cv2.blendLinear(
            rgb, np.ascontiguousarray(below[place]), alpha, 255.0 - alpha
        )

    def alphas(self) -> npt.NDArray[np.uint8]:
        """Return (T, H, W) uint8: the weight with which every frame shows the part."""
        alphas = np.zeros((len(self.homographies), *self.warp.size), np.uint8)
        for k, levels in enumerate(alphas):
            shown = self.cut(k)
            if shown is not None:
                levels[shown[0]] = shown[1][..., 3]
        return alphas


def _boxes(layer: Layer, box: tuple[int, int, int, int]) -> npt.NDArray[np.int64]:
    """Return (T, 4): left, top, right, bottom (exclusive) of where a frame may show the part."""
    height, width = layer.motion.size
    x0, y0, x1, y1 = box
    corners = np.array([[x0, x1, x0, x1], [y0, y0, y1, y1], [1.0, 1.0, 1.0, 1.0]])
    seen: FloatArray = np.linalg.inv(layer.motion.homographies) @ corners  # [T, 3, 4]
    ahead = (seen[:, 2] > 0).all(axis=1)
    points = seen[:, :2] / np.where(ahead[:, None], seen[:, 2], 1.0)[:, None]
    reach = np.zeros((len(points), 2))
    if layer.motion.deformation is not None:
        reach = layer.motion.deformation.reach()
    lowest = np.floor(points.min(axis=2) - reach)
    highest = np.ceil(points.max(axis=2) + reach) + 1
    # Where a corner stands behind the horizon, a box of the others says nothing: the whole frame.
    lowest[~ahead], highest[~ahead] = 0, (width, height)
    sides = np.array([width, height])
    return np.concatenate([lowest.clip(0, sides), highest.clip(0, sides)], axis=1).astype(np.int64)
