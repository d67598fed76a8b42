"""Where samples come from: image sources, the pseudo-video dataset, transforms, seeding."""

from importlib.util import find_spec as _find_spec

from .image_decoding import ImageReadError
from .image_sources import FolderImages, ImageSource, ListImages, ShaderImages
from .image_to_pseudo_video import ImageToPseudoVideo, TooManyBadImagesError
from .sample_seed import SeedSample, generator, sample_seed
from .sample_seed_sampler import SampleSeedSampler

if _find_spec(f"{__name__}.transforms"):
    __import__(f"{__name__}.transforms")

__all__ = [
    "FolderImages",
    "ImageReadError",
    "ImageSource",
    "ImageToPseudoVideo",
    "ListImages",
    "SampleSeedSampler",
    "SeedSample",
    "ShaderImages",
    "TooManyBadImagesError",
    "generator",
    "sample_seed",
]
