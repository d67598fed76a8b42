"""Where samples come from: image sources, the pseudo-video dataset, transforms, seeding."""

from importlib.util import find_spec as _find_spec

from .sample_seed import SeedSample, generator, sample_seed
from .sample_seed_sampler import SampleSeedSampler

if _find_spec(f"{__name__}.transforms"):
    __import__(f"{__name__}.transforms")

__all__ = ["SampleSeedSampler", "SeedSample", "generator", "sample_seed"]
