"""Weights from one model's layout to another's, as pure functions on state dicts."""

from mmpmg.models.conversion.recognizer import recognizer_state

__all__ = ["recognizer_state"]
