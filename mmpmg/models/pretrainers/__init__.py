"""Pretrainers: wiring only."""

from .mask_token import HiddenTokens, MaskTokenPretrainer
from .masked_video import MaskedTokens, MaskedVideoPretrainer
from .pretrainer import Pretrainer

__all__ = [
    "HiddenTokens",
    "MaskTokenPretrainer",
    "MaskedTokens",
    "MaskedVideoPretrainer",
    "Pretrainer",
]
