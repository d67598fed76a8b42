"""Metrics that MMAction2 lacks, and comparing runs."""

from .davis_metric import DAVISMetric

__all__ = ["DAVISMetric"]
