"""Samples of a training set for looking at, drawn without leaving a trace in the training."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmpmg.datasets import SampleSeedSampler
from mmpmg.datasets.transforms.geometry import KEEPS_PIXELS_IN_PLACE
from mmpmg.datasets.transforms.pmg import PMGAug, PMGPipeline
from mmpmg.motion import Motion

from .labels import Picture

_MOVING = {"PMGPipeline", "PMGAug"}


@contextmanager
def isolated_randomness(seed: int) -> Iterator[None]:
    """Seed every global generator for a while, and give each its old state back.

    Args:
        seed: Any whole number; ``random`` and numpy take its low 32 bits.
    """
    states = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        random.seed(seed % 2**32)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """What a training pipeline made of one sample.

    Attributes:
        packed: Its last output: ``inputs`` and ``data_samples``.
        clip: (T, H, W, 3) uint8, the first view, as it stands in ``inputs``.
        motion: What moves the clip, if it is a pseudo-motion clip and no transform changed its
            geometry afterwards.
        family: Name of the motion; "real clip" without one.
        name: Name of the file, as far as the pipeline knows one.
    """

    packed: dict[str, Any]
    clip: Picture
    motion: Motion | None
    family: str
    name: str


def transform_lists(dataset: Any) -> list[list[Callable]]:
    """Return the lists of transforms of a dataset and of those that it wraps."""
    found = [part for inner in getattr(dataset, "datasets", ()) for part in transform_lists(inner)]
    if hasattr(dataset, "dataset"):
        found += transform_lists(dataset.dataset)
    transforms = getattr(getattr(dataset, "pipeline", None), "transforms", None)
    return found + ([transforms] if transforms else [])


def private_copy(dataset: Any) -> Any:
    """Copy a dataset with everything that changes when it is read; share what is big and constant.

    Args:
        dataset: A dataset with a ``pipeline``, or a wrapper around some.

    Returns:
        A copy with its own transforms and seeds.
    """
    shared: dict[int, Any] = {}

    def share(part: Any) -> None:
        for inner in (*getattr(part, "datasets", ()), getattr(part, "dataset", None)):
            if inner is not None:
                share(inner)
        for name in ("source", "data_list", "data_bytes", "data_address"):
            value = getattr(part, name, None)
            if value is not None:
                shared[id(value)] = value

    share(dataset)
    return copy.deepcopy(dataset, shared)


def spread_indices(size: int, count: int) -> list[int]:
    """Choose indices evenly over a dataset: the same ones for the same size and count.

    Args:
        size: Samples in the dataset.
        count: How many are wanted, at least 1.

    Returns:
        Ascending indices without repetition, min(size, count) of them.

    Raises:
        ValueError: ``count`` below 1 or an empty dataset.
    """
    if count < 1 or size < 1:
        raise ValueError(f"{count} clips of a dataset of {size} samples: both must be 1 or more")
    count = min(size, count)
    return [index * size // count for index in range(count)]


def read_samples(
    dataset: Any,
    indices: Sequence[int],
    seed: int = 0,
    prepare: Callable[[Any], None] | None = None,
) -> list[TrainingSample]:
    """Read samples as the first epoch of a run with this seed would.

    The dataset, its seeds and the global generators are left as they were.

    Args:
        dataset: The training set, any that packs its samples with ``PackActionInputs``.
        indices: Which samples, in [0, len(dataset)).
        seed: Of the run, a whole number.
        prepare: Called with each transform of the copy, to change it.

    Returns:
        One sample for each index.

    Raises:
        ValueError: The pipeline does not end in packing clips.
    """
    with isolated_randomness(seed):
        dataset = private_copy(dataset)
        for transforms in transform_lists(dataset):
            for transform in transforms:
                if isinstance(transform, (PMGPipeline, PMGAug)):
                    transform.deferred = False  # the clip is wanted, not the image
                if prepare is not None:
                    prepare(transform)
            transforms[-1] = _keeping_results(transforms[-1], _geometry_survives(transforms))
        SampleSeedSampler(dataset, shuffle=False, seed=seed)  # tells the copy its seed, epoch 0
        return [_training_sample(dataset[index]) for index in indices]


def _keeping_results(pack: Callable, aligned: bool) -> Callable[[dict], dict]:
    """Wrap the last transform, so that what it drops can be looked at."""

    def keep(results: dict) -> dict:
        return {"packed": pack(dict(results)), "results": results, "aligned": aligned}

    return keep


def _geometry_survives(transforms: Sequence[Callable]) -> bool:
    """True if nothing behind the moving transform moves the pixels again."""
    names = [type(transform).__name__ for transform in transforms]
    moving = [number for number, name in enumerate(names) if name in _MOVING]
    return bool(moving) and set(names[moving[-1] + 1 :]) <= KEEPS_PIXELS_IN_PLACE


def _training_sample(kept: Any) -> TrainingSample:
    kept = kept[0] if isinstance(kept, list) else kept  # of repeated augmentation, the first draw
    packed = kept.get("packed") if isinstance(kept, dict) else None
    packed = packed if isinstance(packed, dict) else {}
    inputs = packed.get("inputs")
    if not isinstance(inputs, torch.Tensor) or inputs.ndim != 5 or inputs.dtype != torch.uint8:
        got = (
            f"{inputs.dtype} {tuple(inputs.shape)}" if isinstance(inputs, torch.Tensor) else inputs
        )
        raise ValueError(
            f"the training pipeline gives inputs {got}; only uint8 clips (V, C, T, H, W) can be "
            "drawn: end train_dataloader.dataset.pipeline with FormatShape(input_format='NCTHW') "
            "and PackActionInputs"
        )
    results = kept["results"]
    motions = results.get("motions") or [results.get("motion")]
    motion = motions[0]
    # [V, C, T, H, W] -> [T, H, W, C], the first view
    clip = inputs[0].permute(1, 2, 3, 0).contiguous().numpy()
    family = "real clip" if motion is None else motion.family
    if motion is not None and (
        not kept["aligned"] or (motion.num_frames, *motion.size) != clip.shape[:3]
    ):
        motion = None
    return TrainingSample(
        packed, clip, motion, family, str(results.get("filename") or results.get("frame_dir") or "")
    )
