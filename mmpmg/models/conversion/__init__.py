"""Weights from one model's layout to another's, as pure functions on state dicts."""

from mmpmg.models.conversion.convert import convert
from mmpmg.models.conversion.detection import detect_format
from mmpmg.models.conversion.layouts import FORMATS
from mmpmg.models.conversion.recognizer import recognizer_state
from mmpmg.models.conversion.report import Conversion
from mmpmg.models.conversion.sizes import Hints, ModelSizes

__all__ = [
    "FORMATS",
    "Conversion",
    "Hints",
    "ModelSizes",
    "convert",
    "detect_format",
    "recognizer_state",
]
