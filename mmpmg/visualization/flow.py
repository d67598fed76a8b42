"""Flow as arrows on a frame, and as a picture whose colours are directions."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from .labels import Picture

FloatArray: TypeAlias = npt.NDArray[np.float32]
BLIND = 96
"""Grey level where a point of frame k is not seen in frame k + 1."""


def flow_scale(flow: FloatArray, covisible: npt.NDArray[np.bool_] | None = None) -> float:
    """Return a length that nearly all of a flow stays below: its 99th percentile, at least 1 pixel.

    Args:
        flow: (..., H, W, 2) in pixels.
        covisible: (..., H, W) bool; other pixels do not count.
    """
    lengths = np.hypot(flow[..., 0], flow[..., 1])
    if covisible is not None and covisible.any():
        lengths = lengths[covisible]
    return max(1.0, float(np.percentile(lengths, 99)))


def flow_wheel(
    flow: FloatArray,
    covisible: npt.NDArray[np.bool_] | None = None,
    scale: float | None = None,
) -> Picture:
    """Paint a flow by the colour wheel: hue is direction, saturation is length, white is rest.

    Red moves right, and the hue turns clockwise on the screen: yellow-green down, cyan left,
    violet up.

    Args:
        flow: (H, W, 2) as (dx, dy), in pixels.
        covisible: (H, W) bool; other pixels are painted grey. None: all are seen.
        scale: Length in pixels of full saturation, > 0. None: :func:`flow_scale`.

    Returns:
        (H, W, 3) uint8.
    """
    if scale is None:
        scale = flow_scale(flow, covisible)
    turn = np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi) % 1.0
    strength = np.clip(np.hypot(flow[..., 0], flow[..., 1]) / scale, 0.0, 1.0)
    hsv = np.stack([turn * 360.0, strength, np.ones_like(turn)], axis=-1).astype(np.float32)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    picture = np.asarray((rgb * 255).round(), dtype=np.uint8)
    if covisible is not None:
        picture[~covisible] = BLIND
    return picture


def wheel_legend(size: int = 64) -> Picture:
    """Draw the wheel itself: the colour at a point is that of motion from the centre to it.

    Args:
        size: Side in pixels, at least 2.

    Returns:
        (size, size, 3) uint8, white outside the disc.
    """
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    flow = np.stack(np.meshgrid(axis, axis), axis=-1)
    picture = flow_wheel(flow, scale=1.0)
    picture[np.hypot(flow[..., 0], flow[..., 1]) > 1] = 255
    return picture


def flow_arrows(
    frame: Picture,
    flow: FloatArray,
    covisible: npt.NDArray[np.bool_] | None = None,
    every: int | None = None,
    scale: int = 1,
    stretch: float = 1.0,
) -> Picture:
    """Draw a flow as arrows from where a point stands to where it goes.

    A point that rests is a dot; one that is not seen in the next frame has no arrow.

    Args:
        frame: (H, W, 3) uint8, the frame that the flow starts from.
        flow: (H, W, 2) as (dx, dy), in pixels.
        covisible: (H, W) bool; arrows start from these pixels only. None: all are seen.
        every: Distance of the arrows in pixels of the frame, > 0. None: about nine along the
            shorter side.
        scale: Enlarges the picture, so that arrows on a small frame stay thin; >= 1.
        stretch: Lengthens the arrows, > 0, for slow motion; say so where it is not 1.

    Returns:
        (H * scale, W * scale, 3) uint8, a new array.
    """
    height, width = frame.shape[:2]
    every = every or max(4, round(min(height, width) / 9))
    # Faded, so that arrows are seen on any frame.
    paled = np.asarray(cv2.addWeighted(frame, 0.7, np.full_like(frame, 128), 0.3, 0))
    picture = np.ascontiguousarray(paled.repeat(scale, axis=0).repeat(scale, axis=1))
    for y in range(every // 2, height, every):
        for x in range(every // 2, width, every):
            if covisible is not None and not covisible[y, x]:
                continue
            start = ((x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5)  # pixel centres at integers
            dx, dy = (float(v) * scale * stretch for v in flow[y, x])
            _arrow(picture, start, (start[0] + dx, start[1] + dy))
    return picture


def _arrow(picture: Picture, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a yellow arrow with a dark rim, in place, to a fraction of a pixel."""
    shift, unit = 4, 16
    a = tuple(round(v * unit) for v in start)
    b = tuple(round(v * unit) for v in end)
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    for color, thickness in (((20, 20, 20), 3), ((255, 221, 51), 1)):
        if length < 1:
            cv2.circle(picture, a, unit * (1 + thickness // 2) // 2, color, -1, cv2.LINE_AA, shift)
            continue
        cv2.line(picture, a, b, color, thickness, cv2.LINE_AA, shift)
        direction = np.array(end) - np.array(start)
        back = -direction / length * min(6.0, 2 + 0.4 * length)
        for angle in (-0.5, 0.5):
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            tip = tuple(round(float(v) * unit) for v in np.array(end) + turn @ back)
            cv2.line(picture, b, tip, color, thickness, cv2.LINE_AA, shift)
