"""Clips with what is known of them, their masks and their exact flow, as sheet and as animation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mmpmg.motion import Motion

from .contact_sheet import fit_cell, spread_frames, tile
from .flow import flow_arrows, flow_scale, flow_wheel, wheel_legend
from .labels import Picture
from .masks import overlay_mask

COLUMNS_OF_ANIMATION = 6


@dataclass(frozen=True, eq=False)
class AnnotatedClip:
    """A clip and what is to be drawn with it.

    Attributes:
        clip: (T, H, W, 3) uint8.
        label: Its family, its file.
        mask: (N,) bool, True = masked; None: not drawn.
        token_shape: (frames, rows, columns) of a token, needed with a mask.
        motion: Its flow is drawn; None: not drawn.
    """

    clip: Picture
    label: str = ""
    mask: npt.NDArray[np.bool_] | None = None
    token_shape: tuple[int, int, int] | None = None
    motion: Motion | None = None

    def masked(self) -> Picture | None:
        """Return the clip (T, H, W, 3) with its mask laid over it, or None."""
        if self.mask is None or self.token_shape is None:
            return None
        return overlay_mask(self.clip, self.mask, self.token_shape)

    def arrows(self, cell_height: int) -> tuple[Picture, float] | None:
        """Return (T-1, h, w, 3) frames with arrows and how much these are lengthened, or None.

        Args:
            cell_height: Height that the frames will be shown at, in pixels.
        """
        if self.motion is None or self.motion.num_frames < 2:
            return None
        flow, seen = self.motion.flow(), self.motion.covisible()
        # About 22 pixels apart in the picture, whatever the size of the frame.
        every = max(4, round(22 * self.motion.size[0] / cell_height))
        # Slow motion is drawn longer, up to the distance between arrows: whole factors, labelled.
        stretch = float(max(1, int(every / flow_scale(flow, seen))))
        enlarge = max(1, -(-cell_height // self.motion.size[0]))
        frames = [
            flow_arrows(self.clip[k], flow[k], seen[k], every, enlarge, stretch)
            for k in range(len(flow))
        ]
        return np.stack(frames), stretch

    def wheels(self) -> tuple[Picture, float] | None:
        """Return (T-1, H, W, 3) flow colours and their scale in pixels, or None."""
        if self.motion is None or self.motion.num_frames < 2:
            return None
        flow, seen = self.motion.flow(), self.motion.covisible()
        scale = flow_scale(flow, seen)
        pairs = zip(flow, seen, strict=True)
        return np.stack([flow_wheel(step, where, scale) for step, where in pairs]), scale


def annotated_sheet(
    clips: Sequence[AnnotatedClip], columns: int = 8, title: str = "", cell_height: int = 128
) -> Picture:
    """Lay out clips as rows of frames, each followed by its mask and its flow where it has them.

    Args:
        clips: At least one, all of the same T.
        columns: Frames shown, at least 1.
        title: Written above.
        cell_height: Height of a frame in the picture, in pixels.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: No clips, or clips of different length.
    """
    lengths = {len(item.clip) for item in clips}
    if len(lengths) != 1:
        raise ValueError(f"annotated_sheet: needs clips of one length, got {sorted(lengths)}")
    # Flow goes from frame k to k + 1, so the last frame has none: leave it out where flow is drawn.
    with_flow = any(item.motion is not None for item in clips)
    num_frames = lengths.pop()
    chosen = spread_frames(max(1, num_frames - with_flow), columns)
    rows: list[list[Picture]] = []
    labels: list[str] = []
    starts = set()
    for item in clips:
        starts.add(len(rows))
        rows.append([item.clip[k] for k in chosen])
        labels.append(item.label or "clip")
        masked, arrows, wheels = item.masked(), item.arrows(cell_height), item.wheels()
        if masked is not None and item.mask is not None:
            rows.append([masked[k] for k in chosen])
            labels.append(f"mask: {item.mask.mean():.0%} of tokens hidden")
        if arrows is not None:
            rows.append([arrows[0][k] for k in chosen])
            labels.append(f"flow to the next frame, arrows {arrows[1]:.0f} x")
        if wheels is not None:
            rows.append([*(wheels[0][k] for k in chosen), wheel_legend(cell_height)])
            labels.append(f"flow: full colour at {wheels[1]:.1f} px a frame, grey: not seen next")
    return tile(
        rows,
        row_labels=labels,
        column_labels=[f"frame {k}" for k in chosen],
        title=title,
        cell_height=cell_height,
        spaced=starts if len(rows) > len(clips) else (),
    )


def annotated_animation(clips: Sequence[AnnotatedClip], cell_height: int = 128) -> Picture:
    """Play clips side by side, each above its mask and its flow where it has them.

    Args:
        clips: At least one, all of the same T.
        cell_height: Height of a frame in the picture, in pixels.

    Returns:
        (T, H, W, 3) uint8.

    Raises:
        ValueError: No clips, or clips of different length.
    """
    lengths = {len(item.clip) for item in clips}
    if len(lengths) != 1:
        raise ValueError(f"annotated_animation: needs clips of one length, got {sorted(lengths)}")
    num_frames = lengths.pop()
    blocks = []
    for first in range(0, len(clips), COLUMNS_OF_ANIMATION):
        group = clips[first : first + COLUMNS_OF_ANIMATION]
        # Rows of clips; a clip that lacks what its neighbours have stands there plain.
        layers = [[item.clip for item in group]]
        masked = [item.masked() for item in group]
        if any(layer is not None for layer in masked):
            layers.append([_or(a, b.clip) for a, b in zip(masked, group, strict=True)])
        drawn = [item.arrows(cell_height) for item in group]
        if any(layer is not None for layer in drawn):
            arrows = [None if a is None else a[0] for a in drawn]
            layers.append([_or(a, b.clip) for a, b in zip(arrows, group, strict=True)])
        blocks.append((layers, [item.label for item in group]))
    return np.stack([_animated_frame(blocks, k, cell_height) for k in range(num_frames)])


def _or(layer: Picture | None, clip: Picture) -> Picture:
    return clip if layer is None else layer


def _animated_frame(
    blocks: Sequence[tuple[list[list[Picture]], list[str]]], k: int, cell_height: int
) -> Picture:
    """Tile frame k of every block; a layer of T - 1 frames shows its last one twice."""
    pictures = []
    for layers, labels in blocks:
        rows = [
            [fit_cell(layer[min(k, len(layer) - 1)], cell_height) for layer in row]
            for row in layers
        ]
        pictures.append(tile(rows, column_labels=labels, cell_height=cell_height))
    width = max(picture.shape[1] for picture in pictures)
    padded = [
        np.pad(p, ((0, 0), (0, width - p.shape[1]), (0, 0)), constant_values=255) for p in pictures
    ]
    return np.concatenate(padded)
