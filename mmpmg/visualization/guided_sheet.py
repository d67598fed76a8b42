"""Where clips move and what flow-guided masks hide of them, as one sheet (DEMVM, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .branch_prediction import FloatArray
from .contact_sheet import spread_frames, tile
from .labels import Picture
from .masks import overlay_mask
from .motion_map_picture import draw_points, enlarge, motion_legend, outline, paint_motion, tag

Bools: TypeAlias = npt.NDArray[np.bool_]
APART = 14.0
"""Pixels of the picture between points: closer ones hide the frame."""
LEGEND = (
    "Points: green lines lead to where a point is in the next frame, grey points are lost or not "
    "seen there. Motion map: the farthest that a cell moves. Framed in light blue: what counts as "
    "moving. Slate tokens are masked. Guided: moving and still tokens are masked at two ratios; "
    "random: at the same one; reversed: guided, but with the still tokens masked more densely."
)


@dataclass(frozen=True, eq=False)
class GuidedMask:
    """A flow-guided mask of one clip.

    Attributes:
        name: The settings that it was drawn with.
        mask: (N,) bool, True = masked, (t, h, w) order.
        random: (t,) bool, slots in which the region plays no part.
        reversed: (t,) bool, slots in which what is still is masked more densely than what moves.
    """

    name: str
    mask: Bools
    random: Bools
    reversed: Bools


@dataclass(frozen=True, eq=False)
class GuidedClip:
    """A clip, what is known of its motion, and masks that it guides; t slots of h x w tokens.

    Attributes:
        clip: (T, H, W, 3) uint8.
        label: Its motion or its file.
        source: Where the points' displacements come from.
        points: (n, 2) as (x, y), pixels.
        moved: (t, n, 2) displacements from a slot's first frame to the next one, pixels.
        found: (t, n) False where a point was lost.
        motion: (t, rows, columns) motion map, pixels per frame.
        moving: (t, h, w) bool, the tokens that count as moving.
        threshold: From which on they do, pixels per frame, > 0.
        token_shape: (frames, rows, columns) of a token.
        masks: To be drawn below one another.
    """

    clip: Picture
    label: str
    source: str
    points: FloatArray
    moved: FloatArray
    found: Bools
    motion: FloatArray
    moving: Bools
    threshold: float
    token_shape: tuple[int, int, int]
    masks: Sequence[GuidedMask]

    def points_row(self, slots: Sequence[int], scale: int) -> tuple[str, list[Picture]]:
        """Return label and pictures of the points, enlarged by a whole factor."""
        lengths = np.linalg.norm(self.moved, axis=-1)[self.found]
        usual = float(np.percentile(lengths, 99)) if lengths.size else 0.0
        # Slow motion is drawn longer, up to two tokens or so: whole factors, labelled.
        stretch = float(np.clip(int(2 * self.token_shape[1] / max(usual, 1e-6)), 1, 10))
        shown, every = _thinned(self.points, APART / scale)
        pictures = [
            draw_points(
                self.clip[slot * self.token_shape[0]],
                self.points[shown],
                self.moved[slot, shown],
                self.found[slot, shown],
                scale,
                stretch,
            )
            for slot in slots
        ]
        label = self.source + (f", 1 of {every} x {every}" if every > 1 else "")
        return label + (f"\nlines {stretch:.0f} x as long" if stretch > 1 else ""), pictures

    def motion_row(self, slots: Sequence[int], scale: int) -> tuple[str, list[Picture]]:
        """Return label and pictures of the motion map; its legend is the last picture."""
        top = max(2 * self.threshold, float(np.percentile(self.motion, 99)))
        height, width = self.clip.shape[1] * scale, self.clip.shape[2] * scale
        pictures = [
            outline(paint_motion(self.motion[slot], (height, width), top), self.moving[slot])
            for slot in slots
        ]
        share = f"motion map\n{self.moving.mean():.0%} of tokens move"
        return share, [*pictures, motion_legend(height, top, self.threshold)]

    def mask_row(self, number: int, slots: Sequence[int], scale: int) -> tuple[str, list[Picture]]:
        """Return label and pictures of the mask of this number."""
        item = self.masks[number]
        hidden = item.mask.reshape(self.moving.shape)
        veiled = overlay_mask(self.clip, item.mask, self.token_shape)
        used = hidden.any(axis=(1, 2))
        pictures = []
        for slot in slots:
            cell = enlarge(veiled[slot * self.token_shape[0]], scale)
            word = "reversed" if item.reversed[slot] else "guided"
            word = "random" if item.random[slot] else word
            cell = outline(cell, self.moving[slot])
            pictures.append(tag(cell, word if used[slot] else "not masked"))
        return f"{item.name}\n{self._told(hidden, item)}", pictures

    def _told(self, hidden: Bools, item: GuidedMask) -> str:
        """Say how much of each region is masked, in the slots where anything is, and how."""
        used = hidden.any(axis=(1, 2))
        told = [f"{used.sum()} of {len(used)} slots masked, in these"]
        for region, what in ((self.moving, "moving"), (~self.moving, "still")):
            inside = hidden[used][region[used]]
            told.append(f"{inside.mean():.0%} of {what} tokens" if inside.size else f"none {what}")
        for word, which in (("random", item.random), ("reversed", item.reversed)):
            fallen = np.flatnonzero(which & used)
            if len(fallen) == used.sum():
                told.append(f"{word}: all of them")
            elif len(fallen):
                slots = "slot" if len(fallen) == 1 else "slots"
                told.append(f"{word}: {slots} {', '.join(map(str, fallen))}")
        return "\n".join(told)


def guided_summary(clips: Sequence[GuidedClip]) -> str:
    """Say of each density how many slots of all clips are guided, and how much of what is masked.

    Args:
        clips: At least one, with the same masks.

    Returns:
        A line on what moves, and one for each mask.
    """
    moving = np.stack([clip.moving for clip in clips])
    lines = [
        f"{len(clips)} clips: {moving.mean():.0%} of the tokens move by {clips[0].threshold:g} "
        "pixels a frame or more."
    ]
    for items in zip(*(clip.masks for clip in clips), strict=True):
        random, wrong = (
            np.concatenate([getattr(item, name) for item in items])
            for name in ("random", "reversed")
        )
        hidden = np.stack([item.mask for item in items]).reshape(moving.shape)
        used = np.broadcast_to(hidden.any(axis=(2, 3), keepdims=True), moving.shape)
        shares = [
            f"{hidden[part].mean():.0%} of {what}" if part.any() else f"none {what}"
            for part, what in ((moving & used, "moving"), (~moving & used, "still"))
        ]
        lines.append(
            f"{items[0].name}: of {len(random)} slots {random.mean():.0%} random, "
            f"{(~random & ~wrong).mean():.0%} denser where it moves, {wrong.mean():.0%} denser "
            f"where still; masked in the masked slots: {shares[0]}, {shares[1]} tokens."
        )
    return "\n".join(lines)


def _thinned(points: FloatArray, apart: float) -> tuple[Bools, int]:
    """Choose points of a lattice that stand apart enough: (n,) bool, and one in how many it is."""
    columns, rows = (np.unique(points[:, axis], return_inverse=True) for axis in (0, 1))
    if len(columns[0]) < 2:
        return np.ones(len(points), bool), 1
    every = max(1, int(np.ceil(apart / (columns[0][1] - columns[0][0]))))
    middle = every // 2
    return (columns[1] % every == middle) & (rows[1] % every == middle), every


def guided_sheet(
    clips: Sequence[GuidedClip], columns: int = 8, title: str = "", cell_height: int = 128
) -> Picture:
    """Lay out clips as rows: frames, points, motion map, and one row for each mask.

    Args:
        clips: At least one, all of the same T and tokens.
        columns: Time slots shown, at least 1.
        title: First line, above what the picture says of itself.
        cell_height: Height of a frame in the picture, in pixels; brought to a whole multiple of the
            frame's.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: No clips, or clips of different length.
    """
    lengths = {(len(item.clip), item.token_shape[0]) for item in clips}
    if len(lengths) != 1:
        raise ValueError(f"guided_sheet: needs clips of one (T, slot), got {sorted(lengths)}")
    length, step = lengths.pop()
    slots = [int(slot) for slot in spread_frames(length // step, columns)]
    rows: list[list[Picture]] = []
    labels: list[str] = []
    starts = []
    for item in clips:
        starts.append(len(rows))
        scale = max(1, round(cell_height / item.clip.shape[1]))
        drawn = [
            (item.label, [enlarge(item.clip[slot * step], scale) for slot in slots]),
            item.points_row(slots, scale),
            item.motion_row(slots, scale),
            *(item.mask_row(number, slots, scale) for number in range(len(item.masks))),
        ]
        labels += [label for label, _ in drawn]
        rows += [pictures for _, pictures in drawn]
    return tile(
        rows,
        row_labels=labels,
        column_labels=[
            f"slot {slot}: frames {slot * step}-{slot * step + step - 1}" for slot in slots
        ],
        title=f"{title}\n{guided_summary(clips)}\n{LEGEND}".strip(),
        cell_height=rows[0][0].shape[0],
        spaced=starts,
    )
