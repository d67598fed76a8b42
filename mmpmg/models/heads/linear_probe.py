"""The linear layer of linear probing, on features of unit spread."""

from __future__ import annotations

import torch
from mmaction.models.heads import TimeSformerHead
from mmaction.registry import MODELS
from torch import Tensor


@MODELS.register_module()
class LinearProbeHead(TimeSformerHead):
    """A linear layer on standardised features (PMG, supplement, Sec. H).

    The features of a masked autoencoder differ little from clip to clip around a large common mean,
    on which SGD makes hardly any way. MAE (appendix A.1) puts a batch norm without weights in
    front of the layer for that. Its running statistics would move during training; here mean and
    standard deviation are measured once, by ``FeatureStatisticsHook``, and stay.

    Args:
        num_classes: Number of classes.
        in_channels: C, width of the encoder.
        init_std: Standard deviation of the layer's first weights; MAE's.
        average_clips: How the views of a video are averaged, "prob" or "score".
    """

    feature_mean: Tensor
    feature_std: Tensor

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        init_std: float = 0.01,
        average_clips: str = "prob",
    ) -> None:
        super().__init__(num_classes, in_channels, init_std=init_std, average_clips=average_clips)
        self.register_buffer("feature_mean", torch.zeros(in_channels))
        self.register_buffer("feature_std", torch.zeros(in_channels))  # 0: not measured

    @property
    def measured(self) -> bool:
        """Whether the features were measured; until then they are taken as they are."""
        return bool((self.feature_std > 0).all())

    def set_statistics(self, mean: Tensor, variance: Tensor) -> None:
        """Standardise by these from now on.

        Args:
            mean: (C,).
            variance: (C,), >= 0; 1e-6 is added, as in MAE.
        """
        self.feature_mean.copy_(mean)
        self.feature_std.copy_((variance + 1e-6).sqrt())

    @staticmethod
    def pool(x: Tensor) -> Tensor:
        """Average a map over its places: (B, C, ...) -> (B, C).

        A ViT averages its tokens itself and hands on (B, C), which stays what it is; a Swin hands
        on (B, C, T, H, W).
        """
        return x.flatten(2).mean(2) if x.ndim > 2 else x

    def forward(self, x: Tensor, **options: object) -> Tensor:
        """Classify.

        Args:
            x: (B, C) features, or a map (B, C, T, H, W), which is averaged.
            **options: Ignored; in MMAction2's signature.

        Returns:
            (B, num_classes) scores.
        """
        std = torch.where(self.feature_std > 0, self.feature_std, 1.0)
        return self.fc_cls((self.pool(x) - self.feature_mean) / std)
