"""All families of motion on one image: the picture that explains PMG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmpmg.motion import OPS, Motion, build_op, render
from mmpmg.motion.ops import draw

from .contact_sheet import spread_frames, tile
from .flow import BLIND, flow_scale, flow_wheel
from .labels import Picture


def family_clips(
    image: Picture,
    partner: Picture,
    num_frames: int = 16,
    families: Sequence[str] | None = None,
    seed: int = 0,
) -> list[tuple[Motion, Picture]]:
    """Move one image in the way of each family, with the supplement's ranges.

    Args:
        image: (H, W, 3) uint8.
        partner: (H, W, 3) uint8, what CutMix pastes and Layered cuts its parts from.
        num_frames: T, at least 1.
        families: Names of the ops; None: all that there are by now, one's own among them.
        seed: Of the draws, not negative; each family draws from its own stream.

    Returns:
        For each family its motion and the clip (T, H, W, 3) uint8.

    Raises:
        ValueError: A family of somebody's own draws something else than was asked for.
    """
    moved = []
    for name in OPS if families is None else families:
        op = build_op(name)
        # By its place among all families, so that choosing some does not change the others.
        rng = np.random.default_rng((seed, list(OPS).index(name)))
        motion = draw(name, op, rng, num_frames, (image.shape[0], image.shape[1]))
        moved.append((motion, render(image, motion, [partner] * (motion.num_images - 1))))
    return moved


def family_sheet(
    moved: Sequence[tuple[Motion, Picture]], columns: int = 8, cell_height: int = 112
) -> Picture:
    """Lay out the families, one a row, with the exact flow of the middle step in the last column.

    Args:
        moved: What :func:`family_clips` returned; T of 2 or more.
        columns: Frames shown, at least 1.
        cell_height: Height of a frame in the picture, in pixels.

    Returns:
        (H, W, 3) uint8.
    """
    rows, labels = [], []
    middle = max(0, moved[0][0].num_frames // 2 - 1)
    chosen = spread_frames(moved[0][0].num_frames, columns)
    for motion, clip in moved:
        flow, seen = motion.flow()[middle], motion.covisible()[middle]
        scale = flow_scale(flow, seen)
        wheel = flow_wheel(flow, seen, scale)
        wheel[[0, -1]] = wheel[:, [0, -1]] = BLIND  # a rim, or rest would be white on white
        rows.append([*(clip[k] for k in chosen), wheel])
        longest = float(np.hypot(flow[..., 0], flow[..., 1])[seen].max(initial=0.0))
        speed = f"up to {longest:.1f} px a frame" if longest >= 0.05 else "no displacement"
        labels.append(f"{motion.family}\n{speed}")
    return tile(
        rows,
        row_labels=labels,
        column_labels=[*(f"frame {k}" for k in chosen), f"flow {middle} to {middle + 1}"],
        title=f"{len(moved)} families of pseudo motion, one image. Flow: hue is direction (red "
        "right, cyan left, green down, violet up), white is rest, grey is not seen in the next "
        "frame.",
        cell_height=cell_height,
    )
