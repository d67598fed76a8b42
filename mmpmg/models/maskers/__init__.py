"""Which tokens disappear."""

from .uniform import FrameMasker, RandomMasker, TubeMasker, UniformMasker

__all__ = ["FrameMasker", "RandomMasker", "TubeMasker", "UniformMasker"]
