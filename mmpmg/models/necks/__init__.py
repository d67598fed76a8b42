"""Decoders."""

from .mae_decoder import MAEDecoder
from .swin_decoder import FusingSwinDecoder, SwinDecoder

__all__ = ["FusingSwinDecoder", "MAEDecoder", "SwinDecoder"]
