"""Colours of motion fields: differences between frames, signed or not, and flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .branch_prediction import FloatArray
from .flow import BLIND, flow_wheel
from .labels import Picture


def known(field: FloatArray) -> npt.NDArray[np.bool_]:
    """Tell where all channels of a field (..., C) are numbers: (...) bool."""
    return np.asarray(~np.isnan(field).any(axis=-1))


def paint_signed(field: FloatArray, scale: float) -> Picture:
    """Paint what is above zero red and what is below blue; white is zero, grey is unknown.

    Args:
        field: (..., C), of which the mean over the channels is painted; NaN where it is unknown.
        scale: Value of full colour, > 0.

    Returns:
        (..., 3) uint8.
    """
    seen = known(field)
    level = np.clip(np.where(seen, field.mean(axis=-1), 0) / scale, -1, 1)
    fade = 1 - np.abs(level)
    rgb = np.stack([np.where(level > 0, 1, fade), fade, np.where(level < 0, 1, fade)], axis=-1)
    return np.where(seen[..., None], (rgb * 255).round(), BLIND).astype(np.uint8)


def paint_absolute(field: FloatArray, scale: float) -> Picture:
    """Paint the mean over the channels from black, zero, by red and yellow to white.

    Not in grey, which is what is unknown. Arguments as :func:`paint_signed` has them.
    """
    seen = known(field)
    level = np.clip(np.where(seen, field.mean(axis=-1), 0) / scale, 0, 1)
    heat = np.clip(3 * level[..., None] - (0, 1, 2), 0, 1)  # one colour after the other
    return np.where(seen[..., None], (heat * 255).round(), BLIND).astype(np.uint8)


def paint_flow(field: FloatArray, scale: float) -> Picture:
    """Paint (..., 2) by :func:`.flow.flow_wheel`: white is zero, grey is unknown."""
    seen = known(field)
    filled = np.where(seen[..., None], field, 0).astype(np.float32)
    one = filled.reshape(-1, *filled.shape[-2:])  # OpenCV converts one picture, not a stack
    return flow_wheel(one, seen.reshape(one.shape[:2]), scale).reshape(*seen.shape, 3)


class Paint(NamedTuple):
    """How one kind of field is painted."""

    paint: Callable[[FloatArray, float], Picture]
    legend: str
    unit: str
    least: float
    """Full colour of a field that rests, in ``unit``: or rounding would look like motion."""


PAINTS = {
    "signed": Paint(
        paint_signed, "red: brighter, blue: darker, white: no change", "grey levels", 4.0
    ),
    "absolute": Paint(
        paint_absolute, "the brighter the greater the change, black: no change", "grey levels", 4.0
    ),
    "flow": Paint(
        paint_flow,
        "hue is the direction (red right, yellow-green down, cyan left, violet up), white rests",
        "px a frame",
        1.0,
    ),
    "normalized": Paint(
        paint_signed,
        "red above and blue below the mean of the patch, in its own standard deviations",
        "deviations",
        1.0,
    ),
    "normalized flow": Paint(
        paint_flow,
        "hue is the direction of what the flow differs by from the mean of its patch",
        "deviations",
        1.0,
    ),
}
"""Kind of field -> how it is painted; the text says what the colours mean."""


def full_colour(kind: str, field: FloatArray) -> float:
    """Return what nearly all of a field stays below: its 99th percentile, or ``least``.

    Args:
        kind: One of ``PAINTS``.
        field: (..., C), NaN where unknown.
    """
    values = field[known(field)]
    lengths = np.hypot(*values.T) if "flow" in kind else np.abs(values.mean(axis=-1))
    greatest = float(np.percentile(lengths, 99)) if lengths.size else 0.0
    return max(PAINTS[kind].least, greatest)
