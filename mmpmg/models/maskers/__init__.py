"""Which tokens disappear."""

from .flow_guided import FlowGuidedDenseMasker, FlowGuidedMasker
from .running_cell import RunningCellMasker
from .uniform import FrameMasker, RandomMasker, SlotRandomMasker, TubeMasker, UniformMasker

__all__ = [
    "FlowGuidedDenseMasker",
    "FlowGuidedMasker",
    "FrameMasker",
    "RandomMasker",
    "RunningCellMasker",
    "SlotRandomMasker",
    "TubeMasker",
    "UniformMasker",
]
