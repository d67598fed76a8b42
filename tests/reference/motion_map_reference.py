"""Motion maps restated pixel by pixel from the dense flow."""

from __future__ import annotations

import numpy as np


def counted_pairs(num_frames, frames, pairs):
    """(k, slot) of every pair of frames k, k + 1 that counts."""
    for k in range(num_frames - 1):
        if pairs == "all" or (k + 1) // frames == k // frames:
            yield k, k // frames


def shows_image(motion, k, x, y):
    """Is the image, and not the border's fill, seen at a pixel? Followed back frame by frame."""
    height, width = motion.size
    back = motion.warp_steps()
    last = k if motion.resampling == "recursive" else 0
    steps = [back[j] for j in range(k, -1, -1)] if last else [motion.homographies[k]]
    for step in steps:
        u, v, w = step @ (x, y, 1.0)
        if w <= 0:
            return False
        x, y = u / w, v / w
        if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
            return False
    return True


def cell_maxima(motion, frames=2, cell=8, pairs="within", bordered=False):
    """(t, h, w): the largest displacement of a cell's pixels; with a border, of those with image.

    Also the share of a cell's pixels that show the image, the least of its pairs.
    """
    flow = motion.flow().astype(np.float64)
    height, width = motion.size
    shape = motion.num_frames // frames, height // cell, width // cell
    largest, shown = np.zeros(shape), np.ones(shape)
    for k, slot in counted_pairs(motion.num_frames, frames, pairs):
        for i in range(shape[1]):
            for j in range(shape[2]):
                places = [
                    (cell * j + dx, cell * i + dy) for dy in range(cell) for dx in range(cell)
                ]
                seen = [p for p in places if not bordered or shows_image(motion, k, *p)]
                for x, y in seen:
                    speed = np.hypot(*flow[k, y, x])
                    largest[slot, i, j] = max(largest[slot, i, j], speed)
                shown[slot, i, j] = min(shown[slot, i, j], len(seen) / len(places))
    return largest, shown
