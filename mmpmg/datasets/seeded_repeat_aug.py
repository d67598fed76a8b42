"""MMAction2's repeated augmentation with one seed per video."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmaction.datasets import RepeatAugDataset
from mmaction.registry import DATASETS

from .sample_seed import SeedSample


@DATASETS.register_module()
class SeededRepeatAugDataset(RepeatAugDataset):
    """``RepeatAugDataset`` whose draws follow from (run seed, epoch, video).

    The parent fixes the first three steps of its pipeline, so ``SeedSample`` cannot be one of
    them; it acts before them instead. The draws of one video's repetitions follow one another, so
    they differ. ``SampleSeedSampler`` feeds the seeds.

    Args:
        ann_file: Annotation file, ``path label`` a line.
        pipeline: Transforms, beginning with DecordInit, SampleFrames, DecordDecode.
        data_prefix: ``dict(video=folder)``.
        num_repeats: Draws of each video, >= 1.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: list[dict | Callable],
        data_prefix: dict | None = None,
        num_repeats: int = 2,
    ) -> None:
        self.seed_sample = SeedSample()
        super().__init__(
            ann_file, pipeline, data_prefix=data_prefix or dict(video=""), num_repeats=num_repeats
        )

    def prepare_data(self, idx: int) -> list[dict[str, Any]]:
        """Pin the worker's generators to the video, then draw its repetitions."""
        self.seed_sample(dict(sample_idx=idx))
        return super().prepare_data(idx)
