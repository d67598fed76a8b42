"""The four colour steps of torchvision's ColorJitter, in place on 8-bit RGB frames.

Values are rounded to the nearest level where torchvision truncates: over 15 recursive frames
truncation alone would darken a clip by 7 levels.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]

_LEVELS = np.arange(256, dtype=np.float64)


def _apply_table(frame: Image, levels: npt.NDArray[np.float64]) -> None:
    """Replace every level by a new one, rounded and clipped."""
    table = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    cv2.LUT(frame, table, dst=frame)


def _brightness(frame: Image, factor: float) -> None:
    _apply_table(frame, _LEVELS * factor)


def _contrast(frame: Image, factor: float) -> None:
    mean = cv2.mean(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))[0]
    _apply_table(frame, _LEVELS * factor + mean * (1.0 - factor))


def _saturation(frame: Image, factor: float) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    cv2.addWeighted(frame, factor, grey, 1.0 - factor, 0.0, dst=frame)


def _hue(frame: Image, turns: float) -> None:
    # In float32: 8-bit HSV has 180 or 256 hues, and the error would add up over the frames.
    hsv = cv2.cvtColor(frame.astype(np.float32), cv2.COLOR_RGB2HSV)
    hue = hsv[..., 0]
    hue += 360.0 * (turns % 1.0)
    np.subtract(hue, 360.0, out=hue, where=hue >= 360.0)
    cv2.convertScaleAbs(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), dst=frame)


_STEPS = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
}
_NO_CHANGE = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}


def change_color(frame: Image, name: str, amount: float) -> None:
    """Apply one colour step in place.

    Args:
        frame: (H, W, 3) uint8 RGB, contiguous; changed in place.
        name: ``'brightness'`` (factor * level), ``'contrast'`` (away from the frame's mean grey),
            ``'saturation'`` (away from the pixel's own grey; grey is .299 R + .587 G + .114 B) or
            ``'hue'`` (HSV hue turned).
        amount: A factor of at least 0, or for hue a shift in turns.
    """
    if amount != _NO_CHANGE[name]:
        _STEPS[name](frame, amount)
