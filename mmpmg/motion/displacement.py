"""Exact displacement between neighbouring frames, and where it can be seen.

Nothing is estimated: a motion holds the homographies, so frame k's pixel x shows the source point
``H[k] x``, and frame k + 1 shows the same point at ``inv(H[k+1]) H[k] x``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .motion import Motion
    from .paste import Paste

#: Slack in pixels at the frame's rim, for the rounding of float32 flow in large frames.
RIM = 1e-3


def _targets(motion: Motion) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Follow every pixel of frames 0 .. T-2 into the next frame, ignoring the paste.

    Returns:
        (T-1, H, W, 2) float64 positions (x, y), and (T-1, H, W) True where w > 0. Positions behind
        the horizon are the pixel's own.
    """
    height, width = motion.size
    steps = np.linalg.solve(motion.homographies[1:], motion.homographies[:-1])
    x = np.arange(width, dtype=np.float64)
    y = np.arange(height, dtype=np.float64)[:, None]
    # Separable sums instead of a matrix product per pixel: [T-1, 3, H, W], three planes x, y, w.
    s = steps[..., None, None]
    planes = s[:, :, 0] * x + s[:, :, 1] * y + s[:, :, 2]
    # A homography is the same under any factor: its sign must not decide what is in front.
    # Frames that differ by a small motion have their step near the identity, w near +1.
    ahead = planes[:, 2] > 0
    w = np.where(ahead, planes[:, 2], 1.0)
    targets = np.stack([planes[:, 0] / w, planes[:, 1] / w], axis=-1)
    # Unmoved frames must have a flow of exactly zero, not of 1e-16.
    still = (motion.homographies[1:] == motion.homographies[:-1]).all(axis=(1, 2))
    grid = np.stack(np.broadcast_arrays(x, y), axis=-1)
    targets[still] = grid
    targets[~ahead] = np.broadcast_to(grid, targets.shape)[~ahead]
    return targets, ahead


def _pasted(paste: Paste, frame: int, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Return (H, W): True where the paste covers the frame."""
    mask = np.zeros(size, dtype=bool)
    x, y = (int(v) for v in paste.positions[frame])
    mask[max(y, 0) : max(y + paste.source[3], 0), max(x, 0) : max(x + paste.source[2], 0)] = True
    return mask


def flow(motion: Motion) -> npt.NDArray[np.float32]:
    """Return (T-1, H, W, 2) float32, see :meth:`Motion.flow`."""
    targets, _ = _targets(motion)
    height, width = motion.size
    targets[..., 0] -= np.arange(width)
    targets[..., 1] -= np.arange(height)[:, None]
    if motion.paste is not None:
        shifts = np.diff(motion.paste.positions, axis=0)
        for k, shift in enumerate(shifts):
            targets[k][_pasted(motion.paste, k, motion.size)] = shift
    return targets.astype(np.float32)


def covisible(motion: Motion) -> npt.NDArray[np.bool_]:
    """Return (T-1, H, W) bool, see :meth:`Motion.covisible`."""
    targets, seen = _targets(motion)
    height, width = motion.size
    paste = motion.paste
    covered = np.zeros_like(seen)
    if paste is not None:
        for k in range(len(targets)):
            mask = _pasted(paste, k, motion.size)
            # A point beside the next paste by less than a pixel would be interpolated with it.
            x, y = paste.positions[k + 1]
            covered[k] = (
                (targets[k, ..., 0] > x - 1)
                & (targets[k, ..., 0] < x + paste.source[2])
                & (targets[k, ..., 1] > y - 1)
                & (targets[k, ..., 1] < y + paste.source[3])
                & ~mask
            )
            shift = paste.positions[k + 1] - paste.positions[k]
            ys, xs = np.nonzero(mask)
            targets[k][mask] = np.stack([xs, ys], axis=-1) + shift
            seen[k][mask] = True
    inside = (
        (targets[..., 0] >= -RIM)
        & (targets[..., 0] <= width - 1 + RIM)
        & (targets[..., 1] >= -RIM)
        & (targets[..., 1] <= height - 1 + RIM)
    )
    return seen & inside & ~covered
