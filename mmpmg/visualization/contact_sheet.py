"""Pictures in rows: one clip a row, its frames side by side, a label at the left."""

from __future__ import annotations

from collections.abc import Container, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from .labels import PAPER, Picture, text_block, text_width

GAP = 4


def fit_cell(image: Picture, height: int) -> Picture:
    """Scale an image to a height, its aspect kept.

    Enlarging repeats pixels, so that a toy's 64-pixel frames show what the model sees.

    Args:
        image: (h, w, 3) uint8.
        height: Wanted, in pixels, > 0.

    Returns:
        (height, width, 3) uint8; the image itself where nothing has to change.
    """
    h, w = image.shape[:2]
    if h == height:
        return image
    how = cv2.INTER_AREA if height < h else cv2.INTER_NEAREST
    size = (max(1, round(w * height / h)), height)
    return np.asarray(cv2.resize(image, size, interpolation=how), dtype=np.uint8)


def tile(
    rows: Sequence[Sequence[Picture]],
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    title: str = "",
    cell_height: int = 112,
    spaced: Container[int] = (),
) -> Picture:
    """Arrange pictures in rows, with labels.

    Args:
        rows: Rows of (h, w, 3) uint8 pictures; rows may differ in length.
        row_labels: One for each row, or none at all.
        column_labels: At most one for each column.
        title: Written above everything; says what the picture shows.
        cell_height: Every picture is scaled to it, in pixels, > 0.
        spaced: Numbers of rows that begin a group and stand a little apart from the row above.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: Nothing to show, or the labels do not match the rows.
    """
    if not rows or not all(len(row) for row in rows):
        raise ValueError(f"tile: {len(rows)} rows, some of them empty; give at least one picture")
    if row_labels and len(row_labels) != len(rows):
        raise ValueError(f"tile: {len(row_labels)} row labels for {len(rows)} rows")
    cells = [[fit_cell(image, cell_height) for image in row] for row in rows]
    if len(column_labels) > max(map(len, cells)):
        raise ValueError(
            f"tile: {len(column_labels)} column labels for {max(map(len, cells))} columns"
        )
    gutter = min(220, max(map(text_width, row_labels))) if row_labels else 0
    labels = [text_block(text, gutter, height=cell_height) for text in row_labels]
    widths = [0] * max(map(len, cells))
    for row in cells:
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], cell.shape[1])
    lefts = [GAP + gutter + sum(widths[:c]) + GAP * c for c in range(len(widths))]
    width = lefts[-1] + widths[-1] + GAP
    strips = []
    if title:
        strips.append(text_block(title, width, size=15))
    if column_labels:
        heads = [text_block(text, widths[c], size=12) for c, text in enumerate(column_labels)]
        strip = _paper(max(len(head) for head in heads), width)
        for left, head in zip(lefts, heads, strict=False):
            strip[: len(head), left : left + head.shape[1]] = head
        strips.append(strip)
    for number, row in enumerate(cells):
        if number and number in spaced:
            strips.append(_paper(3 * GAP, width))
        # A label longer than its cells are high makes the row higher rather than be cut.
        height = max(cell_height, len(labels[number]) if labels else 0)
        strip = _paper(height + GAP, width)
        if labels:
            strip[: len(labels[number]), GAP : GAP + gutter] = labels[number]
        for left, cell in zip(lefts, row, strict=False):
            strip[: len(cell), left : left + cell.shape[1]] = cell
        strips.append(strip)
    return np.concatenate([*strips, _paper(GAP, width)])


def _paper(height: int, width: int) -> Picture:
    return np.full((height, width, 3), PAPER, dtype=np.uint8)


def spread_frames(num_frames: int, columns: int) -> npt.NDArray[np.int64]:
    """Choose frames evenly over a clip, the first and the last among them.

    Args:
        num_frames: T, at least 1.
        columns: How many at most, at least 1.

    Returns:
        Ascending frame numbers without repetition, min(T, columns) of them.
    """
    count = min(num_frames, max(1, columns))
    return np.linspace(0, num_frames - 1, count).round().astype(np.int64)


def contact_sheet(
    clips: Sequence[Picture],
    labels: Sequence[str] = (),
    columns: int = 8,
    title: str = "",
    cell_height: int = 112,
) -> Picture:
    """Lay out clips, one a row, as chosen frames from the first to the last.

    Args:
        clips: (T, H, W, 3) uint8 each; they may differ in size, not in T.
        labels: One for each clip (its family, its mode), or none at all.
        columns: Frames shown of each clip, at least 1.
        title: Written above.
        cell_height: Height of a frame on the sheet, in pixels.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: No clips, clips of different length, or too few labels.
    """
    if not clips or len({len(clip) for clip in clips}) != 1:
        lengths = sorted({len(clip) for clip in clips})
        raise ValueError(f"contact_sheet: needs clips of one length, got lengths {lengths}")
    chosen = spread_frames(len(clips[0]), columns)
    return tile(
        [[clip[k] for k in chosen] for clip in clips],
        row_labels=labels,
        column_labels=[f"frame {k}" for k in chosen],
        title=title,
        cell_height=cell_height,
    )
