"""What a target may look at: the clip before anything was hidden, and its samples."""

from __future__ import annotations

from typing import NamedTuple

from mmaction.structures import ActionDataSample
from torch import Tensor


class WholeClip(NamedTuple):
    """A batch of unmasked clips, from which targets are computed."""

    pixels: Tensor
    """(B, 3, T, H, W) in [0, 1]."""
    samples: list[ActionDataSample] | None = None
    """Their samples, for what pixels do not tell: flow, for example. A sample of V views stands
    for V clips in turn."""
