"""Encoders that see only what is visible."""

from .masked_vit import MaskedVisionTransformer

__all__ = ["MaskedVisionTransformer"]
