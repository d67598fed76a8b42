"""From a pretrainer and packed samples to masks and mixtures that can be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn

from mmpmg.models.data_preprocessors.batch_motion_map import MOTION_MAP
from mmpmg.models.data_preprocessors.clip_flow import COVISIBLE, FLOW
from mmpmg.models.pretrainers.pretrainer import Pretrainer

from .labels import Picture
from .training_samples import TrainingSample


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch a model to evaluation without gradients, and give each part its old mode back."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes:
            module.training = training


def preprocessed(
    model: Pretrainer, samples: Sequence[TrainingSample], training: bool = False
) -> tuple[Tensor, list[ActionDataSample]]:
    """Preprocess the first view of each sample.

    Args:
        model: Its data preprocessor is used.
        samples: Left as they are.
        training: Whether to mix and flip, as the model's training does.

    Returns:
        (B, C, T, H, W) on the model's device, normalised, and the samples, copies, with the flow
        and the motion map of that view where they have one.
    """
    batch = pseudo_collate([dict(sample.packed) for sample in samples])
    inputs = [inputs[:1] for inputs in batch["inputs"]]
    # Of their own: the preprocessor attaches a flow, and takes away what a flip makes wrong.
    data_samples = [
        _first_view(sample, len(views))
        for sample, views in zip(batch["data_samples"], batch["inputs"], strict=True)
    ]
    batch = model.data_preprocessor(dict(inputs=inputs, data_samples=data_samples), training)
    return batch["inputs"].flatten(0, 1), batch["data_samples"]


def _first_view(sample: ActionDataSample, views: int) -> ActionDataSample:
    """Copy a sample, with the worker's arrays of its first view alone."""
    copied: ActionDataSample = sample.new()
    for key in (FLOW, COVISIBLE, MOTION_MAP):
        if views > 1 and key in copied:
            copied.set_field(getattr(copied, key)[:1], key)
    return copied


def clip_label(sample: TrainingSample) -> str:
    """Name a clip by its motion, a real one by its file."""
    return Path(sample.name).name if sample.motion is None and sample.name else sample.family


def grey_levels(pixels: Tensor) -> list[Picture]:
    """Return (B, C, T, H, W) in [0, 1] as B clips (T, H, W, C) uint8."""
    levels = (pixels.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return list(levels.permute(0, 2, 3, 4, 1).cpu().numpy())


def draw_masks(model: Pretrainer, samples: Sequence[TrainingSample]) -> list[npt.NDArray[np.bool_]]:
    """Return the mask that the model's own masker draws for each sample: (N,) bool each."""
    with evaluating(model):
        clips, data_samples = preprocessed(model, samples)
        return list(model.draw(clips, data_samples).mask.cpu().numpy())


def mixed_clips(model: Pretrainer, samples: Sequence[TrainingSample]) -> list[Picture]:
    """Return the clips as the model trains on them: mixed with one another where it mixes."""
    with evaluating(model):
        return grey_levels(model.pixels(preprocessed(model, samples, training=True)[0]))


def mixing_shares(model: Pretrainer, samples: Sequence[TrainingSample]) -> list[float]:
    """Return how much of each clip of :func:`mixed_clips` is its own, in [0, 1].

    The rest is the clip before it, for the first clip the last.
    """
    count = len(samples)
    with evaluating(model):
        clips, data_samples = preprocessed(model, samples)
        # Mixed are clips that show nothing but their number, whatever kind of mixing it is.
        numbers = torch.arange(count, dtype=torch.float32).view(-1, 1, 1, 1, 1, 1)
        flat = numbers.expand(-1, 1, 1, *clips.shape[-3:]).to(clips.device)
        mixed = model.data_preprocessor.blending(flat, data_samples)[0].mean((1, 2, 3, 4, 5))
    if count == 1:
        return [1.0]
    first, *others = mixed.tolist()
    return [1 - first / (count - 1), *(value - i for i, value in enumerate(others))]


def mixing_labels(samples: Sequence[TrainingSample], shares: Sequence[float]) -> list[str]:
    """Say what each mixed clip is made of; a share near 0 or 1 looks like no mixing at all.

    Args:
        samples: What was mixed.
        shares: Of :func:`mixing_shares`.

    Returns:
        One label for each sample.
    """
    if len(samples) == 1:
        return [f"{samples[0].family}, alone, so not mixed"]
    labels = []
    for number, (sample, share) in enumerate(zip(samples, shares, strict=True)):
        own, other = round(100 * share), (number - 1) % len(samples)
        labels.append(
            f"{own} % {sample.family} + {100 - own} % {samples[other].family} (clip {other + 1})"
        )
    return labels
