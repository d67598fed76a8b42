"""Device side of the data: rendering of deferred clips, mixing of clips."""

from .clip_mixing import ClipMixup, ClipVideoMix
from .label_mixing import MixupOrCutmix
from .pmg import PMGDataPreprocessor

__all__ = ["ClipMixup", "ClipVideoMix", "MixupOrCutmix", "PMGDataPreprocessor"]
