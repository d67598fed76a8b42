"""Which tokens disappear."""

from .running_cell import RunningCellMasker
from .uniform import FrameMasker, RandomMasker, TubeMasker, UniformMasker

__all__ = ["FrameMasker", "RandomMasker", "RunningCellMasker", "TubeMasker", "UniformMasker"]
