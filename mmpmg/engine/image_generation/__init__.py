"""Images to disk: what ``tools/generate_images.py`` does."""

from .command import FORMATS, SOURCES
from .errors import GenerationError, InterruptedGeneration
from .finish import merge
from .run import GenerationOptions, generate
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
