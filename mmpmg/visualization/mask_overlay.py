"""Objects' masks on the frames of a sequence, the predicted ones beside the true ones."""

from __future__ import annotations

import colorsys
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from .contact_sheet import fit_cell, spread_frames, tile
from .labels import Picture

ObjectMasks: TypeAlias = npt.NDArray[np.uint8]

# Magenta first, which animals, grass and sky do not have; told apart by colour-blind eyes too.
_FIRST_COLORS = ((235, 30, 190), (40, 130, 240), (250, 215, 50), (0, 175, 130), (240, 90, 30))
_GOLDEN = 0.618034


def object_colors() -> Picture:
    """Return a colour for every id: (256, 3) uint8, that of the background black.

    An object has the same colour in every picture. Beyond the fifth, hues are spread by the golden
    ratio, so that ids that follow one another differ.
    """
    colors = [(0, 0, 0), *_FIRST_COLORS]
    for number in range(len(colors), 256):
        value = 0.95 if number % 2 else 0.7
        rgb = colorsys.hsv_to_rgb(number * _GOLDEN % 1, 0.75, value)
        colors.append((round(rgb[0] * 255), round(rgb[1] * 255), round(rgb[2] * 255)))
    return np.array(colors, dtype=np.uint8)


def overlay_objects(
    frames: Picture, masks: ObjectMasks, opacity: float = 0.45, outline: bool = True
) -> Picture:
    """Paint objects over frames in their colours; the background stays as it is.

    Args:
        frames: (T, H, W, 3) uint8.
        masks: (T, H, W) uint8 object ids, 0 for background.
        opacity: Of the colours inside an object, [0, 1].
        outline: Paint the object's own outermost pixels in full colour.

    Returns:
        (T, H, W, 3) uint8, a new array.

    Raises:
        ValueError: The masks do not fit the frames, or the opacity is out of range.
    """
    if masks.shape != frames.shape[:3]:
        raise ValueError(f"masks {masks.shape} do not fit frames {frames.shape}")
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity {opacity} must be in [0, 1]")
    colors = object_colors()[masks]
    # In whole numbers, as a sequence at float32 would take four times its memory.
    share = round(opacity * 256)
    mixed = (frames.astype(np.uint16) * (256 - share) + colors.astype(np.uint16) * share + 128) >> 8
    painted = np.where(masks[..., None] > 0, mixed.astype(np.uint8), frames)
    if outline:
        rim = _rim(masks)
        painted[rim] = colors[rim]
    return painted


def _rim(masks: ObjectMasks) -> npt.NDArray[np.bool_]:
    """Return the objects' pixels with a neighbour above, below, left or right of another id."""
    rim = np.zeros(masks.shape, dtype=bool)
    down = masks[:, 1:] != masks[:, :-1]
    right = masks[:, :, 1:] != masks[:, :, :-1]
    rim[:, 1:] |= down
    rim[:, :-1] |= down
    rim[:, :, 1:] |= right
    rim[:, :, :-1] |= right
    return rim & (masks > 0)


def beside(frames: Picture, truth: ObjectMasks, predicted: ObjectMasks) -> Picture:
    """Put predicted masks to the right of the true ones, frame by frame, as for a film.

    Args:
        frames: (T, H, W, 3) uint8.
        truth: (T, H, W) uint8 object ids.
        predicted: The same.

    Returns:
        (T, H, 2 W, 3) uint8.
    """
    both = (overlay_objects(frames, truth), overlay_objects(frames, predicted))
    return np.concatenate(both, axis=2)


def sequence_sheet(
    frames: Picture,
    truth: ObjectMasks,
    predicted: ObjectMasks,
    columns: int = 6,
    title: str = "",
    cell_height: int = 160,
) -> Picture:
    """Lay out a sequence from its first frame to its last: true masks above, predicted ones below.

    Args:
        frames: (T, H, W, 3) uint8.
        truth: (T, H, W) uint8 object ids.
        predicted: The same.
        columns: Frames shown, at least 1.
        title: Written above.
        cell_height: Height of a frame on the sheet in pixels, > 0.

    Returns:
        (height, width, 3) uint8.

    Raises:
        ValueError: Masks do not fit the frames.
    """
    for name, masks in (("true", truth), ("predicted", predicted)):
        if masks.shape != frames.shape[:3]:
            raise ValueError(f"{name} masks {masks.shape} do not fit frames {frames.shape}")
    chosen = spread_frames(len(frames), columns)
    small = np.stack([fit_cell(frames[k], cell_height) for k in chosen])
    size = (small.shape[2], small.shape[1])

    def row(masks: ObjectMasks) -> list[Picture]:
        # Masks are drawn at the sheet's size: outlines that were reduced would fade away.
        fitted = [cv2.resize(masks[k], size, interpolation=cv2.INTER_NEAREST_EXACT) for k in chosen]
        return list(overlay_objects(small, np.stack(fitted)))

    heads = [f"frame {k}" if k else "frame 0 (given)" for k in chosen]
    return tile(
        [row(truth), row(predicted)],
        row_labels=("true", "predicted"),
        column_labels=heads,
        title=title,
        cell_height=cell_height,
    )
