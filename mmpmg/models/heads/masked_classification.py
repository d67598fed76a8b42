"""Guesses the codes of masked tokens."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmengine.dist import all_reduce
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.heads.token_head import PLACE, TokenHead
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import TokenShape, token_grid

INIT = dict(type="TruncNormal", layer="Linear", std=0.02, bias=0.0)
"""BEVT's and BEiT's: at first every code is as likely as any other, whatever the features."""


@torch.compiler.disable
def _mean_over_ranks(count: int, device: torch.device) -> Tensor:
    """Mean of a number over all processes; 1 where all have 0."""
    mean = torch.tensor(float(count), device=device)
    all_reduce(mean, "mean")
    return mean + (mean == 0)


@MODELS.register_module()
class MaskedClassificationHead(TokenHead):
    """A linear classifier over the codes of a tokenizer (Eq. 3) and its cross-entropy (Eq. 4, 5).

    As it is printed, Eq. 4 adds the binary cross-entropy of each code, `y log p + (1 - y) log(1 -
    p)`, on the softmax of Eq. 3. What the text says, "cross-entropy", and what token prediction
    does in BEiT and BEVT, is the softmax's own: ``-log p`` of the true code. That is computed here,
    averaged over all masked tokens of the batch: where several processes share it, over those of
    all of them, as one process would, though some hold more masked tokens than others. Steps that
    gradient accumulation puts together count alike, however many tokens each has masked.

    Behind the Swin encoder features come one masked token after the other, behind the ViT as
    (B, K, C); both are told by ``masked``.

    Args:
        target: Config of what gives the codes, such as ``dict(type="CodebookTarget", ...)``;
            ``token_shape`` is added. It says ``num_codes`` and, called with the clip and a (B, N)
            mask, returns the (M,) codes of the masked tokens.
        in_channels: Width of the decoder; the pretrainer fills it in.
        token_shape: (frames, rows, columns) of a token; the pretrainer fills it in.
        loss_weight: Factor of the loss, finite and >= 0.
        label_smoothing: Share of the probability that the true code hands to all codes alike, in
            [0, 1); none in the paper.
        init_cfg: MMEngine initialisers; a truncated normal by default.

    Raises:
        ValueError: An option is out of its range.
    """

    def __init__(
        self,
        target: dict,
        in_channels: int,
        token_shape: TokenShape,
        loss_weight: float = 1.0,
        label_smoothing: float = 0.0,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        init_cfg = dict(INIT) if init_cfg is None else init_cfg
        super().__init__(target, token_shape, loss_weight, init_cfg)
        if not 0 <= label_smoothing < 1:
            raise ValueError(
                f"label_smoothing {label_smoothing} is outside [0, 1); mend {PLACE}.label_smoothing"
            )
        self.classifier = nn.Linear(in_channels, self.target.num_codes)
        self.token_shape = token_shape
        self.label_smoothing = label_smoothing

    def forward(self, features: Tensor) -> Tensor:
        """Predict: (..., in_channels) -> (..., num_codes) logits."""
        return self.classifier(features)

    def loss(self, features: Tensor, clip: WholeClip, masked: Tensor) -> dict[str, Tensor]:
        """Loss of a batch times its weight, and how many codes are guessed right.

        Args:
            features: (M, in_channels) or (B, K, in_channels) of the masked tokens, in their order.
            clip: The unmasked clips.
            masked: (B, N) bool, or (B, K) int64 numbers of the masked tokens, ascending.

        Returns:
            ``loss``, a scalar in float32, whose gradients' mean over processes is that of one
            process; ``accuracy`` in [0, 1] over this process's masked tokens; ``commonest_code``,
            the share of its commonest code, which is the accuracy of always saying that one.
        """
        with torch.no_grad():
            codes = self.target(clip, self._mask(clip, masked))
        logits = self(features).flatten(0, -2).float()
        total = F.cross_entropy(
            logits, codes, label_smoothing=self.label_smoothing, reduction="sum"
        )
        with torch.no_grad():
            accuracy = (logits.argmax(1) == codes).float().mean()
            counts = codes.new_zeros(logits.shape[1]).scatter_add_(0, codes, torch.ones_like(codes))
            commonest = counts.max() / max(len(codes), 1)
        loss = self.loss_weight * total / _mean_over_ranks(len(codes), total.device)
        return dict(loss=loss, accuracy=accuracy, commonest_code=commonest)

    def _mask(self, clip: WholeClip, masked: Tensor) -> Tensor:
        """(B, K) numbers -> (B, N) bool; a mask as it is."""
        if masked.dtype == torch.bool:
            return masked
        size = clip.pixels.shape
        t, h, w = token_grid((size[2], size[3], size[4]), self.token_shape)
        mask = torch.zeros(len(masked), t * h * w, dtype=torch.bool, device=masked.device)
        return mask.scatter_(1, masked, True)
