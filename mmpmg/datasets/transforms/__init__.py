"""Pipeline transforms, registered in MMAction2's ``TRANSFORMS``."""

from .crop import MultiScaleCropInside
from .dense_flow import DenseFlow
from .load_sequence import LoadSequence
from .motion_map import MotionMap
from .pmg import PMGAug, PMGPipeline
from .rand_augment import ClipRandAugment

__all__ = [
    "ClipRandAugment",
    "DenseFlow",
    "LoadSequence",
    "MotionMap",
    "MultiScaleCropInside",
    "PMGAug",
    "PMGPipeline",
]
