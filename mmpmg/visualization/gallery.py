"""A source's images beside what pseudo motion makes of them: is there something to track?"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from .contact_sheet import GAP, tile
from .labels import PAPER, Picture, text_block

COLUMNS = 6


def gallery_sheet(
    images: Sequence[Picture], clips: Sequence[Picture], title: str, cell: int = 112
) -> Picture:
    """Lay out images, and the middle and last frames of their clips, as three sheets side by side.

    Args:
        images: (h, w, 3) uint8 each, of any size; the middle square is shown.
        clips: For each image its clip, (T, H, W, 3) uint8.
        title: Written above.
        cell: Side of a picture on the sheets, in pixels, > 0.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: Nothing to show, or not a clip for each image.
    """
    if not images or len(images) != len(clips):
        raise ValueError(f"gallery_sheet: {len(images)} images and {len(clips)} clips")
    frames = len(clips[0])
    sheets = {
        "images": [square(image, cell) for image in images],
        f"frame {frames // 2} of {frames} after PMG": [square(c[frames // 2], cell) for c in clips],
        f"frame {frames - 1}": [square(clip[-1], cell) for clip in clips],
    }
    panels = []
    for heading, pictures in sheets.items():
        rows = [pictures[i : i + COLUMNS] for i in range(0, len(pictures), COLUMNS)]
        panels += [tile(rows, title=heading, cell_height=cell)]
        panels += [np.full((len(panels[-1]), 3 * GAP, 3), PAPER, np.uint8)]
    body = np.concatenate(panels[:-1], axis=1)
    return np.concatenate([text_block(title, body.shape[1], size=17), body])


def square(image: Picture, side: int) -> Picture:
    """Cut the middle square of an image and scale it to a side."""
    height, width = image.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    middle = image[top : top + short, left : left + short]
    how = cv2.INTER_AREA if side < short else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(middle, (side, side), interpolation=how), np.uint8)
