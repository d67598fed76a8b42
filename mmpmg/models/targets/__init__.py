"""What must be predicted."""

from .codebook import CodebookTarget
from .flow import FlowTarget
from .pixel import PixelTarget
from .temporal_difference import TemporalDifferenceTarget
from .token_target import TokenTarget
from .whole_clip import WholeClip

__all__ = [
    "CodebookTarget",
    "FlowTarget",
    "PixelTarget",
    "TemporalDifferenceTarget",
    "TokenTarget",
    "WholeClip",
]
