"""Video Perlin Noise, made in the data worker: stills, or clips that need no pseudo-motion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset

from mmpmg.synthesis import perlin_clip

from .generated_images import GeneratedImages, positive
from .named_pipeline import in_order
from .sample_seed import SeedSample


@DATASETS.register_module()
class PerlinImages(GeneratedImages):
    """First frames of Video Perlin Noise (`mmpmg.synthesis.perlin`).

    Args:
        num_categories: how many textures.
        images_per_category: how many images of each.
        size: side, or (height, width), in pixels.
        seed: another seed gives other textures.

    Raises:
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        num_categories: int = 1000,
        images_per_category: int = 100,
        size: int | Sequence[int] = 256,
        seed: int = 0,
    ) -> None:
        super().__init__(num_categories, images_per_category, size, seed)

    def name(self, index: int) -> str:
        """Return the call that makes an image again."""
        category, instance = self.address(index)
        return f"perlin_clip({self.seed}, {category}, {instance}, 1, {self.size})[0]"

    def load(self, index: int) -> np.ndarray:
        """Make an image, (H, W, 3) uint8 RGB."""
        return perlin_clip(self.seed, *self.address(index), 1, self.size)[0]


@DATASETS.register_module()
class PerlinClips(BaseDataset):
    """Clips of Video Perlin Noise, the VPN baseline of the PMG paper, straight into a pipeline.

    A sample enters the pipeline as a decoded clip does: ``imgs`` (a list of T frames (H, W, 3)
    uint8 RGB), ``img_shape``, ``original_shape``, ``modality``, ``num_clips=1``, ``clip_len``,
    ``label`` (the category, for the supervised pre-training of VPN's authors); and with
    ``filename`` (the call that makes it again), ``sample_idx`` and ``sample_seed``. The pipeline
    begins with what follows decoding: crop, resize, flip, ``FormatShape``.

    Args:
        pipeline: recipes of transforms, a list or a dict from a name to each, in order; None in a
            dict takes one out.
        num_categories: how many textures.
        clips_per_category: how many clips of each.
        num_frames: T, 1 or more.
        size: side, or (height, width), in pixels.
        seed: another seed gives other textures.
        metainfo: as in MMEngine's BaseDataset.
        test_mode: as in MMEngine's BaseDataset.

    Raises:
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        pipeline: Sequence[dict | Callable] | Mapping[str, dict | Callable | None],
        num_categories: int = 1000,
        clips_per_category: int = 100,
        num_frames: int = 16,
        size: int | Sequence[int] = 256,
        seed: int = 0,
        metainfo: dict | None = None,
        test_mode: bool = False,
    ) -> None:
        positive(clips_per_category, "dataset.clips_per_category")
        self.images = PerlinImages(num_categories, clips_per_category, size, seed)
        self.num_frames = positive(num_frames, "dataset.num_frames")
        self.seed_sample = SeedSample()
        super().__init__(
            metainfo=metainfo,
            serialize_data=False,
            pipeline=in_order(pipeline),
            test_mode=test_mode,
            lazy_init=True,
        )
        self._fully_initialized = True

    def __len__(self) -> int:
        return len(self.images)

    def get_data_info(self, idx: int) -> dict:
        """Return what is known of a sample without making its clip.

        Args:
            idx: index of the sample; negative ones count from the end.

        Returns:
            ``filename``, ``label`` and ``sample_idx``.
        """
        idx = range(len(self))[idx]
        category, instance = self.images.address(idx)
        call = (self.images.seed, category, instance, self.num_frames, self.images.size)
        return {"filename": f"perlin_clip{call}", "label": category, "sample_idx": idx}

    def prepare_data(self, idx: int) -> Any:
        """Make a clip and run the pipeline on it.

        Args:
            idx: index of the sample.

        Returns:
            What the pipeline returns.
        """
        results = self.seed_sample(self.get_data_info(idx))
        address = self.images.address(results["sample_idx"])
        clip = perlin_clip(self.images.seed, *address, self.num_frames, self.images.size)
        results.update(
            imgs=list(clip),
            img_shape=clip.shape[1:3],
            original_shape=clip.shape[1:3],
            modality="RGB",
            num_clips=1,
            clip_len=self.num_frames,
        )
        return self.pipeline(results)

    def __getitem__(self, idx: int) -> Any:
        return self.prepare_data(idx)
