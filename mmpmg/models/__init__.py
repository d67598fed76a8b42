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
    tokenizers,
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
    "tokenizers",
]
