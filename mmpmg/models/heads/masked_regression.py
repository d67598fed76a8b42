"""Compares predicted numbers with the target's, on masked tokens."""

from __future__ import annotations

from typing import Any

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.backbones.masked_vit import PRETRAIN_INIT
from mmpmg.models.heads.token_head import PLACE, TokenHead
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import TokenShape


def mean_square(difference: Tensor) -> Tensor:
    """Average the squares: as squares of norms, whose two passes make no copy of their input.

    Of each token's norm: on a CPU a norm adds naively in float32, which over a whole batch is wrong
    by a percent.
    """
    return torch.linalg.vector_norm(difference, dim=-1).square().sum() / difference.numel()


def mean_absolute(difference: Tensor) -> Tensor:
    """Average the absolute values."""
    return difference.abs().mean()


def mean_huber(difference: Tensor) -> Tensor:
    """Average the smooth L1 loss: a square up to 1, a line beyond."""
    return F.smooth_l1_loss(difference, torch.zeros_like(difference))


class _MeanSquareBehind(torch.autograd.Function):
    """`mean_square`, which keeps the difference in the precision that the prediction came in.

    The prediction's gradient is of that precision in any case: under autocast half of what the loss
    would keep is enough, which is 2 % of ViT-B's step.
    """

    @staticmethod
    def forward(ctx: Any, prediction: Tensor, difference: Tensor) -> Tensor:
        ctx.save_for_backward(difference.to(prediction.dtype))
        ctx.precise = difference.dtype
        return mean_square(difference)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        (kept,) = ctx.saved_tensors
        # The factor in full precision: rounded, it would change all gradients alike.
        scaled = kept.to(ctx.precise) * (grad * (-2 / kept.numel()))
        return scaled.to(kept.dtype), None


LOSSES = {"mse": mean_square, "l1": mean_absolute, "smooth_l1": mean_huber}


@MODELS.register_module()
class MaskedRegressionHead(TokenHead):
    """A linear layer from decoder features to the target, and the loss between the two.

    Args:
        target: Config of a `TokenTarget`; ``token_shape`` is added. It must hand over a float32
            (float64) tensor of its own making: the difference is written into it.
        in_channels: Width of the decoder; the pretrainer fills it in.
        token_shape: (frames, rows, columns) of a token; the pretrainer fills it in.
        loss: "mse" (VideoMAE), "l1" or "smooth_l1", averaged over masked tokens and values.
        loss_weight: Factor of the loss, finite and >= 0.
        init_cfg: MMEngine initialisers; VideoMAE's rule by default.

    Raises:
        ValueError: Unknown ``loss``, or a weight that is negative or no number.
    """

    def __init__(
        self,
        target: dict,
        in_channels: int,
        token_shape: TokenShape,
        loss: str = "mse",
        loss_weight: float = 1.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        init_cfg = list(PRETRAIN_INIT[:1]) if init_cfg is None else init_cfg
        super().__init__(target, token_shape, loss_weight, init_cfg)
        if loss not in LOSSES:
            raise ValueError(
                f"loss {loss!r} is unknown; {PLACE}.loss is one of {', '.join(LOSSES)}"
            )
        self.projection = nn.Linear(in_channels, self.target.num_values)
        self.loss_name = loss
        self.loss_fn = LOSSES[loss]

    def forward(self, features: Tensor) -> Tensor:
        """Predict: (B, K, in_channels) -> (B, K, target.num_values)."""
        return self.projection(features)

    def loss(self, features: Tensor, clip: WholeClip, masked: Tensor) -> Tensor:
        """Loss of a batch times its weight, computed in float32 (float64 in a float64 model).

        Args:
            features: (B, K, in_channels) from the decoder.
            clip: The unmasked clips.
            masked: (B, K) int64 numbers of the masked tokens.

        Returns:
            A scalar.
        """
        with torch.no_grad():
            target = self.target(clip, masked)
        return self.loss_weight * self.compare(self(features), target)

    def compare(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Loss of a prediction, without its weight.

        What the target leaves out (NaN) counts as met: the sum over what is known is divided by the
        number of all values, so that a sample's share does not depend on its batch.

        Args:
            prediction: (..., target.num_values).
            target: The same shape, of the target; it is written into.

        Returns:
            A scalar.
        """
        unknown = target.isnan() if self.target.leaves_out else None
        # Into the target's memory, and so in its precision, whatever autocast made of the
        # prediction: for the backward pass one tensor is kept instead of two.
        if self.loss_fn is mean_square:
            difference = target.sub_(prediction.detach())
            if unknown is not None:
                difference = difference.masked_fill_(unknown, 0.0)
            return _MeanSquareBehind.apply(prediction, difference)
        difference = target.sub_(prediction)
        if unknown is not None:
            difference = difference.masked_fill(unknown, 0.0)
        return self.loss_fn(difference)
