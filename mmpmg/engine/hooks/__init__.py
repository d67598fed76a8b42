"""Hooks."""

from .accumulation import AccumulationHook
from .encoder_export import EncoderExportHook
from .iteration_seed import IterationSeedHook
from .reconstruction import ReconstructionHook
from .sample_names import SampleNamesHook

__all__ = [
    "AccumulationHook",
    "EncoderExportHook",
    "IterationSeedHook",
    "ReconstructionHook",
    "SampleNamesHook",
]
