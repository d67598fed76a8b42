"""Everything with weights, and what runs beside it on the device."""

from . import backbones, heads, maskers, necks, pretrainers, targets

__all__ = ["backbones", "heads", "maskers", "necks", "pretrainers", "targets"]
