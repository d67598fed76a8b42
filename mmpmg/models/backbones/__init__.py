"""Encoders: of what is visible (ViT), or with mask tokens where something is hidden (Swin)."""

from .masked_swin import MaskedSwinTransformer3D
from .masked_vit import MaskedVisionTransformer
from .swin_inflation import InflatedSwin

__all__ = ["InflatedSwin", "MaskedSwinTransformer3D", "MaskedVisionTransformer"]
