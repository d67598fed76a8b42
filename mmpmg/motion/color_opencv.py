"""The four colour steps of torchvision's ColorJitter, in place on 8-bit RGB frames.

Values are rounded to the nearest level where torchvision truncates: over 15 recursive frames
truncation alone would darken a clip by 7 levels.

Every step is exact arithmetic, or float64 from a table, so that `color_torch` gives the same levels
on any device: a contrast of 1.3 over 15 frames makes 50 levels of a difference of one. To that end
saturation is counted in steps of 1/4096 and hue in steps of 1/6144 turn.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]

#: Saturation is counted in so many steps of the factor, hue in so many of a sixth of the circle.
SATURATION_STEPS = 4096
HUE_STEPS = 1024
#: Added before rounding, less than any step: ties fall upwards, whatever a library does with them.
TIE = 2.0**-14

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
    factor = whole_steps(factor, SATURATION_STEPS) / SATURATION_STEPS  # float32 holds all of it
    grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    cv2.addWeighted(frame, factor, grey, 1.0 - factor, TIE, dst=frame)


def _hue(frame: Image, turns: float) -> None:
    """Turn the hue, without the division by the span that makes HSV inexact.

    `color_torch` says the same in fewer words; here every line is one fast call, into a buffer
    where there is one.
    """
    # In one row: OpenCV takes a number beside an image of 4 rows and 1 column for such an image.
    frame = frame.reshape(1, -1, 3)
    shift = (whole_steps(turns % 1.0, 6 * HUE_STEPS) % (6 * HUE_STEPS)) / HUE_STEPS
    planes = cv2.split(frame)
    highest = cv2.max(cv2.max(planes[0], planes[1]), planes[2])
    lowest = cv2.min(cv2.min(planes[0], planes[1]), planes[2])
    red, green, blue, top, span = (
        plane.astype(np.float32) for plane in (*planes, highest, cv2.subtract(highest, lowest))
    )
    # Hue times span in sixths of the circle: red at 0, green at 2, blue at 4; the brightest
    # channel decides, red before green before blue.
    angle, other = cv2.subtract(red, green), cv2.subtract(blue, red)
    cv2.scaleAdd(span, 4.0 + shift, angle, angle)
    cv2.scaleAdd(span, 2.0 + shift, other, other)
    cv2.copyTo(other, cv2.compare(highest, planes[1], cv2.CMP_EQ), angle)
    cv2.subtract(green, blue, dst=other)
    cv2.scaleAdd(span, shift, other, other)
    cv2.copyTo(other, cv2.compare(highest, planes[0], cv2.CMP_EQ), angle)
    half, circle = cv2.multiply(span, 3.0), cv2.multiply(span, 6.0)
    for _ in range(2):  # from -span..11 span to -3 span..3 span
        cv2.subtract(angle, circle, dst=angle, mask=cv2.compare(angle, half, cv2.CMP_GE))
    turned = []
    for place in (0.0, 2.0, 4.0):  # where a channel is the brightest
        away = cv2.scaleAdd(span, -place, angle)
        cv2.absdiff(away, 0.0, dst=away)
        cv2.min(away, cv2.absdiff(circle, away), dst=away)  # the shorter way round
        cv2.subtract(away, span, dst=away)
        cv2.min(cv2.max(away, 0.0, dst=away), span, dst=away)
        turned.append(cv2.convertScaleAbs(cv2.subtract(top, away), beta=TIE))
    cv2.merge(turned, dst=frame)


def whole_steps(amount: float, steps: int) -> int:
    """Return the nearest whole number of 1/``steps``."""
    return round(amount * steps)


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
