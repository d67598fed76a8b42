"""Features of videos by any of our encoders: what ``tools/extract_features.py`` does."""

from .errors import ExtractionError, InterruptedExtraction
from .run import ExtractionOptions, extract_features

__all__ = ["ExtractionError", "ExtractionOptions", "InterruptedExtraction", "extract_features"]
