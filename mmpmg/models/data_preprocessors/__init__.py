"""Device side of the data: rendering of deferred clips, mixing of clips."""

from .clip_mixing import ClipMixup, ClipVideoMix
from .pmg import PMGDataPreprocessor

__all__ = ["ClipMixup", "ClipVideoMix", "PMGDataPreprocessor"]
