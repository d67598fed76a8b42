"""Device side of the data: mixing of clips."""

from .clip_mixing import ClipMixup, ClipVideoMix

__all__ = ["ClipMixup", "ClipVideoMix"]
