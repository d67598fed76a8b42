"""Which tokens disappear."""

from .running_cell import RunningCellMasker
from .uniform import FrameMasker, RandomMasker, SlotRandomMasker, TubeMasker, UniformMasker

__all__ = [
    "FrameMasker",
    "RandomMasker",
    "RunningCellMasker",
    "SlotRandomMasker",
    "TubeMasker",
    "UniformMasker",
]
