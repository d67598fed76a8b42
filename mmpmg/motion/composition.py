"""Several motions on one clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from .motion import Motion

T = TypeVar("T")


def _shared(name: str, values: list[T], default: T) -> T:
    """Return the one value that all motions share, or the default if none has any."""
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        raise ValueError(f"compose: the motions differ in {name}: {different}; set them alike")
    return different[0] if different else default


def _warps(motion: Motion) -> bool:
    return motion.deformation is not None or bool((motion.homographies != np.eye(3)).any())


def _shows_border(motion: Motion) -> bool:
    """Whether a frame sees further than half a pixel, an edge pixel's own half, beyond the image.

    A motion that does not (a window) looks the same with any border, up to that half pixel.
    """
    height, width = motion.size
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], float)
    seen = np.tile(corners, (motion.num_frames, 1, 1))
    if motion.deformation is not None:
        seen += np.sign(corners - corners.mean(axis=0)) * motion.deformation.reach()[:, None]
    # A quadrilateral before the horizon lies within the image if its corners do.
    points = np.concatenate([seen, np.ones_like(seen[..., :1])], axis=2)
    x, y, w = np.moveaxis(points @ motion.homographies.swapaxes(1, 2), 2, 0)
    if (w <= 0).any():
        return True
    from_middle = np.abs(x / w - (width - 1) / 2), np.abs(y / w - (height - 1) / 2)
    return bool(max(from_middle[0].max() - width / 2, from_middle[1].max() - height / 2) > 1e-6)


def compose(motions: Sequence[Motion]) -> Motion:
    """Let one motion act on the clip that the one before has made.

    Frame k of the result shows the source at ``H_1[k] @ H_2[k] @ ...``, in one resampling from the
    source image: the result is always ``composed``, also where the parts were recursive. Colour
    steps follow each other in the given order, after all warps; a contrast step therefore takes
    its mean from the warped frame. Border shows only where the source image itself ends.

    Layers and a paste can only be in the last motion: what is laid over a frame would have to be
    warped and coloured with it. The motions before then act on the last one's background. A
    deformation can follow any homographies, ``H_1 H_2 (x + d(x))``, but nothing that warps can
    follow a deformation: waves seen through a homography are no waves of the same kind. Motions
    that change colours alone can.

    Args:
        motions: At least one, of the same length, size, and, where they resample at all, the same
            interpolation and border (a motion with border ``'replicate'`` that sees nothing beyond
            the image, as the window families, fits any).

    Returns:
        The motion that does it all, family names joined by ``+``.

    Raises:
        ValueError: If there is none, or if the parts do not fit together.
    """
    motions = list(motions)
    if not motions:
        raise ValueError("compose: no motion given")
    if len(motions) == 1:
        return motions[0]
    for place, motion in enumerate(motions[:-1]):
        others = ", ".join(m.family for m in motions if m is not motion)
        if motion.paste is not None:
            raise ValueError(
                f"compose: {motion.family} pastes a rectangle and must come last, after {others}"
            )
        if motion.layers:
            raise ValueError(
                f"compose: {motion.family} lays parts over the frame and must come last, after "
                f"{others}"
            )
        followers = [m.family for m in motions[place + 1 :] if _warps(m)]
        if motion.deformation is not None and followers:
            raise ValueError(
                f"compose: {motion.family} deforms, and {', '.join(followers)} cannot warp the "
                f"result; put {motion.family} behind"
            )
    num_frames = _shared("num_frames", [m.num_frames for m in motions], 0)
    size = _shared("size", [m.size for m in motions], (0, 0))
    moving = [m for m in motions if _warps(m)]
    filled = [m.border for m in moving if m.border != "replicate" or _shows_border(m)]
    homographies = np.tile(np.eye(3), (num_frames, 1, 1))
    for motion in motions:
        homographies = homographies @ motion.homographies
    return Motion(
        family="+".join(m.family for m in motions),
        size=size,
        homographies=homographies,
        interpolation=_shared("interpolation", [m.interpolation for m in moving], "bilinear"),
        border=_shared("border", filled, "replicate"),
        color_ops=tuple(name for m in motions for name in m.color_ops),
        color=np.concatenate([m.color for m in motions], axis=1),
        paste=motions[-1].paste,
        deformation=next((m.deformation for m in motions if m.deformation is not None), None),
        layers=motions[-1].layers,
    )
