"""Encoders: of what is visible (ViT), or with mask tokens where something is hidden (Swin)."""

from .masked_swin import MaskedSwinTransformer3D
from .masked_vit import MaskedVisionTransformer
from .swin_inflation import InflatedSwin
from .vit_inflation import InflatedViT

__all__ = ["InflatedSwin", "InflatedViT", "MaskedSwinTransformer3D", "MaskedVisionTransformer"]
