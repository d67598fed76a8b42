"""What must be predicted."""

from .pixel import PixelTarget

__all__ = ["PixelTarget"]
