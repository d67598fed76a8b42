"""Checks of what a recipe may ask an op for.

An op's options come from a recipe, so a wrong one has to say three things: the value, what is
allowed, and the key that holds it. Everything here raises :class:`ValueError` in those terms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import TypeAlias

Border: TypeAlias = "tuple[int, int, int] | str"
BorderOption: TypeAlias = "int | Sequence[int] | str"


def number(op: str, key: str, value: object, low: float, high: float) -> float:
    """Check one number.

    Args:
        op: Name of the op, for the message.
        key: Recipe key that holds the value.
        value: What the recipe says.
        low: Smallest value allowed.
        high: Largest value allowed.

    Returns:
        The value as a float.

    Raises:
        ValueError: If it is no finite number in ``[low, high]``.
    """
    # Nearly all are floats, and asking a type is ten times as fast as asking an abstract class.
    real = type(value) is float or (isinstance(value, Real) and not isinstance(value, bool))
    if not real or not low <= float(value) <= high:  # type: ignore[arg-type]
        raise ValueError(f"{op}: {key}={value!r} is not a number in [{low:g}, {high:g}]")
    return float(value)  # type: ignore[arg-type]


def pair(
    op: str, key: str, value: object, low: float = -math.inf, high: float = math.inf
) -> tuple[float, float]:
    """Check a range ``(smallest, largest)`` to draw from.

    Args:
        op: Name of the op, for the message.
        key: Recipe key that holds the value.
        value: What the recipe says.
        low: Smallest value allowed.
        high: Largest value allowed.

    Returns:
        The two ends as floats.

    Raises:
        ValueError: If it is no ordered pair of finite numbers in ``[low, high]``.
    """
    ends: list[float] = []
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        ends = [float(v) for v in value if isinstance(v, Real) and not isinstance(v, bool)]
    # NaN fails every comparison, so it ends up in the error as it should.
    if not (len(ends) == 2 and low <= ends[0] <= ends[1] <= high and math.isfinite(sum(ends))):
        raise ValueError(
            f"{op}: {key}={value!r} is not a range (smallest, largest) inside [{low:g}, {high:g}]"
        )
    return ends[0], ends[1]


def choice(op: str, key: str, value: object, allowed: Sequence[str]) -> str:
    """Check a word against the words allowed.

    Raises:
        ValueError: If it is none of them.
    """
    if value not in allowed:
        raise ValueError(f"{op}: {key}={value!r} is unknown; choose one of {', '.join(allowed)}")
    return str(value)


def flag(op: str, key: str, value: object) -> bool:
    """Check a switch.

    Raises:
        ValueError: If it is neither True nor False; ``'false'`` in a recipe is not False.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{op}: {key}={value!r} must be True or False")
    return value


def border_fill(op: str, value: BorderOption) -> Border:
    """Check what stands outside the image.

    Args:
        op: Name of the op, for the message.
        value: ``'replicate'`` (the nearest edge pixel), one grey level, or (r, g, b), 0 to 255.

    Returns:
        ``'replicate'`` or three levels.

    Raises:
        ValueError: If it is none of those.
    """
    levels: list[object] = []
    if value == "replicate":
        return "replicate"
    if isinstance(value, Integral):
        levels = [value] * 3
    elif isinstance(value, Sequence) and not isinstance(value, str):
        levels = list(value)
    good = [int(v) for v in levels if isinstance(v, Integral) and not isinstance(v, bool)]
    if len(levels) != 3 or len(good) != 3 or not all(0 <= v <= 255 for v in good):
        raise ValueError(
            f"{op}: border={value!r} must be 'replicate', a grey level in 0..255, or three (RGB)"
        )
    return good[0], good[1], good[2]


def clip_shape(op: str, num_frames: object, size: Sequence[int]) -> tuple[int, tuple[int, int]]:
    """Check the shape of the clip that a motion is sampled for.

    Args:
        op: Name of the op, for the message.
        num_frames: T, at least 1.
        size: (H, W) in pixels, each at least 1.

    Returns:
        T and (H, W) as python integers.

    Raises:
        ValueError: If T or a side is not a positive integer.
    """
    if isinstance(num_frames, bool) or not isinstance(num_frames, Integral) or num_frames < 1:
        raise ValueError(f"{op}: num_frames={num_frames!r} must be an integer of at least 1")
    sides = list(size)
    if len(sides) != 2 or not all(isinstance(s, Integral) and s >= 1 for s in sides):
        raise ValueError(f"{op}: size={size!r} must be (height, width), both at least 1 pixel")
    return int(num_frames), (int(sides[0]), int(sides[1]))


def whole(op: str, key: str, value: object, low: int, high: int) -> int:
    """Check one whole number in ``[low, high]``.

    Raises:
        ValueError: If it is none.
    """
    good = isinstance(value, Integral) and not isinstance(value, bool)
    if not good or not low <= int(value) <= high:  # type: ignore[call-overload]
        raise ValueError(f"{op}: {key}={value!r} is not a whole number in [{low}, {high}]")
    return int(value)  # type: ignore[call-overload]


def whole_pair(op: str, key: str, value: object, low: int, high: int) -> tuple[int, int]:
    """Check a range ``(fewest, most)`` of whole numbers in ``[low, high]``.

    Raises:
        ValueError: If it is none.
    """
    ends = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []
    good = [int(v) for v in ends if isinstance(v, Integral) and not isinstance(v, bool)]
    if len(ends) != 2 or len(good) != 2 or not low <= good[0] <= good[1] <= high:
        raise ValueError(
            f"{op}: {key}={value!r} is not a range (fewest, most) of whole numbers inside "
            f"[{low}, {high}]"
        )
    return good[0], good[1]
