"""The four colour steps of `color_opencv`, for batches on any device.

Frames are whole numbers before and after, as 8-bit frames are. The arithmetic is exact, or done in
float64 for a table of the 256 levels, so both agree to the bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .color_opencv import HUE_STEPS, SATURATION_STEPS, TIE

#: The amount that changes nothing.
NO_CHANGE = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}


def change_color(frames: Tensor, name: str, amounts: Tensor) -> Tensor:
    """Apply one colour step to each frame of a batch.

    Args:
        frames: (n, 3, H, W) float32 RGB, whole numbers in 0..255.
        name: ``'brightness'`` (factor * level), ``'contrast'`` (away from the frame's mean grey),
            ``'saturation'`` (away from the pixel's own grey; grey is .299 R + .587 G + .114 B) or
            ``'hue'`` (HSV hue turned).
        amounts: (n,) float64: factors of at least 0, or for hue shifts in turns.

    Returns:
        (n, 3, H, W) float32, whole numbers in 0..255.
    """
    return _STEPS[name](frames, amounts)


def _grey(frames: Tensor) -> Tensor:
    """Grey levels (n, 1, H, W) as whole numbers, by the integer weights of OpenCV 4 and 5."""
    red, green, blue = frames.to(torch.int32).unbind(1)
    return ((9798 * red + 19235 * green + 3735 * blue + 16384) >> 15).unsqueeze(1)


def _apply_table(frames: Tensor, tables: Tensor) -> Tensor:
    """Replace every level by a new one; tables (n, 256) float64, not yet rounded."""
    levels = tables.round().clamp(0, 255).float()
    return levels.gather(1, frames.flatten(1).long()).view_as(frames)


def _levels(frames: Tensor) -> Tensor:
    return torch.arange(256, dtype=torch.float64, device=frames.device)


def _brightness(frames: Tensor, factors: Tensor) -> Tensor:
    return _apply_table(frames, _levels(frames) * factors[:, None])


def _contrast(frames: Tensor, factors: Tensor) -> Tensor:
    mean = _grey(frames).flatten(1).sum(1).double() / frames[0, 0].numel()
    tables = _levels(frames) * factors[:, None] + (mean * (1.0 - factors))[:, None]
    return _apply_table(frames, tables)


def _saturation(frames: Tensor, factors: Tensor) -> Tensor:
    factor = ((factors * SATURATION_STEPS).round() / SATURATION_STEPS).float()[:, None, None, None]
    mixed = frames * factor + _grey(frames) * (1.0 - factor)
    return _rounded(mixed)


def _hue(frames: Tensor, turns: Tensor) -> Tensor:
    steps = ((turns % 1.0) * 6 * HUE_STEPS).round() % (6 * HUE_STEPS)
    shift = (steps / HUE_STEPS).float()[:, None, None]
    highest, lowest = frames.amax(1), frames.amin(1)
    span = highest - lowest
    red, green, blue = frames.unbind(1)
    # Hue times span, in sixths of the circle: 0 at red, 2 at green, 4 at blue. Whole numbers: no
    # division by the span, which would round.
    angle = torch.where(
        highest == red,
        green - blue,
        torch.where(highest == green, blue - red + 2 * span, red - green + 4 * span),
    )
    angle = angle + span * shift
    channels = [highest - _below(angle + offset * span, span) for offset in (5, 3, 1)]
    return _rounded(torch.stack(channels, 1))


def _below(place: Tensor, span: Tensor) -> Tensor:
    """How far a channel lies below the brightest: a trapezium over the circle, 0 to ``span``."""
    circle = 6 * span
    for _ in range(2):  # from -span..17 span into the circle
        place = torch.where(place >= circle, place - circle, place)
    return torch.minimum(torch.minimum(place, 4 * span - place).clamp(min=0), span)


def _rounded(levels: Tensor) -> Tensor:
    return (levels + TIE).round().clamp(0, 255)


_STEPS = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
}
