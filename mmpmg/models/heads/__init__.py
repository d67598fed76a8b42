"""Heads: compare prediction with target."""

from .linear_probe import LinearProbeHead
from .masked_classification import MaskedClassificationHead
from .masked_regression import MaskedRegressionHead

__all__ = ["LinearProbeHead", "MaskedClassificationHead", "MaskedRegressionHead"]
