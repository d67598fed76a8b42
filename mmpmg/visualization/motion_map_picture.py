"""Points that are followed, motion maps, and the regions that they mark, drawn."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from .branch_prediction import FloatArray
from .labels import INK, PAPER, Picture, text_block, text_width

POINT = (60, 230, 90)
LOST = (128, 128, 128)
RIM = (20, 20, 20)
REGION = (0, 225, 255)
Bools: TypeAlias = npt.NDArray[np.bool_]


def enlarge(picture: Picture, factor: int) -> Picture:
    """Repeat the pixels of (H, W, 3) by a whole factor: (H * factor, W * factor, 3)."""
    return np.ascontiguousarray(picture.repeat(factor, axis=0).repeat(factor, axis=1))


def draw_points(
    frame: Picture,
    points: FloatArray,
    moved: FloatArray,
    found: Bools,
    scale: int = 1,
    stretch: float = 1.0,
) -> Picture:
    """Draw points with lines to where they go: green with a dark rim; lost ones are grey dots.

    Args:
        frame: (H, W, 3) uint8.
        points: (n, 2) as (x, y), pixels of the frame, pixel centres at integers.
        moved: (n, 2) displacements in pixels.
        found: (n,) False where a point was lost; its displacement is not drawn.
        scale: Enlarges the picture, so that lines on a small frame stay thin; >= 1.
        stretch: Lengthens the lines, > 0, for slow motion; say so where it is not 1.

    Returns:
        (H * scale, W * scale, 3) uint8, a new array.
    """
    paled = np.asarray(cv2.addWeighted(frame, 0.65, np.full_like(frame, 90), 0.35, 0), np.uint8)
    picture = enlarge(paled, scale)
    shift, unit = 4, 16
    starts = (points + 0.5) * scale - 0.5
    ends = starts + np.where(found[:, None], moved, 0) * scale * stretch
    a, b = ((v * unit).round().astype(int).tolist() for v in (starts, ends))
    for color, thick in ((RIM, 3), (POINT, 1)):
        for start, end, seen in zip(a, b, found, strict=True):
            if seen:
                cv2.line(picture, start, end, color, thick, cv2.LINE_AA, shift)
    for start, seen in zip(a, found, strict=True):
        cv2.circle(picture, start, unit * 3 // 2, POINT if seen else LOST, -1, cv2.LINE_AA, shift)
    return picture


def paint_motion(motion: FloatArray, size: tuple[int, int], top: float) -> Picture:
    """Paint a motion map: black is rest, the brightest is ``top`` and above.

    Args:
        motion: (h, w) pixels per frame, at least 0.
        size: (H, W) of the picture, multiples of h and w.
        top: Of the brightest colour, > 0.

    Returns:
        (H, W, 3) uint8, every cell of one colour.
    """
    level = (np.clip(motion / top, 0, 1) * 255).round().astype(np.uint8)
    heat = np.asarray(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)[..., ::-1], np.uint8)
    return heat.repeat(size[0] // len(heat), axis=0).repeat(size[1] // heat.shape[1], axis=1)


def outline(picture: Picture, region: Bools, width: int = 2) -> Picture:
    """Draw the rim of a region of cells, on the inner side of its cells.

    Args:
        picture: (H, W, 3) uint8.
        region: (h, w) bool; h and w divide H and W.
        width: Of the line, pixels, less than half a cell.

    Returns:
        (H, W, 3) uint8, a new array.
    """
    rows, columns = picture.shape[0] // len(region), picture.shape[1] // region.shape[1]
    inside = region.repeat(rows, axis=0).repeat(columns, axis=1)
    # Closed at the frame's edge as well, or nobody could tell on which side of it the region is.
    padded = np.pad(inside, width).astype(np.uint8)
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    core = cv2.erode(padded, kernel)[width:-width, width:-width] > 0
    drawn = picture.copy()
    drawn[inside & ~core] = REGION
    return drawn


def tag(picture: Picture, text: str) -> Picture:
    """Write a word into the upper left corner, on paper: (H, W, 3) uint8, a new array."""
    # Nothing but the line itself: the less of the mask is covered the better.
    block = text_block(text, text_width(text, 11), size=11)[3:-4, :-8]
    tagged = picture.copy()
    block = block[: len(tagged), : tagged.shape[1]]
    tagged[: len(block), : block.shape[1]] = block
    return tagged


def motion_legend(height: int, top: float, threshold: float) -> Picture:
    """Draw the colours of `paint_motion` as a bar with its numbers, in pixels per frame.

    Args:
        height: In pixels, at least 60.
        top: Of the brightest colour, above ``threshold``.
        threshold: From which on a cell counts as moving; marked by a line.

    Returns:
        (height, 130, 3) uint8.
    """
    legend = np.full((height, 130, 3), PAPER, np.uint8)
    first, last = 10, height - 11
    values = np.linspace(top, 0, last - first + 1, dtype=np.float32)[:, None]
    legend[first : last + 1, 4:18] = paint_motion(values, (len(values), values.shape[1]), top)
    free = height
    for value, text in (
        (0.0, "0"), (threshold, f"{threshold:.2g}: moves"), (top, f"{top:.2g} px a frame"),
    ):  # fmt: skip
        y = round(last - (last - first) * value / top)
        legend[y, 2:24] = REGION if value == threshold else INK
        block = text_block(text, 104, size=11)[3:-3]
        # From below: each text gives way to the one below it.
        start = max(min(y - len(block) // 2, free - len(block)), 0)
        legend[start : start + len(block), 26:130] = block
        free = start
    return legend
