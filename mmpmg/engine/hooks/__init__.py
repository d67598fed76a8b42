"""Hooks."""

from .encoder_export import EncoderExportHook
from .sample_names import SampleNamesHook

__all__ = ["EncoderExportHook", "SampleNamesHook"]
