"""The clips of deferred samples: what the data worker left for the device to render."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor
from torch.nn import functional as F

from mmpmg.motion import Motion
from mmpmg.motion.render_torch import render_batch

KEY = "deferred_motion"


def deferred_motion(sample: ActionDataSample) -> Motion | None:
    """Return the motion that a deferred sample waits for, or None for one that is a clip."""
    motion: Motion | None = sample.metainfo.get(KEY)
    return motion


def render_deferred(
    inputs: Sequence[Tensor], data_samples: Sequence[ActionDataSample]
) -> list[Tensor]:
    """Replace the deferred samples of a batch by their clips.

    Args:
        inputs: For each sample (V, C, T, H, W) uint8; a deferred one is (1, 3, n, H, W), the n
            images of its motion in place of frames.
        data_samples: Their samples; the motion is taken out of each.

    Returns:
        For each sample (V, C, T, H, W) uint8.

    Raises:
        ValueError: A deferred sample is not of that shape.
    """
    clips = list(inputs)
    groups: dict[tuple[int, tuple[int, int]], list[int]] = {}
    for number, sample in enumerate(data_samples):
        motion = deferred_motion(sample)
        if motion is not None:
            _check_stills(clips[number], motion)
            groups.setdefault((motion.num_frames, motion.size), []).append(number)
    for members in groups.values():
        motions = [data_samples[number].metainfo[KEY] for number in members]
        images, partners = _stack_stills([clips[number][0] for number in members])
        for number, clip in zip(members, render_batch(images, motions, partners), strict=True):
            clips[number] = clip.unsqueeze(0)
            data_samples[number].pop(KEY)  # a thousand numbers that nobody needs any more
    return clips


def _check_stills(stills: Tensor, motion: Motion) -> None:
    expected = (1, 3, motion.num_images, *motion.size)
    if tuple(stills.shape) != expected:
        raise ValueError(
            f"a deferred sample of {motion.family} has shape {tuple(stills.shape)}, not "
            f"{expected}: nothing but FormatShape(input_format='NCTHW') and PackActionInputs may "
            "follow the transform with deferred=True"
        )


def _stack_stills(stills: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
    """Stack images of (3, n, H, W): the first of each, and the partners of all.

    Samples with fewer images than others are filled up with black ones, at which nobody looks.
    """
    most = max(still.shape[1] for still in stills)
    filled = [F.pad(still, (0, 0, 0, 0, 0, most - still.shape[1])) for still in stills]
    batch = torch.stack(filled, 0).transpose(1, 2)  # [B, n, 3, H, W]
    return batch[:, 0], batch[:, 1:] if most > 1 else None
