"""Where samples come from: image sources, the pseudo-video dataset, transforms, seeding."""

from . import transforms
from .bad_samples import TooManyBadSamplesError
from .checked_videos import CheckedVideoDataset, SeededRepeatAugDataset, VideoReadError
from .generated_images import GeneratedImages, ShaderImages
from .image_decoding import ImageReadError
from .image_sources import FolderImages, ImageSource, ListImages
from .image_to_pseudo_video import ImageToPseudoVideo
from .sample_seed import SeedSample, generator, sample_seed
from .sample_seed_sampler import SampleSeedSampler

__all__ = [
    "CheckedVideoDataset",
    "FolderImages",
    "GeneratedImages",
    "ImageReadError",
    "ImageSource",
    "ImageToPseudoVideo",
    "ListImages",
    "SampleSeedSampler",
    "SeedSample",
    "SeededRepeatAugDataset",
    "ShaderImages",
    "TooManyBadSamplesError",
    "VideoReadError",
    "generator",
    "sample_seed",
    "transforms",
]
