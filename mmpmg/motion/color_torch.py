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
_NO_CHANGE = {"brightness": 1.0, "contrast": 1.0, "saturation": 1.0, "hue": 0.0}


class ColorChanges:
    """The colour steps of a batch, each applied to all samples that have it in the same place.

    Which samples those are is known on the host; all amounts go to the device at once.

    Args:
        color_ops: For each of n samples the names of its steps, in order: ``'brightness'`` (factor
            * level), ``'contrast'`` (away from the frame's mean grey), ``'saturation'`` (away from
            the pixel's own grey; grey is .299 R + .587 G + .114 B), ``'hue'`` (HSV hue turned).
        amounts: For each sample (T, number of its steps): factors of at least 0, or for hue shifts
            in turns.
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
                if (values != _NO_CHANGE[name]).any():
                    rows = to_device(members, device, torch.int64)
                    self.steps.append((name, rows, _prepared(name, values, device)))

    def __call__(self, clips: Tensor, frames: slice) -> Tensor:
        """Change frames.

        Args:
            clips: (n, 3, c, H, W) float32 RGB, whole numbers in 0..255.
            frames: Which c of the T frames they are.

        Returns:
            The same shape, whole numbers in 0..255.
        """
        for name, rows, amounts in self.steps:
            everybody = len(rows) == self.count
            chosen = clips if everybody else clips.index_select(0, rows)
            count, _, length = chosen.shape[:3]
            single = chosen.transpose(1, 2).flatten(0, 1)  # [m * c, 3, H, W]
            amount = amounts[:, frames].flatten()[:, None, None, None]
            changed = _STEPS[name](single, amount)
            changed = changed.unflatten(0, (count, length)).transpose(1, 2)
            clips = changed if everybody else clips.index_copy(0, rows, changed)
        return clips


def _prepared(name: str, amounts: FloatArray, device: torch.device) -> Tensor:
    """Bring amounts (n, T) to the device as the step of that name wants them."""
    if name == "saturation":
        amounts = np.rint(amounts * SATURATION_STEPS) / SATURATION_STEPS
    if name == "hue":
        circle = 6 * HUE_STEPS
        amounts = np.rint(amounts % 1.0 * circle) % circle / HUE_STEPS
    exact = name in ("saturation", "hue")  # in whole steps, of which float32 loses nothing
    return to_device(amounts, device, torch.float32 if exact else torch.float64)


def _grey(frames: Tensor) -> Tensor:
    """Grey levels (n, 1, H, W) as whole numbers, by the integer weights of OpenCV 4 and 5."""
    red, green, blue = frames.split(1, 1)
    # Whole numbers below 2^24, and then a power of two: float32 rounds nowhere.
    weighed = (9798 * red).add_(green, alpha=19235).add_(blue, alpha=3735)
    return weighed.add_(16384).mul_(2.0**-15).floor_()


def _brightness(frames: Tensor, factor: Tensor) -> Tensor:
    return (frames * factor).round_().clamp_(0, 255).float()


def _contrast(frames: Tensor, factor: Tensor) -> Tensor:
    mean = _grey(frames).sum((1, 2, 3), dtype=torch.float64, keepdim=True) / frames[0, 0].numel()
    return (frames * factor).add_(mean * (1.0 - factor)).round_().clamp_(0, 255).float()


def _saturation(frames: Tensor, factor: Tensor) -> Tensor:
    grey = _grey(frames)
    return _rounded(torch.addcmul(grey, frames - grey, factor))


def _hue(frames: Tensor, sixths: Tensor) -> Tensor:
    highest, lowest = frames.amax(1), frames.amin(1)
    span = highest - lowest
    red, green, blue = frames.unbind(1)
    # Hue times span, in sixths of the circle: 0 at red, 2 at green, 4 at blue. Whole numbers: no
    # division by the span, which would round.
    angle = torch.where(
        highest == red,
        green - blue,
        torch.where(
            highest == green,
            torch.add(blue - red, span, alpha=2),
            torch.add(red - green, span, alpha=4),
        ),
    )
    angle.addcmul_(span, sixths[:, 0])
    # Red, green and blue at once, each a third of the circle further.
    places = torch.stack([torch.add(angle, span, alpha=offset) for offset in (5, 3, 1)], 1)
    return _rounded(highest.unsqueeze(1) - _below(places, span.unsqueeze(1)))


def _below(place: Tensor, span: Tensor) -> Tensor:
    """How far a channel lies below the brightest: a trapezium over the circle, 0 to ``span``."""
    circle = 6 * span
    for _ in range(2):  # from -span..17 span into the circle
        place = torch.where(place >= circle, place - circle, place)
    return torch.minimum(torch.minimum(place, 4 * span - place).clamp_(min=0), span)


def _rounded(levels: Tensor) -> Tensor:
    return levels.add_(TIE).round_().clamp_(0, 255)


_STEPS = {
    "brightness": _brightness,
    "contrast": _contrast,
    "saturation": _saturation,
    "hue": _hue,
}
