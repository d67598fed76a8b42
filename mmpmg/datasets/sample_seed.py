"""One seed per sample: the same clip on any number of workers, processes and resumptions.

DESIGN 4, "Randomness": a sample's seed is a function of (run seed, epoch, dataset index, stream)
and of nothing else; neither the worker, the rank nor what was drawn before can change it.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log

_NO_SAMPLER_WARNING = (
    "SeedSample found no SampleSeedSampler: clips are random, but neither repeatable nor "
    "independent of the number of workers, and without persistent_workers=True MMEngine gives "
    "the workers the same numbers in every epoch. "
    "Set train_dataloader.sampler=dict(type='SampleSeedSampler', shuffle=True)."
)


def sample_seed(run_seed: int, epoch: int, index: int, stream: int = 0) -> int:
    """Derive the seed of one sample.

    Args:
        run_seed: seed of the run, not negative.
        epoch: epoch number, from 0.
        index: index of the sample in its dataset, from 0.
        stream: tells datasets of one run apart, from 0.

    Returns:
        A seed in [0, 2**63), different (but for chance) for every combination.

    Raises:
        ValueError: a part is negative.
    """
    parts = (int(run_seed), int(epoch), int(index), int(stream))
    if min(parts) < 0:
        raise ValueError(f"(run_seed, epoch, index, stream) = {parts}: all must be 0 or more")
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(results: Mapping[str, Any], stream: str) -> np.random.Generator:
    """Return the random generator of one transform for one sample.

    Two transforms with different stream names draw independently, so that adding a transform to a
    pipeline does not change what the others draw. Two of the same name draw alike.

    Args:
        results: the sample; its ``sample_seed`` decides. When it is absent (a recipe without
            `SeedSample`) the seed is drawn from the worker's global ``np.random``, which MMEngine
            seeds per worker and rank.
        stream: name of the drawing transform, for example ``"PMGPipeline"``.

    Returns:
        A fresh generator; asking twice gives the same numbers twice.

    >>> sample = {"sample_seed": 7}
    >>> generator(sample, "mine").random() == generator(sample, "mine").random()
    True
    >>> generator(sample, "mine").random() == generator(sample, "another").random()
    False
    """
    seed = results.get("sample_seed")
    if seed is None:
        seed = _worker_seed()
    return np.random.default_rng(np.random.SeedSequence((int(seed), _stream_key(stream))))


@lru_cache
def _stream_key(stream: str) -> int:
    """Turn a stream's name into a number. Not by hash(): Python salts it per process."""
    return int.from_bytes(hashlib.blake2b(stream.encode(), digest_size=8).digest(), "little")


def _worker_seed() -> int:
    """Draw a seed from the global generator, the one that MMEngine seeds per worker and rank."""
    return int(np.random.randint(0, 2**63 - 1, dtype=np.int64))  # noqa: NPY002


@TRANSFORMS.register_module()
class SeedSample(BaseTransform):
    """Give every sample its seed, as the first transform of a pipeline.

    Sets ``results["sample_seed"]`` from the run's seed and epoch (told by `SampleSeedSampler`) and
    from ``results["sample_idx"]``, and pins the worker's global ``random`` and ``np.random`` to
    it, because MMAction2's own transforms (MultiScaleCrop, Flip, SampleFrames) draw from those.
    Torch's global generator is left alone. Without workers (``num_workers=0``) the generators are
    those of the training process.

    Seed and epoch lie in shared memory: workers, forked or spawned, that live through several
    epochs (``persistent_workers=True``) see the new epoch.

    Without `SampleSeedSampler` the seed is drawn from the worker's global ``np.random``, nothing
    is pinned, and a warning says so once.
    """

    def __init__(self) -> None:
        # bound, run seed, epoch, stream, warned
        self._state = torch.zeros(5, dtype=torch.int64).share_memory_()
        self._outer_index: int | None = None

    def bind(self, run_seed: int, stream: int) -> None:
        """Connect to a run; `SampleSeedSampler` calls it before the workers start.

        Args:
            run_seed: seed of the run; only its low 63 bits count.
            stream: number that no other `SeedSample` of the run has.
        """
        self._state.share_memory_()  # a deep copy of a dataset is not shared any more
        self._state[1] = int(run_seed) & (2**63 - 1)
        self._state[3] = int(stream)
        self._state[0] = 1

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch that all workers see from now on.

        Args:
            epoch: epoch number, from 0.
        """
        self._state[2] = int(epoch)

    @property
    def epoch(self) -> int:
        """The epoch that the sampler told last, from 0; the same in all workers."""
        return int(self._state.numpy()[2])

    def note_outer_index(self, index: int) -> None:
        """Note the index that a repeating wrapper was asked for; the next sample is seeded by it.

        Args:
            index: index into the wrapper, so that repetitions of a sample differ.
        """
        self._outer_index = int(index)

    def transform(self, results: dict) -> dict:
        """Seed one sample.

        Args:
            results: must hold ``sample_idx``, as every MMEngine dataset provides.

        Returns:
            The same dictionary with ``sample_seed`` added.

        Raises:
            KeyError: ``sample_idx`` is absent.
        """
        outer, self._outer_index = self._outer_index, None
        if "sample_idx" not in results:
            raise KeyError("SeedSample needs results['sample_idx']: put it first in a pipeline")
        bound, run_seed, epoch, stream, warned = self._state.tolist()
        if not bound:
            if not warned:
                self._state[4] = 1
                print_log(_NO_SAMPLER_WARNING, logger="current", level=logging.WARNING)
            results.setdefault("sample_seed", _worker_seed())
            return results
        index = results["sample_idx"] if outer is None else outer
        # A second attempt at a sample, with another file, keeps the seed of the first.
        seed = results.get("sample_seed")
        if seed is None:
            seed = sample_seed(run_seed, epoch, index, stream)
        random.seed(seed)
        np.random.seed(np.random.SeedSequence(seed).generate_state(4))  # noqa: NPY002
        results["sample_seed"] = seed
        return results

    def __repr__(self) -> str:
        """Show the type and what it is bound to."""
        bound, run_seed, epoch, stream, _ = self._state.tolist()
        told = f"run_seed={run_seed}, epoch={epoch}, stream={stream}" if bound else "unbound"
        return f"{type(self).__name__}({told})"
