"""The seeds of a batch's samples, on the device."""

from __future__ import annotations

import functools
import logging

import torch
from mmaction.structures import ActionDataSample
from mmengine.dist import get_rank
from mmengine.logging import print_log
from torch import Tensor

from mmpmg.models.token_noise import token_noise

SEED_KEY = "sample_seed"


@functools.cache
def _warn_of_missing_seeds() -> None:
    """Once a process."""
    print_log(
        f"samples carry no {SEED_KEY}: masks and mixing are random but not repeatable. Put "
        "dict(type='SeedSample') first in the pipeline, use sampler=dict(type='SampleSeedSampler') "
        f"and name '{SEED_KEY}' in PackActionInputs.meta_keys",
        logger="current",
        level=logging.WARNING,
    )


def batch_seeds(
    data_samples: list[ActionDataSample] | None, num_clips: int, device: torch.device
) -> Tensor:
    """Collect one seed per clip.

    With seeds in the samples, all that is drawn on the device is a function of (run seed, epoch,
    index): the same on any number of workers and ranks, and after a resume. Samples of a foreign
    dataset may carry none; then seeds come from torch's generator, different on every rank.

    Args:
        data_samples: B samples, those of our datasets with ``metainfo["sample_seed"]``.
        num_clips: B times the number of views of each sample.
        device: Where the seeds are wanted.

    Returns:
        (num_clips,) int64.
    """
    samples = data_samples or []
    if not samples or any(SEED_KEY not in sample.metainfo for sample in samples):
        if samples:
            _warn_of_missing_seeds()
        # MMEngine seeds all ranks alike, so the rank must enter.
        drawn = torch.randint(2**62, (num_clips,))
        return token_noise(drawn + get_rank(), 1)[:, 0].to(device)
    seeds = torch.tensor([sample.metainfo[SEED_KEY] for sample in samples])
    views = num_clips // len(samples)
    if views > 1:
        seeds = token_noise(seeds, views, stream=1).flatten()
    return seeds.to(device, non_blocking=True)
