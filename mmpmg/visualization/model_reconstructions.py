"""From a pretrainer and packed samples to what each of its branches reconstructs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmpmg.models.pretrainers.pretrainer import Pretrainer
from mmpmg.models.targets import (
    CodebookTarget,
    FlowTarget,
    PixelTarget,
    TemporalDifferenceTarget,
)

from .branch_prediction import BranchPrediction, FloatArray
from .code_predictions import draw_codes
from .masking_ratios import at_ratio, masking_ratio
from .model_pictures import clip_label, evaluating, grey_levels, preprocessed
from .motion_reconstruction import MotionReconstruction
from .reconstruction import Reconstruction
from .training_samples import TrainingSample

DRAWN = (PixelTarget, TemporalDifferenceTarget, FlowTarget, CodebookTarget)


def drawn_branches(model: Pretrainer) -> list[str]:
    """Return the names of the branches whose predictions can be drawn, in the model's order.

    Raises:
        ValueError: There is none.
    """
    names = [str(name) for name, head in model.heads.items() if isinstance(head.target, DRAWN)]
    if not names:
        raise ValueError(
            f"none of model.branches ({', '.join(model.heads)}) predicts what can be drawn; their "
            f"targets are of other types than {', '.join(kind.__name__ for kind in DRAWN)}"
        )
    return names


def reconstruct_samples(
    model: Pretrainer, samples: Sequence[TrainingSample], mask_ratio: float | None = None
) -> list[dict[str, BranchPrediction]]:
    """Let a model reconstruct samples, unmixed and in evaluation mode.

    Args:
        model: The bare pretrainer, not its distributed wrapper. It is left as it was.
        samples: Their seeds decide the masks, as in training.
        mask_ratio: Share of tokens to mask, in (0, 1); None: the recipe's.

    Returns:
        For each sample what each drawn branch predicts, with the loss of that clip alone and of
        each token: as the head measures them, before they are weighed.

    Raises:
        ValueError: No branch of the model can be drawn, or the ratio is not possible.
    """
    names = drawn_branches(model)
    with evaluating(model), masking_ratio(model, mask_ratio):
        clips, data_samples = preprocessed(model, samples)
        tokens, predictions = model.reconstruct(clips, data_samples)
        whole = model.whole_clip(clips, data_samples)
        shown = grey_levels(whole.pixels)
        made: list[dict[str, BranchPrediction]] = [{} for _ in samples]
        labels = [clip_label(sample) for sample in samples]
        for name in names:
            head = model.heads[name]
            if isinstance(head.target, CodebookTarget):
                drawn_codes = draw_codes(head, whole, tokens.mask, predictions[name], shown, labels)
                for own, item in zip(made, drawn_codes, strict=True):
                    own[name] = item
                continue
            target = head.target(whole, tokens.masked)
            everything = torch.arange(tokens.mask.shape[1], device=clips.device)
            drawn = _Drawn(head, whole, everything.expand(len(clips), -1))
            for i in range(len(samples)):
                made[i][name] = drawn.prediction(
                    i,
                    clip=shown[i],
                    # Masked tokens come in ascending order, in which a boolean mask picks them.
                    mask=tokens.mask[i].cpu().numpy(),
                    name=labels[i],
                    **_losses(head, predictions[name][i].float(), target[i]),
                )
    return made


def reconstruct_at_ratios(
    model: Pretrainer,
    samples: Sequence[TrainingSample],
    mask_ratios: Sequence[float] = (),
    name: str = "",
) -> dict[str, list[dict[str, BranchPrediction]]]:
    """Let a model reconstruct the same samples at several masking ratios.

    Args:
        model: As of :func:`reconstruct_samples`.
        samples: Likewise.
        mask_ratios: Shares of tokens to mask, each in (0, 1); none: the recipe's alone.
        name: Of the model.

    Returns:
        A name for each ratio -> what :func:`reconstruct_samples` returns.

    Raises:
        ValueError: As of :func:`reconstruct_samples`.
    """
    if not mask_ratios:
        return {name: reconstruct_samples(model, samples)}
    return {
        f"{name}, {at_ratio(model, ratio)}".lstrip(", "): reconstruct_samples(model, samples, ratio)
        for ratio in mask_ratios
    }


def _losses(head: Any, predicted: Tensor, target: Tensor) -> dict[str, Any]:
    """Return the prediction, and the losses of a clip and of its tokens, not weighed."""

    def loss(prediction: Tensor, target: Tensor) -> float:
        return float(head.compare(prediction, target.clone()))  # it writes into the target

    each = torch.tensor([loss(*token) for token in zip(predicted, target, strict=True)])
    each[target.isnan().all(dim=1).cpu()] = torch.nan
    plain_pixels = isinstance(head.target, PixelTarget) and not head.target.normalize
    return dict(
        prediction=_numpy(predicted),
        loss=loss(predicted, target),
        # To predict zeros means black where pixels are plain: nothing to be compared with.
        flat_loss=None if plain_pixels else loss(torch.zeros_like(target), target),
        token_loss=_numpy(each),
        measure=_measure(head),
    )


def _measure(head: Any) -> str:
    """Name what a head's losses are of: only those of one name can stand on one scale."""
    target = head.target
    parts = [type(target).__name__, head.loss_name, f"normalize={target.normalize}"]
    if isinstance(target, FlowTarget) and not target.normalize:
        parts.append(f"in units of {target.unit_sides.tolist()} pixels")
    return ", ".join(parts)


class _Drawn:
    """What a head's predictions are drawn as; motion needs the truth of every token besides."""

    def __init__(self, head: Any, whole: Any, everything: Tensor) -> None:
        self.target = target = head.target
        self.shared = dict(
            token_shape=target.token_shape, normalized=target.normalize, eps=target.eps
        )
        self.truth = self.plain = None
        if isinstance(target, PixelTarget):
            return
        self.truth = target(whole, everything)
        if target.normalize:
            target.normalize = False
            try:
                self.plain = target(whole, everything)
            finally:
                target.normalize = True
        if isinstance(target, FlowTarget):
            self.kind, self.unit = "flow", tuple(target.unit_sides.tolist())
        else:
            self.kind, self.unit = "signed" if target.signed else "absolute", (255.0,) * 3

    def prediction(self, number: int, **of_clip: Any) -> BranchPrediction:
        """Build what is drawn of the clip of this number in the batch."""
        if self.truth is None:
            return Reconstruction(**self.shared, **of_clip)
        return MotionReconstruction(
            kind=self.kind,
            unit=self.unit,
            field_shape=self.target.field_shape,
            truth=_numpy(self.truth[number]),
            plain=None if self.plain is None else _numpy(self.plain[number]),
            **self.shared,
            **of_clip,
        )


def _numpy(values: Tensor) -> FloatArray:
    array: FloatArray = values.float().cpu().numpy()
    return array
