"""Hooks."""

from .class_count import ClassCountHook
from .encoder_export import EncoderExportHook
from .iteration_seed import IterationSeedHook
from .reconstruction import ReconstructionHook
from .sample_names import SampleNamesHook

__all__ = [
    "ClassCountHook",
    "EncoderExportHook",
    "IterationSeedHook",
    "ReconstructionHook",
    "SampleNamesHook",
]
