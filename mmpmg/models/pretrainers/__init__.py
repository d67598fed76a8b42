"""Pretrainers: wiring only."""

from .masked_video import MaskedTokens, MaskedVideoPretrainer

__all__ = ["MaskedTokens", "MaskedVideoPretrainer"]
