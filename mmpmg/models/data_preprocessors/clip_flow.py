"""The exact flow of a batch's clips, under one name wherever the clips were rendered.

A model that needs it sets ``model.data_preprocessor.with_flow=True``; the samples then carry
``flow`` and ``covisible``, and `batch_flow` collects them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.models.data_preprocessors.deferred import deferred_motion
from mmpmg.motion import Motion
from mmpmg.motion.flow_torch import flow_batch
from mmpmg.motion.transfer_torch import to_device

MOTION_KEYS = ("motion", "motions")
FLOW, COVISIBLE = "flow", "covisible"


def attach_flow(data_samples: Sequence[ActionDataSample], device: torch.device) -> None:
    """Set the flow of every sample of which it is known, in place.

    It is computed on the device from the sample's motion: of a deferred clip (``deferred_motion``)
    or of one that the worker rendered (``motion``, where ``PackActionInputs.meta_keys`` names it).
    Arrays that the worker made (``PMGPipeline(with_flow=True)``, or ``DenseFlow`` for real clips,
    with ``flow`` and ``covisible`` in ``PackActionInputs.algorithm_keys``) are taken as they are.
    Other real clips get none.

    Args:
        data_samples: The samples, before `render_deferred` takes the motions out. Those with a flow
            get ``flow`` (V, T-1, H, W, 2) float32, displacements (dx, dy) in pixels from frame k
            to k + 1, and ``covisible`` (V, T-1, H, W) bool, of their V views; pseudo-motion clips
            have one. Done a second time, it changes nothing.
        device: Where the model is.

    Raises:
        ValueError: A sample has one of the two arrays without the other.
    """
    groups: dict[tuple[int, tuple[int, int]], list[ActionDataSample]] = {}
    for sample in data_samples:
        motion = _motion(sample)
        if motion is not None:
            groups.setdefault((motion.num_frames, motion.size), []).append(sample)
        elif FLOW in sample or COVISIBLE in sample:
            _take_arrays(sample, device)
    for members in groups.values():
        motions = [motion for motion in map(_motion, members) if motion is not None]
        for sample, flow, covisible in zip(members, *flow_batch(motions, device), strict=True):
            _set(sample, flow.unsqueeze(0), covisible.unsqueeze(0))


def take_flow(data_samples: Sequence[ActionDataSample], device: torch.device) -> None:
    """Take the arrays that the worker made, as `attach_flow` does, and compute none."""
    for sample in data_samples:
        if FLOW in sample or COVISIBLE in sample:
            _take_arrays(sample, device)


def check_flow(clips: Sequence[Tensor], data_samples: Sequence[ActionDataSample]) -> None:
    """Refuse a flow that is not that of its clip: something moved the pixels after it was made.

    Args:
        clips: For each sample (V, C, T, H, W).
        data_samples: Their samples, after `attach_flow` or `take_flow`.

    Raises:
        ValueError: A flow of other views, frames or pixels than its clip.
    """
    for clip, sample in zip(clips, data_samples, strict=True):
        if FLOW not in sample or clip.ndim != 5:
            continue
        wanted = (clip.shape[0], clip.shape[2] - 1, *clip.shape[3:])
        for key, shape in ((FLOW, sample.flow.shape[:-1]), (COVISIBLE, sample.covisible.shape)):
            if tuple(shape) != wanted:
                raise ValueError(
                    f"{key} of (views, T-1, H, W) = {tuple(shape)} for a clip that needs {wanted}; "
                    "put DenseFlow or PMGPipeline(with_flow=True) behind every crop, resize and "
                    "flip of the pipeline"
                )


def flip_sample(sample: ActionDataSample) -> None:
    """Mirror what a sample says of its clip left to right, in place.

    Of the flow positions change sides and dx its sign. ``motion`` and ``motions`` go: they describe
    the clip as it was, and not every motion has a mirror image of its own family.
    """
    if FLOW in sample:
        mirrored = sample.flow.flip(-2)
        mirrored[..., 0].neg_()
        _set(sample, mirrored, sample.covisible.flip(-1))
    for key in MOTION_KEYS:
        sample.pop(key, None)


def batch_flow(data_samples: Sequence[ActionDataSample] | None) -> tuple[Tensor, Tensor]:
    """Collect the flow of a batch, for the model that needs it.

    Args:
        data_samples: B samples from a ``PMGDataPreprocessor(with_flow=True)``.

    Returns:
        flow (B*V, T-1, H, W, 2) float32 and covisible (B*V, T-1, H, W) bool, V views of each
        sample, as clips are numbered in the model.

    Raises:
        ValueError: A sample has none: real clips have a flow only where it was estimated.
    """
    samples = list(data_samples or [])
    without = [sample for sample in samples if FLOW not in sample]
    if without or not samples:
        name = without[0].metainfo.get("filename", "without a filename") if without else "-"
        raise ValueError(
            f"{len(without)} of {len(samples)} samples have no flow (the first: {name}). Set "
            "model.data_preprocessor.with_flow=True, and name 'deferred_motion' and 'motion' in "
            "PackActionInputs.meta_keys; real clips have no exact flow: estimate it by "
            "dict(type='DenseFlow') behind the last crop, resize or flip of their pipeline, and "
            "set PackActionInputs.algorithm_keys=('flow', 'covisible')"
        )
    return torch.cat([s.flow for s in samples]), torch.cat([s.covisible for s in samples])


def _motion(sample: ActionDataSample) -> Motion | None:
    motion: Motion | None = deferred_motion(sample) or sample.metainfo.get(MOTION_KEYS[0])
    return motion


def _take_arrays(sample: ActionDataSample, device: torch.device) -> None:
    """Put the worker's arrays on the device."""
    if FLOW not in sample or COVISIBLE not in sample:
        raise ValueError(
            "a sample has flow or covisible without the other; "
            "name both: PackActionInputs(algorithm_keys=('flow', 'covisible'))"
        )

    def on_device(values: Any, ndim: int) -> Tensor:
        values = torch.as_tensor(values)
        values = to_device(values, device, values.dtype)
        # One clip comes without the axis of the views.
        return values.unsqueeze(0) if values.ndim == ndim - 1 else values

    _set(sample, on_device(sample.flow, 5).float(), on_device(sample.covisible, 4))


def _set(sample: ActionDataSample, flow: Tensor, covisible: Tensor) -> None:
    sample.set_field(flow, FLOW)
    sample.set_field(covisible, COVISIBLE)
