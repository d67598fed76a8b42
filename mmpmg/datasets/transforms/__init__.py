"""Pipeline transforms, registered in MMAction2's ``TRANSFORMS``."""

from .pmg import PMGAug, PMGPipeline

__all__ = ["PMGAug", "PMGPipeline"]
