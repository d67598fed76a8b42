"""The four colour steps of `color_opencv`, for batches on any device.

Frames are whole numbers before and after, as 8-bit frames are. The arithmetic is exact, or done in
float64 for a table of the 256 levels, so both agree to the bit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .color_opencv import HUE_STEPS, SATURATION_STEPS, TIE
from .motion import FloatArray
from .transfer_torch import to_device

#: The amount that changes nothing.
NO_CHANGE = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}


class ColorChanges:
    """The colour steps of a batch, each applied to all samples that have it in the same place.

    Which samples those are is known on the host; all amounts go to the device at once.

    Args:
        color_ops: For each of n samples the names of its steps, in order.
        amounts: For each sample (T, number of its steps).
        device: Where the frames are.
    """

    def __init__(
        self,
        color_ops: Sequence[Sequence[str]],
        amounts: Sequence[FloatArray],
        device: torch.device,
    ) -> None:
        self.count = len(color_ops)
        self.steps: list[tuple[str, Tensor, Tensor]] = []
        for place in range(max(map(len, color_ops))):
            names = [ops[place] if place < len(ops) else "" for ops in color_ops]
            for name in sorted(set(names) - {""}):
                members = [n for n, own in enumerate(names) if own == name]
                values = np.stack([amounts[n][:, place] for n in members])
                if (values != NO_CHANGE[name]).any():
                    rows = to_device(members, device, torch.int64)
                    self.steps.append((name, rows, to_device(values, device, torch.float64)))

    def __call__(self, clips: Tensor, frames: slice) -> Tensor:
        """Change c frames (n, 3, c, H, W) of whole numbers, those of ``frames``."""
        for name, rows, amounts in self.steps:
            everybody = len(rows) == self.count
            chosen = clips if everybody else clips.index_select(0, rows)
            count, _, length = chosen.shape[:3]
            single = chosen.transpose(1, 2).flatten(0, 1)  # [m * c, 3, H, W]
            changed = change_color(single, name, amounts[:, frames].flatten())
            changed = changed.unflatten(0, (count, length)).transpose(1, 2)
            clips = changed if everybody else clips.index_copy(0, rows, changed)
        return clips


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
    # Red, green and blue at once, each a third of the circle further.
    span = span.unsqueeze(1)
    places = torch.cat([angle.unsqueeze(1) + offset * span for offset in (5, 3, 1)], 1)
    return _rounded(highest.unsqueeze(1) - _below(places, span))


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
