"""Perlin's gradient noise over (t, y, x) on a grid of pixels and frames."""

from __future__ import annotations

import numpy as np

#: Perlin's twelve slopes (x, y, t): towards the middles of a cube's edges ("Improving noise").
SLOPES = np.array(
    [
        (1, 1, 0), (-1, 1, 0), (1, -1, 0), (-1, -1, 0), (1, 0, 1), (-1, 0, 1),
        (1, 0, -1), (-1, 0, -1), (0, 1, 1), (0, -1, 1), (0, 1, -1), (0, -1, -1),
    ],
    np.float32,
)  # fmt: skip


def lattice_shape(t: np.ndarray, y: np.ndarray, x: np.ndarray) -> tuple[int, int, int]:
    """Return how many lattice points coordinates need, (t, y, x); see `perlin_noise`."""
    depth, height, width = (int(axis[-1]) + 2 for axis in (t, y, x))
    return depth, height, width


def perlin_noise(lattice: np.ndarray, t: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Interpolate the slopes of a lattice at every combination of three coordinates.

    Each of a cell's eight corners contributes its slope's height at the point, weighted along each
    axis by the fade 6 u^5 - 15 u^4 + 10 u^3. Slopes along x, y and t separate, and on a grid so do
    the axes: they are interpolated one after the other, t first, y last. Additions and
    multiplications only, so that every machine finds the same bits.

    Args:
        lattice: (D, L, M) uint8, which of the `SLOPES` stands at a lattice point.
        t: (T,) rising, in [0, D - 1), in cells.
        y: (H,) rising, in [0, L - 1).
        x: (W,) rising, in [0, M - 1).

    Returns:
        (T, H, W) float32, mostly within 1 of zero.
    """
    at_x, at_y, at_t = (_corners(axis) for axis in (x, y, t))
    # [D, L, M] -> [D, L, W]
    along_x, along_y, along_t = (SLOPES[:, k][lattice] for k in range(3))
    along_x = _interpolate(along_x, at_x, slope=True)
    along_y = _interpolate(along_y, at_x, slope=False)
    along_t = _interpolate(along_t, at_x, slope=False)

    out = np.empty((len(t), len(y), len(x)), np.float32)
    part = np.empty(out.shape[1:], np.float32)
    (near, far), values, heights = at_y
    for frame, k in zip(out, range(len(t)), strict=True):
        (before, after), (v0, v1), (h0, h1) = ([pair[0][k], pair[1][k]] for pair in at_t)
        # [D, L, W] -> [L, W]
        flat = v0 * along_x[before] + v1 * along_x[after]
        flat += h0 * along_t[before] + h1 * along_t[after]
        steep = v0 * along_y[before] + v1 * along_y[after]
        # [L, W] -> [H, W]
        np.multiply(flat[near], values[0][:, None], out=frame)
        for rows, index, weight in (
            (flat, far, values[1]),
            (steep, near, heights[0]),
            (steep, far, heights[1]),
        ):
            np.take(rows, index, axis=0, out=part, mode="clip")
            part *= weight[:, None]
            frame += part
    return out


_Corners = tuple[tuple[np.ndarray, np.ndarray], ...]


def _corners(position: np.ndarray) -> _Corners:
    """Return both neighbours along one axis: indices, weights, and weights times distances."""
    cell = np.floor(position)
    u = (position - cell).astype(np.float32)
    fade = u * u * u * (u * (u * 6 - 15) + 10)
    index = cell.astype(np.intp)
    return (index, index + 1), (1 - fade, fade), ((1 - fade) * u, fade * (u - 1))


def _interpolate(values: np.ndarray, corners: _Corners, slope: bool) -> np.ndarray:
    """Interpolate along the last axis, values or the heights that slopes lead to."""
    (near, far), weights, heights = corners
    first, second = heights if slope else weights
    return values[..., near] * first + values[..., far] * second
