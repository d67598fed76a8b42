"""Mixing of clips together with their labels, for recognition."""

from __future__ import annotations

import math
from typing import Any

import torch
from mmaction.models.utils.blending_utils import (
    BaseMiniBatchBlending,
    CutmixBlending,
    MixupBlending,
)
from mmaction.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class MixupOrCutmix(BaseMiniBatchBlending):
    """Mixup or CutMix of a batch, one or the other (PMG, supplement, Table 2).

    MMAction2's two mixings under one number of classes: its ``RandomBatchAugment`` takes a list,
    which states the number twice and which no recipe can change in part.

    Args:
        num_classes: That of ``model.cls_head``; ``ClassCountHook`` compares them.
        mixup_alpha: Mixup's share is drawn from Beta(alpha, alpha), > 0.
        cutmix_alpha: CutMix's share likewise, > 0.
        cutmix_prob: Share of batches that CutMix mixes, in [0, 1]; mixup mixes the others. The
            paper does not say; 0.5 is the switch of VideoMAE's script.

    Raises:
        ValueError: An option is outside its range.
    """

    def __init__(
        self,
        num_classes: int,
        mixup_alpha: float = 0.8,
        cutmix_alpha: float = 1.0,
        cutmix_prob: float = 0.5,
    ) -> None:
        options = "model.data_preprocessor.blending"
        for name, value in (("mixup_alpha", mixup_alpha), ("cutmix_alpha", cutmix_alpha)):
            if not 0 < value < math.inf:
                raise ValueError(
                    f"{name} {value} must be > 0 and finite; mend {options}.{name}, or set "
                    f"{options}=None"
                )
        if not 0 <= cutmix_prob <= 1:
            raise ValueError(
                f"cutmix_prob {cutmix_prob} is outside [0, 1]; mend {options}.cutmix_prob"
            )
        super().__init__(num_classes)
        self.cutmix_prob = cutmix_prob
        self.mixup = MixupBlending(num_classes, mixup_alpha)
        self.cutmix = CutmixBlending(num_classes, cutmix_alpha)

    def do_blending(self, imgs: Tensor, label: Tensor, **options: Any) -> tuple[Tensor, Tensor]:
        """Mix a batch.

        Args:
            imgs: (B, V, C, T, H, W), normalised.
            label: (B, num_classes) one-hot.
            **options: None; in MMAction2's signature.

        Returns:
            The mixed clips and (B, num_classes) shares of the classes in each.
        """
        # Torch's global generator, as MMAction2's own draws; IterationSeedHook seeds it.
        chosen = self.cutmix if torch.rand(()).item() < self.cutmix_prob else self.mixup
        return chosen.do_blending(imgs, label, **options)
