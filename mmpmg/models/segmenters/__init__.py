"""Video object segmentation with frozen encoders."""

from .label_propagation_segmenter import LabelPropagationSegmenter
from .sequence_preprocessor import SequencePreprocessor

__all__ = ["LabelPropagationSegmenter", "SequencePreprocessor"]
