"""Flow-guided dense masking, token by token (DEMVM, Eq. 8 to 16), and what ours adds to it."""

from __future__ import annotations

import math

import numpy as np


def unit(number: int) -> float:
    """The 24 highest bits of a signed 64-bit random number, as a share of 1."""
    return ((int(number) % 2**64) >> 40) / 2**24


def slot_ratios(moving: list[list[bool]], dense: float, sparse: float, spatial: float) -> tuple:
    """(P_act, P_bg) of one time slot, Eq. 8 to 11, and whether it falls back."""
    rows, columns = len(moving), len(moving[0])
    n_den = dense * spatial * rows * columns
    n_spr = sparse * spatial * rows * columns
    act = background = 0
    for i in range(rows):
        for j in range(columns):
            act += bool(moving[i][j])
            background += not moving[i][j]
    if act == 0 or background == 0 or dense == sparse:
        return spatial, spatial, True
    # In single precision, as a device computes it.
    p_act = float(np.float32(n_den) / np.float32(act))
    p_bg = float(np.float32(n_spr) / np.float32(background))
    if p_act > 1 or p_bg > 1:
        return spatial, spatial, True
    return p_act, p_bg, False


def dense_mask(
    noise: list[int],
    moving: list[list[list[bool]]],
    dense: float,
    sparse: float,
    spatial: float,
    temporal: float,
) -> np.ndarray:
    """Mask one clip, Eq. 8 to 14.

    Args:
        noise: t * h * w numbers for the tokens, t for the slots, one for their count.
        moving: V, [t][h][w].
        dense: P_den.
        sparse: P_spr.
        spatial: P_spa.
        temporal: P_tmp.

    Returns:
        (t, h, w) bool.
    """
    slots, rows, columns = len(moving), len(moving[0]), len(moving[0][0])
    tokens = slots * rows * columns
    wanted = temporal * slots
    count = math.floor(wanted) + (unit(noise[-1]) < np.float32(wanted - math.floor(wanted)))
    count = max(1, count)
    keys = [(unit(noise[tokens + k]), k) for k in range(slots)]
    chosen = {k for _, k in sorted(keys)[:count]}
    mask = np.zeros((slots, rows, columns), bool)
    for k in range(slots):
        p_act, p_bg, _ = slot_ratios(moving[k], dense, sparse, spatial)
        for i in range(rows):
            for j in range(columns):
                rand = unit(noise[(k * rows + i) * columns + j])
                ratio = np.float32(p_act if moving[k][i][j] else p_bg)
                mask[k, i, j] = k in chosen and rand < ratio
    return mask


def density_ratios(
    area: int, places: int, dense: float, sparse: float, total: float
) -> tuple[float, float]:
    """Ratios that stand as dense to sparse and mask ``total`` places: ours, by bisection."""

    def masked(scale: float) -> float:
        return area * min(1, dense * scale) + (places - area) * min(1, sparse * scale)

    low, high = 0.0, 1e9
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if masked(middle) < total else (low, middle)
    return min(1, dense * high), min(1, sparse * high)


def progressive_ratio(start: float, end: float, epoch: float, period: float) -> float:
    """Eq. 15 and 16."""
    return start + (end - start) * math.sqrt(epoch) / math.sqrt(period)
