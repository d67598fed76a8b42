"""Images to disk: what ``tools/generate_images.py`` does."""

from .command import FORMATS, SOURCES
from .errors import GenerationError, InterruptedGeneration
from .run import GenerationOptions, generate, merge
from .verify import verify

__all__ = [
    "FORMATS",
    "SOURCES",
    "GenerationError",
    "GenerationOptions",
    "InterruptedGeneration",
    "generate",
    "merge",
    "verify",
]
