"""Hooks."""

from .encoder_export import EncoderExportHook
from .reconstruction import ReconstructionHook
from .sample_names import SampleNamesHook

__all__ = ["EncoderExportHook", "ReconstructionHook", "SampleNamesHook"]
