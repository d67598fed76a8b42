"""Everything with weights, and what runs beside it on the device."""

from . import (
    backbones,
    data_preprocessors,
    heads,
    maskers,
    necks,
    pretrainers,
    segmenters,
    targets,
)

__all__ = [
    "backbones",
    "data_preprocessors",
    "heads",
    "maskers",
    "necks",
    "pretrainers",
    "segmenters",
    "targets",
]
