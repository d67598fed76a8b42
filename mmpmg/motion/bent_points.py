"""How far the same few points of many frames are displaced by a bent motion, all at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .deformation import Deformation
from .motion import FloatArray, Motion

#: Pixels that may be missing before the last Newton step; behind it 1e-3 for waves of 11 pixels
#: and less for longer ones, since it squares what is missing.
LAST = 0.03
#: Newton steps before the slow and sure way is taken.
STEPS = 3


def bent_displacements(
    motion: Motion, starts: npt.NDArray[np.int64], points: FloatArray
) -> FloatArray:
    """Follow points of frames k into frames k + 1 by a motion with a deformation.

    What stands at x of frame k stands at z of frame k + 1 with ``z + d[k+1](z) = S (x + d[k](x))``
    and S the step of the homographies. The points are the same in all frames, so that their sines
    are taken once; Newton's method starts from x, which is near.

    Args:
        motion: With a deformation; its layers and paste do not count.
        starts: (P,) the frames k.
        points: (n, 2) as (x, y), pixels.

    Returns:
        (P, n, 2) displacements z - x in pixels, to 1e-3, exactly 0 where both frames look
        at the same points and behind the horizon.
    """
    deformation = motion.deformation
    assert deformation is not None
    before, after = motion.homographies[starts], motion.homographies[starts + 1]
    first, second = deformation.amplitudes[starts], deformation.amplitudes[starts + 1]
    sines, slopes = _waves(deformation, points[None], second)
    looked = points + sines @ first
    steps = np.linalg.solve(after, before)
    goals = looked @ steps[:, :2, :2].mT + steps[:, None, :2, 2]
    depth = looked @ steps[:, 2, :2, None] + steps[:, 2, 2][:, None, None]
    ahead = depth > 0
    goals /= np.where(ahead, depth, 1.0)

    moved = _newton(slopes, goals - points - sines @ second)
    # A residual bounds the error, and after one more step what is left is smaller by far.
    enough = LAST * (1.0 - deformation.strains()[starts + 1])
    rows = np.arange(len(starts))
    for _ in range(STEPS):
        sines, slopes = _waves(deformation, points + moved[rows], second[rows])
        left = goals[rows] - points - moved[rows] - sines @ second[rows]
        moved[rows] += _newton(slopes, left)
        far = np.abs(left) * ahead[rows] >= enough[rows, None, None]
        rows = rows[far.any(axis=(1, 2)) | ~np.isfinite(left).all(axis=(1, 2))]
        if not len(rows):
            break
    for row in rows:
        inside = ahead[row, :, 0]
        found = deformation.invert(int(starts[row]) + 1, goals[row][inside])
        moved[row][inside] = found - points[inside]
    still = (before == after).all(axis=(1, 2)) & (first == second).all(axis=(1, 2))
    return np.where(ahead & ~still[:, None, None], moved, 0.0)


def _waves(
    deformation: Deformation, points: FloatArray, amplitudes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the waves' sines (P or 1, n, M) at points, and the slope (P, n, 4) of x + d(x)."""
    angles = points @ deformation.frequencies.T + deformation.phases
    products = amplitudes[..., None] * deformation.frequencies[:, None, :]  # [P, M, 2, 2]
    slopes = np.cos(angles) @ products.reshape(*products.shape[:2], 4)
    return np.sin(angles), slopes + np.array([1.0, 0.0, 0.0, 1.0])


def _newton(slopes: FloatArray, missing: FloatArray) -> FloatArray:
    """Solve J step = missing for (P, n, 2); the determinant is at least (1 - strain)^2."""
    a, b, c, d = np.moveaxis(slopes, -1, 0)
    u, v = np.moveaxis(missing, -1, 0)
    return np.stack([d * u - b * v, a * v - c * u], axis=-1) / (a * d - b * c)[..., None]
