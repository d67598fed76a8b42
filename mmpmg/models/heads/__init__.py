"""Heads: compare prediction with target."""

from .masked_regression import MaskedRegressionHead

__all__ = ["MaskedRegressionHead"]
