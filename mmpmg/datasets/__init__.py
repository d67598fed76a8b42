"""Where samples come from: image sources, the pseudo-video dataset, transforms, seeding."""

from . import transforms
from .archive_images import ArchiveImages
from .archive_member import ArchiveError
from .bad_samples import TooManyBadSamplesError
from .checked_videos import CheckedVideoDataset, SeededRepeatAugDataset
from .davis import DAVISDataset
from .fractal_images import FractalImages
from .generated_images import GeneratedImages, ShaderImages
from .glsl_images import GLSLImages
from .image_decoding import ImageReadError
from .image_sources import FolderImages, ImageSource, ListImages
from .image_to_pseudo_video import ImageToPseudoVideo
from .mixed_datasets import MixedDatasets
from .mixed_images import MixedImages
from .object_masks import AnnotationError
from .perlin_images import PerlinClips, PerlinImages
from .sample_seed import SeedSample, generator, sample_seed
from .sample_seed_sampler import SampleSeedSampler
from .video_frames import VideoFrames
from .video_reading import VideoReadError
from .visual_atom_images import VisualAtomImages
from .webdataset_images import WebDatasetImages
from .with_pmg_aug import with_pmg_aug

__all__ = [
    "AnnotationError",
    "ArchiveError",
    "ArchiveImages",
    "CheckedVideoDataset",
    "DAVISDataset",
    "FolderImages",
    "FractalImages",
    "GLSLImages",
    "GeneratedImages",
    "ImageReadError",
    "ImageSource",
    "ImageToPseudoVideo",
    "ListImages",
    "MixedDatasets",
    "MixedImages",
    "PerlinClips",
    "PerlinImages",
    "SampleSeedSampler",
    "SeedSample",
    "SeededRepeatAugDataset",
    "ShaderImages",
    "TooManyBadSamplesError",
    "VideoFrames",
    "VideoReadError",
    "VisualAtomImages",
    "WebDatasetImages",
    "generator",
    "sample_seed",
    "transforms",
    "with_pmg_aug",
]
