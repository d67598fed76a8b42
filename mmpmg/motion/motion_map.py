"""Where a clip moves, cell by cell of a token grid, known from its motion without any flow field.

DEMVM masks more tokens where something moves (FGDM, Eq. 6 and 7). For real clips the motion is
estimated at points; here it is known, and a few hundred points of it say as much as millions of
pixels: over a cell of the grid the displacement of a homography is greatest at a corner.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .bent_points import bent_displacements
from .displacement import BACKGROUND, RIM
from .motion import FloatArray, Motion
from .part_opencv import Part
from .paste import Paste
from .ranges import choice

Bools: TypeAlias = npt.NDArray[np.bool_]

PAIRS = ("within", "all")


def map_grid(
    num_frames: int, size: tuple[int, int], frames: int, cell: int
) -> tuple[int, int, int]:
    """Return (t, h, w), the grid of a clip's motion map.

    Args:
        num_frames: T of the clip.
        size: (H, W) of the clip, pixels.
        frames: Frames of a time slot, at least 2: one frame alone moves nowhere.
        cell: Side of a cell, pixels.

    Raises:
        ValueError: The clip is no whole number of slots and cells.
    """
    if num_frames < frames or num_frames % frames:
        still = (
            "; one frame is an image still: put MotionMap behind PMGPipeline, in a pipeline of "
            "named steps under a name of its own (motion_map=, not motion=, which replaces PMG)"
        )
        raise ValueError(
            f"MotionMap: a clip of {num_frames} frames has no whole number of time slots of "
            f"frames={frames}; change SampleFrames.clip_len (PMGPipeline.num_frames) or "
            f"MotionMap.frames{still if num_frames == 1 else ''}"
        )
    if min(size) < cell or any(side % cell for side in size):
        raise ValueError(
            f"MotionMap: frames of (H, W) = {tuple(size)} are no whole number of cells of "
            f"cell={cell} pixels; put a Resize or a crop to multiples of {cell} before MotionMap, "
            "or change MotionMap.cell"
        )
    return num_frames // frames, size[0] // cell, size[1] // cell


def pair_starts(num_frames: int, frames: int, pairs: str) -> npt.NDArray[np.int64]:
    """Return the frames k, ascending, whose displacement to frame k + 1 counts; slot k // frames.

    Args:
        num_frames: T.
        frames: Frames of a slot.
        pairs: ``'within'``: pairs inside one slot, 8 of 16 frames in slots of 2. ``'all'``: every
            pair, in the slot where it begins, 15 of 16 frames.
    """
    k = np.arange(num_frames - 1)
    inside = k // frames == (k + 1) // frames
    return k[inside] if choice("MotionMap", "pairs", pairs, PAIRS) == "within" else k


def motion_map(
    motion: Motion, frames: int = 2, cell: int = 8, pairs: str = "within"
) -> npt.NDArray[np.float32]:
    """Compute how far the most moving point of each cell is displaced from a frame to the next.

    What counts is what is seen in frame k: the background, a part where its alpha is at least one
    half, or the pasted rectangle. A point that leaves the frame or is covered in frame k + 1 moves
    all the same. Zero where only the border's fill is seen, which has no texture that could tell
    whether it moves (in recursive resampling also what once left the frame), behind the horizon,
    and under changes of colour.

    A cell is the square that its pixels fill, from ``cell * i - 0.5`` to ``cell * (i + 1) - 0.5``;
    displacements are computed at its corners. For an affine step that is the exact maximum over the
    square, and above that over the pixel centres by at most what half a pixel changes; for a
    perspective or a bent step a maximum inside the cell is missed. In a cell where a part's rim
    runs, the part counts as if it filled the cell.

    Args:
        motion: Of T frames and (H, W) pixels, T a multiple of ``frames``, H and W of ``cell``.
        frames: Frames of a time slot, at least 2.
        cell: Side of a cell in pixels.
        pairs: Which pairs of frames count, see `pair_starts`.

    Returns:
        (T / frames, H / cell, W / cell) float32, pixels per frame, at least 0.

    Raises:
        ValueError: The clip is no whole number of slots and cells.
    """
    _, h, w = map_grid(motion.num_frames, motion.size, frames, cell)
    starts = pair_starts(motion.num_frames, frames, pairs)
    moved = _cells(_speeds(motion, starts, cell) * _shows_image(motion, starts, cell))
    if motion.layers:
        owners = _owners(motion, starts)
        moved *= _present(owners == BACKGROUND, cell)
        for number, layer in enumerate(motion.layers):
            present = _present(owners == number, cell)
            speeds = _cells(_speeds(layer.motion, starts, cell, _corners(present)))
            np.maximum(moved, speeds * present, out=moved)
    if motion.paste is not None:
        _lay_paste(moved, motion.paste, starts, cell)
    first = np.flatnonzero(np.diff(starts // frames, prepend=-1))
    return np.maximum.reduceat(moved, first, axis=0).reshape(-1, h, w).astype(np.float32)


def _lattice(size: tuple[int, int], cell: int) -> FloatArray:
    """Return (3, (h+1) (w+1)): the cells' corners as (x, y, 1), row by row."""
    y = np.arange(size[0] // cell + 1) * float(cell) - 0.5
    x = np.arange(size[1] // cell + 1) * float(cell) - 0.5
    grid = np.ones((3, len(y), len(x)))
    grid[0], grid[1] = x, y[:, None]
    return grid.reshape(3, -1)


def _speeds(
    motion: Motion, starts: npt.NDArray[np.int64], cell: int, wanted: Bools | None = None
) -> FloatArray:
    """Return (P, h+1, w+1): displacement of the cells' corners, pixels, where it is wanted."""
    corners = _lattice(motion.size, cell)
    shape = (len(starts), motion.size[0] // cell + 1, motion.size[1] // cell + 1)
    before, after = motion.homographies[starts], motion.homographies[starts + 1]
    steps = np.linalg.solve(after, before)
    if motion.deformation is None:
        # The identity taken off first: what is left is the displacement, to the last digit.
        gains = steps @ corners
        ahead = gains[:, 2] > 0
        away = gains[:, :2] / np.where(ahead, gains[:, 2], 1.0)[:, None] - corners[:2]
        still = (before == after).all(axis=(1, 2))
        lengths = np.hypot(away[:, 0], away[:, 1]) * (ahead & ~still[:, None])
        return np.asarray(lengths.reshape(shape))
    lengths = np.zeros((len(starts), corners.shape[1]))
    chosen = slice(None) if wanted is None else np.flatnonzero(wanted.any(axis=0))
    moved = bent_displacements(motion, starts, corners[:2, chosen].T)
    lengths[:, chosen] = np.hypot(moved[..., 0], moved[..., 1])
    return lengths.reshape(shape)


def _shows_image(motion: Motion, starts: npt.NDArray[np.int64], cell: int) -> Bools:
    """Return (P, h+1, w+1): True where the background shows the image and not the border."""
    height, width = motion.size
    corners = _lattice(motion.size, cell)
    # Four numbers of a point (x, y, 1), none of them negative within an image of this size. Behind
    # the horizon one is: the first two add up to the width times what stands in place of the 1.
    sides = np.array([[1, 0, 0.5], [-1, 0, width - 0.5], [0, 1, 0.5], [0, -1, height - 0.5]])
    shown = np.ones((len(starts), corners.shape[1]), bool)
    for row, k in enumerate(starts):
        looks = motion.homographies[k][None]
        if motion.resampling == "recursive" and k:
            # What frame k shows was seen in every frame before it.
            back = np.linalg.solve(motion.homographies[:k], np.broadcast_to(looks, (k, 3, 3)))
            looks = np.concatenate([looks, back])
        tests = (sides @ looks).reshape(-1, 3)
        points = corners
        if motion.deformation is not None:
            points = corners.copy()
            points[:2] += motion.deformation.at(k, corners[:2].T).T
        else:
            # A linear function is least at one of the frame's four corners: most never matter.
            ends = [0, width // cell, -1 - width // cell, -1]
            tests = tests[(tests @ corners[:, ends]).min(axis=1) < -RIM]
        if len(tests):
            shown[row] = (tests @ points >= -RIM).all(axis=0)
    return shown.reshape(len(starts), height // cell + 1, width // cell + 1)


def _cells(corners: FloatArray) -> FloatArray:
    """Return (P, h, w): the largest of a cell's four corners."""
    rows = np.maximum(corners[:, :-1], corners[:, 1:])
    return np.maximum(rows[..., :-1], rows[..., 1:])


def _corners(cells: Bools) -> Bools:
    """Return (P, (h+1) (w+1)): True at the corners of the cells that are True."""
    count, h, w = cells.shape
    marked = np.zeros((count, h + 1, w + 1), bool)
    for y in (0, 1):
        for x in (0, 1):
            marked[:, y : y + h, x : x + w] |= cells
    return marked.reshape(count, -1)


def _owners(motion: Motion, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
    """Return (P, H, W): the topmost layer with an alpha of at least one half, or BACKGROUND."""
    owners = np.full((len(starts), *motion.size), BACKGROUND, np.int8)
    for number, layer in enumerate(motion.layers):
        part = Part(layer, None)
        for row, k in enumerate(starts):
            shown = part.cut(int(k))
            if shown is not None:
                owners[row][shown[0]][shown[1][..., 3] >= 128] = number
    return owners


def _present(pixels: Bools, cell: int) -> Bools:
    """Return (P, h, w): True where a cell holds at least one of the pixels (P, H, W)."""
    count, height, width = pixels.shape
    rows = pixels.reshape(count, height // cell, cell, width).any(axis=2)
    return np.asarray(rows.reshape(count, height // cell, width // cell, cell).any(axis=3))


def _lay_paste(moved: FloatArray, paste: Paste, starts: npt.NDArray[np.int64], cell: int) -> None:
    """Set what the pasted rectangle covers, in ``moved`` (P, h, w)."""
    steps = paste.positions[starts + 1] - paste.positions[starts]
    speeds = np.hypot(steps[:, 0], steps[:, 1])
    for cells, (x, y), speed in zip(moved, paste.positions[starts], speeds, strict=True):
        right, bottom = x + paste.source[2], y + paste.source[3]
        # Cells that it covers wholly, then those that it touches; pixels outside do not count.
        low_x, low_y = max(-(-x // cell), 0), max(-(-y // cell), 0)
        cells[low_y : max(bottom // cell, 0), low_x : max(right // cell, 0)] = 0.0
        touched = cells[
            max(y // cell, 0) : max(-(-bottom // cell), 0),
            max(x // cell, 0) : max(-(-right // cell), 0),
        ]
        np.maximum(touched, speed, out=touched)
