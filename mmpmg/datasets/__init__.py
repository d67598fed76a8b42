"""Where samples come from: image sources, the pseudo-video dataset, transforms, seeding."""

from . import transforms
from .image_decoding import ImageReadError
from .image_sources import FolderImages, ImageSource, ListImages, ShaderImages
from .image_to_pseudo_video import ImageToPseudoVideo, TooManyBadImagesError
from .sample_seed import SeedSample, generator, sample_seed
from .sample_seed_sampler import SampleSeedSampler
from .seeded_repeat_aug import SeededRepeatAugDataset

__all__ = [
    "FolderImages",
    "ImageReadError",
    "ImageSource",
    "ImageToPseudoVideo",
    "ListImages",
    "SampleSeedSampler",
    "SeedSample",
    "SeededRepeatAugDataset",
    "ShaderImages",
    "TooManyBadImagesError",
    "generator",
    "sample_seed",
    "transforms",
]
