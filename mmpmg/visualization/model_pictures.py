"""From a pretrainer and packed samples to masks and reconstructions that can be drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn

from mmpmg.models.pretrainers.masked_video import MaskedVideoPretrainer
from mmpmg.models.targets.pixel import PixelTarget

from .labels import Picture
from .reconstruction import Reconstruction
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


def pixel_branch(model: MaskedVideoPretrainer) -> str:
    """Return the name of the first branch that predicts pixels.

    Raises:
        ValueError: There is none.
    """
    for name, head in model.heads.items():
        if isinstance(head.target, PixelTarget):
            return str(name)
    raise ValueError(
        f"none of model.branches ({', '.join(model.heads)}) has target=dict(type='PixelTarget'), "
        "so there are no pixels to draw"
    )


def _inputs(
    model: MaskedVideoPretrainer, samples: Sequence[TrainingSample], training: bool = False
) -> tuple[Tensor, list[Any]]:
    """Preprocess the first view of each sample: (B, C, T, H, W) on the model's device."""
    batch = pseudo_collate([dict(sample.packed) for sample in samples])
    batch["inputs"] = [inputs[:1] for inputs in batch["inputs"]]
    batch = model.data_preprocessor(batch, training)
    return batch["inputs"].flatten(0, 1), batch["data_samples"]


def _label(sample: TrainingSample) -> str:
    """Name a clip by its motion, a real one by its file."""
    return Path(sample.name).name if sample.motion is None and sample.name else sample.family


def _grey_levels(pixels: Tensor) -> list[Picture]:
    """[B, C, T, H, W] in [0, 1] -> B clips [T, H, W, C]."""
    levels = (pixels.float() * 255).round().clamp(0, 255).to(torch.uint8)
    return list(levels.permute(0, 2, 3, 4, 1).cpu().numpy())


def draw_masks(
    model: MaskedVideoPretrainer, samples: Sequence[TrainingSample]
) -> list[npt.NDArray[np.bool_]]:
    """Return the mask that the model's own masker draws for each sample: (N,) bool each."""
    with evaluating(model):
        clips, data_samples = _inputs(model, samples)
        return list(model.draw(clips, data_samples).mask.cpu().numpy())


def mixed_clips(model: MaskedVideoPretrainer, samples: Sequence[TrainingSample]) -> list[Picture]:
    """Return the clips as the model trains on them: mixed with one another where it mixes."""
    with evaluating(model):
        return _grey_levels(model.pixels(_inputs(model, samples, training=True)[0]))


def mixing_shares(model: MaskedVideoPretrainer, samples: Sequence[TrainingSample]) -> list[float]:
    """Return how much of each clip of :func:`mixed_clips` is its own, in [0, 1].

    The rest is the clip before it, for the first clip the last.
    """
    count = len(samples)
    with evaluating(model):
        clips, data_samples = _inputs(model, samples)
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


def reconstruct_samples(
    model: MaskedVideoPretrainer, samples: Sequence[TrainingSample]
) -> list[Reconstruction]:
    """Let a model reconstruct samples, unmixed and in evaluation mode.

    Args:
        model: The bare pretrainer, not its distributed wrapper. It is left as it was.
        samples: Their seeds decide the masks, as in training.

    Returns:
        One reconstruction for each sample, with the loss of that clip alone and of each token.

    Raises:
        ValueError: No branch of the model predicts pixels.
    """
    branch = pixel_branch(model)
    head = model.heads[branch]

    def loss(predicted: Tensor, target: Tensor) -> float:
        return head.loss_weight * float(head.loss_fn(target - predicted))

    def losses(predicted: Tensor, target: Tensor) -> npt.NDArray[np.float32]:
        each = [loss(*token) for token in zip(predicted, target, strict=True)]
        return np.array(each, dtype=np.float32)

    with evaluating(model):
        clips, data_samples = _inputs(model, samples)
        tokens, predictions = model.reconstruct(clips, data_samples)
        pixels = model.pixels(clips)
        target = head.target(model.whole_clip(clips, data_samples), tokens.masked)
        predicted = predictions[branch].float()
        # Masked tokens come in ascending order, the order in which a boolean mask picks them.
        return [
            Reconstruction(
                clip=clip,
                mask=tokens.mask[i].cpu().numpy(),
                prediction=predicted[i].cpu().numpy(),
                token_shape=head.target.token_shape,
                normalized=head.target.normalize,
                eps=head.target.eps,
                loss=loss(predicted[i], target[i]),
                flat_loss=(
                    loss(torch.zeros_like(target[i]), target[i]) if head.target.normalize else None
                ),
                name=_label(sample),
                token_loss=losses(predicted[i], target[i]),
            )
            for i, (clip, sample) in enumerate(zip(_grey_levels(pixels), samples, strict=True))
        ]
