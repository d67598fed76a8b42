"""Pipeline transforms, registered in MMAction2's ``TRANSFORMS``."""

from .crop import MultiScaleCropInside
from .pmg import PMGAug, PMGPipeline
from .rand_augment import ClipRandAugment

__all__ = ["ClipRandAugment", "MultiScaleCropInside", "PMGAug", "PMGPipeline"]
