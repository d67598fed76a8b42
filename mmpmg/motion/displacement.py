"""Exact displacement between neighbouring frames, and where it can be seen.

Nothing is estimated: frame k's pixel x shows the source point ``p = H[k] (x + d[k](x))``, and frame
k + 1 shows the same point at the pixel z that solves ``z + d[k+1](z) = inv(H[k+1]) p``. Who is seen
at a pixel, the background, a layer or the pasted rectangle, is read off the levels of alpha that
the renderer lays the layers with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .part_opencv import Part

if TYPE_CHECKING:
    from .motion import Motion
    from .paste import Paste

#: Slack in pixels at the frame's rim, for the rounding of float32 flow in large frames.
RIM = 1e-3
#: Whose a pixel is: a layer's number from 0, the background's, or that of no one, a soft rim.
BACKGROUND, MIXTURE = -1, -2


def _land(
    motion: Motion, frame: int, pixels: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Follow pixels of frame k into frame k + 1 by one motion, ignoring its layers and paste.

    Args:
        motion: Of the background, or of one layer.
        frame: k, below T - 1.
        pixels: (n, 2) as (x, y).

    Returns:
        (n, 2) positions (x, y), and (n,) True where the point is in front of the horizon. Positions
        behind it are the pixel's own.
    """
    before, after = motion.homographies[frame], motion.homographies[frame + 1]
    deformation = motion.deformation
    if np.array_equal(before, after) and (
        deformation is None
        or np.array_equal(deformation.amplitudes[frame], deformation.amplitudes[frame + 1])
    ):
        # Unmoved frames must have a flow of exactly zero, not of 1e-16.
        return pixels.copy(), np.ones(len(pixels), bool)
    looked = pixels if deformation is None else pixels + deformation.at(frame, pixels)
    step = np.linalg.solve(after, before)
    x, y, w = step[:, :2] @ looked.T + step[:, 2:]
    # A homography is the same under any factor: its sign must not decide what is in front.
    # Frames that differ by a small motion have their step near the identity, w near +1.
    ahead = w > 0
    w = np.where(ahead, w, 1.0)
    targets = np.stack([x / w, y / w], axis=1)
    if deformation is not None:
        targets[ahead] = deformation.invert(frame + 1, targets[ahead])
    targets[~ahead] = pixels[~ahead]
    return targets, ahead


def _owners(motion: Motion) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]:
    """Tell whose each pixel is, ignoring the paste.

    Returns:
        (T, H, W): the topmost layer with an alpha of at least one half, or BACKGROUND; and the same
        with MIXTURE wherever a rim is soft, of that layer or of one above.
    """
    owners = np.full((motion.num_frames, *motion.size), BACKGROUND, np.int8)
    pure = owners.copy()
    for number, layer in enumerate(motion.layers):
        alphas = Part(layer, None).alphas()
        owners[alphas >= 128] = number
        pure[alphas > 0] = MIXTURE
        pure[alphas == 255] = number
    return owners, pure


def _pasted(paste: Paste, frame: int, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return (H, W): True where the paste covers the frame."""
    mask = np.zeros(size, dtype=bool)
    x, y = (int(v) for v in paste.positions[frame])
    mask[max(y, 0) : max(y + paste.source[3], 0), max(x, 0) : max(x + paste.source[2], 0)] = True
    return mask


def _follow(
    motion: Motion, frame: int, owners: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Follow every pixel (H, W) of frame k by the motion of whom it belongs to."""
    height, width = motion.size
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).astype(np.float64)
    # The background everywhere, for most of the frame is its; then the parts over it.
    landed, ahead = _land(motion, frame, pixels.reshape(-1, 2))
    targets, seen = landed.reshape(pixels.shape), ahead.reshape(motion.size)
    for number, layer in enumerate(motion.layers):
        mine = owners == number
        if mine.any():
            targets[mine], seen[mine] = _land(layer.motion, frame, pixels[mine])
    if motion.paste is not None:
        mask = _pasted(motion.paste, frame, motion.size)
        targets[mask] = pixels[mask] + np.diff(motion.paste.positions[frame : frame + 2], axis=0)
        seen[mask] = True
    return targets, seen


def flow(motion: Motion) -> npt.NDArray[np.float32]:
    """Return (T-1, H, W, 2) float32, see :meth:`Motion.flow`."""
    height, width = motion.size
    owners, _ = _owners(motion)
    steps = np.empty((motion.num_frames - 1, height, width, 2), np.float32)
    for k, step in enumerate(steps):
        targets, _ = _follow(motion, k, owners[k])
        step[..., 0] = targets[..., 0] - np.arange(width)
        step[..., 1] = targets[..., 1] - np.arange(height)[:, None]
    return steps


def covisible(motion: Motion) -> npt.NDArray[np.bool_]:
    """Return (T-1, H, W) bool, see :meth:`Motion.covisible`."""
    height, width = motion.size
    owners, pure = _owners(motion)
    both = np.empty((motion.num_frames - 1, height, width), bool)
    for k, visible in enumerate(both):
        targets, seen = _follow(motion, k, owners[k])
        visible[:] = seen & _inside(targets, motion.size)
        if motion.layers:
            visible &= _same_owner(targets, pure[k], pure[k + 1])
        if motion.paste is not None:
            mask = _pasted(motion.paste, k, motion.size)
            visible[:] = np.where(
                mask,
                _inside(targets, motion.size),
                visible & ~_beside(targets, motion.paste, k + 1),
            )
    return both


def _inside(targets: npt.NDArray[np.float64], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    x, y = targets[..., 0], targets[..., 1]
    return (x >= -RIM) & (x <= size[1] - 1 + RIM) & (y >= -RIM) & (y <= size[0] - 1 + RIM)


def _same_owner(
    targets: npt.NDArray[np.float64], now: npt.NDArray[np.int8], then: npt.NDArray[np.int8]
) -> npt.NDArray[np.bool_]:
    """Return (H, W): True where a pixel and the four around its target belong to the same one."""
    height, width = now.shape
    # A target within RIM of a pixel is that pixel: its far neighbours have no weight.
    low, high = np.floor(targets + RIM), np.ceil(targets - RIM)
    x0, x1 = (c[..., 0].clip(0, width - 1).astype(np.int64) for c in (low, high))
    y0, y1 = (c[..., 1].clip(0, height - 1).astype(np.int64) for c in (low, high))
    same = now != MIXTURE
    for y, x in ((y0, x0), (y0, x1), (y1, x0), (y1, x1)):
        same &= then[y, x] == now
    return same


def _beside(targets: npt.NDArray[np.float64], paste: Paste, frame: int) -> npt.NDArray[np.bool_]:
    """Return (H, W): True where a target lies under the paste, or nearer to it than a pixel.

    A point beside the paste by less than that would be interpolated with it.
    """
    x, y = paste.positions[frame]
    return (
        (targets[..., 0] > x - 1)
        & (targets[..., 0] < x + paste.source[2])
        & (targets[..., 1] > y - 1)
        & (targets[..., 1] < y + paste.source[3])
    )
