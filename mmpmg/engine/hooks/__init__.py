"""Hooks."""

from .accumulation import AccumulationHook
from .class_count import ClassCountHook
from .encoder_export import EncoderExportHook
from .feature_statistics import FeatureStatisticsHook
from .iteration_seed import IterationSeedHook
from .masking_ratio import MaskingRatioHook
from .reconstruction import ReconstructionHook
from .sample_names import SampleNamesHook
from .segmentation_pictures import SegmentationPictureHook

__all__ = [
    "AccumulationHook",
    "ClassCountHook",
    "EncoderExportHook",
    "FeatureStatisticsHook",
    "IterationSeedHook",
    "MaskingRatioHook",
    "ReconstructionHook",
    "SampleNamesHook",
    "SegmentationPictureHook",
]
