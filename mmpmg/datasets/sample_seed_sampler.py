"""The sampler that tells every `SeedSample` of a dataset the run's seed and the epoch."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from mmaction.registry import DATA_SAMPLERS
from mmengine.dataset import DefaultSampler
from mmengine.logging import print_log

from .sample_seed import SeedSample


class _NotingIndex:
    """Stands in for a wrapper's ``_get_ori_dataset_idx`` and notes the index it was asked for."""

    def __init__(self, wrapper: Any, seeds: list[SeedSample]) -> None:
        self.wrapper = wrapper
        self.seeds = seeds

    def __call__(self, idx: int) -> int:
        for seed in self.seeds:
            seed.note_outer_index(idx)
        # The method of the class: the instance's attribute is this very object.
        return type(self.wrapper)._get_ori_dataset_idx(self.wrapper, idx)


def seed_samples(dataset: Any) -> Iterator[tuple[SeedSample, Any]]:
    """Yield every `SeedSample` below a dataset with its outermost repeating wrapper, or None.

    Args:
        dataset: of any kind; those that it wraps or joins are looked into.
    """
    for part in getattr(dataset, "datasets", ()):  # ConcatDataset
        yield from seed_samples(part)
    if hasattr(dataset, "dataset"):  # RepeatDataset, ClassBalancedDataset, torch's Subset
        repeats = dataset if hasattr(dataset, "_get_ori_dataset_idx") else None
        for seed, inner in seed_samples(dataset.dataset):
            yield seed, repeats or inner
    own = (getattr(dataset, "seed_sample", None), getattr(dataset, "pipeline", None))
    yield from ((seed, None) for part in own for seed in _seeds_of(part))


def _seeds_of(transform: Any) -> Iterator[SeedSample]:
    """Yield the `SeedSample` instances of a pipeline, nested pipelines included."""
    if isinstance(transform, SeedSample):
        yield transform
    parts = transform if isinstance(transform, (list, tuple)) else ()
    for part in parts or getattr(transform, "transforms", None) or ():
        yield from _seeds_of(part)


@DATA_SAMPLERS.register_module()
class SampleSeedSampler(DefaultSampler):
    """MMEngine's DefaultSampler that also seeds the samples; the order is the same.

    MMEngine gives a sampler the dataset and the run's seed, and calls `set_epoch` before it asks
    for the iterator of an epoch, that is before any worker gets an index of it; epoch-based and
    iteration-based loops alike, with or without ``persistent_workers``. A repeating wrapper
    (RepeatDataset, ClassBalancedDataset) is asked to note its own index, so that each repetition
    of a sample draws anew.

    Args:
        dataset: the dataset of the dataloader; given by MMEngine.
        shuffle: whether to shuffle, by (seed, epoch).
        seed: the run's seed, equal on all ranks; given by MMEngine. None: one is drawn and shared.
        round_up: whether to repeat samples until every rank has equally many.
    """

    def __init__(
        self,
        dataset: Any,
        shuffle: bool = True,
        seed: int | None = None,
        round_up: bool = True,
    ) -> None:
        super().__init__(dataset=dataset, shuffle=shuffle, seed=seed, round_up=round_up)
        found = list(seed_samples(dataset))
        self._seeds = list(dict.fromkeys(seed_sample for seed_sample, _ in found))
        if not self._seeds:
            print_log(
                "SampleSeedSampler found no SeedSample to seed: put dict(type='SeedSample') first "
                "in dataset.pipeline, or use DefaultSampler.",
                logger="current",
                level=logging.WARNING,
            )
        for stream, seed_sample in enumerate(self._seeds):
            seed_sample.bind(self.seed, stream)
        wrappers = {id(wrapper): wrapper for _, wrapper in found if wrapper is not None}
        for wrapper in wrappers.values():
            seeds = [seed_sample for seed_sample, outer in found if outer is wrapper]
            wrapper._get_ori_dataset_idx = _NotingIndex(wrapper, seeds)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the order and of all samples.

        Args:
            epoch: epoch number, from 0.
        """
        super().set_epoch(epoch)
        for seed_sample in self._seeds:
            seed_sample.set_epoch(epoch)
