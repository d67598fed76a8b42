"""The pretrainer for encoders that keep masked positions, as mask tokens: DEMVM."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.models.pretrainers.pretrainer import Losses, Pretrainer


class HiddenTokens(NamedTuple):
    """Which tokens of a batch are hidden; their number may differ from sample to sample."""

    mask: Tensor
    """(B, N) bool, True = masked."""
    numbers: Tensor
    """(M,) int64, the places of the M masked tokens in the batch of B * N, ascending."""


@MODELS.register_module()
class MaskTokenPretrainer(Pretrainer):
    """Masked video modelling with an encoder that has a mask token in each masked place (Sec. 3.1).

    Any masker will do, whether it masks equally many tokens in every sample or not. The decoder
    gives features for all places; a head sees those of the masked tokens, one after the other
    through the batch, and averages over all of them (Eq. 5), so a sample with more masked tokens
    weighs more.

    Args:
        backbone: Encoder that takes ``(clip, mask)``, such as ``MaskedSwinTransformer3D``.
        masker: Draws the masks; at least one token of a batch must be masked.
        branches: name -> dict(neck=..., head=...), see `Pretrainer`; the neck takes the encoder's
            maps, the head takes ``(features, clip, mask)``.
        data_preprocessor: MMAction2's ``ActionDataPreprocessor`` config.
        init_cfg: MMEngine initialisers.

    Raises:
        ValueError: See `Pretrainer`; or an encoder without a mask token.
    """

    def check_parts(self) -> None:
        """Refuse an encoder without a mask token."""
        if getattr(self.backbone, "mask_token", None) is None:
            raise ValueError(
                f"model.backbone.type={type(self.backbone).__name__!r} has no mask token; give "
                "MaskedSwinTransformer3D with with_mask_token=True, or pre-train an encoder of "
                "visible tokens with model.type='MaskedVideoPretrainer'"
            )
        if hasattr(self.masker, "num_masked"):
            self.masker.num_masked(self.backbone.grid)  # raises where it masks none, or all

    def decoder_sizes(self) -> dict[str, Any]:
        """Widths of the encoder's maps, by stage."""
        return dict(in_channels=self.backbone.out_channels)

    def loss(self, clip: Tensor, data_samples: list[ActionDataSample] | None = None) -> Losses:
        """Losses of a batch of clips (B, C, T, H, W), one per branch."""
        tokens = self.draw(clip, data_samples)
        features = self.decode(clip, tokens)
        return self.head_losses(features, self.whole_clip(clip, data_samples), tokens.mask)

    @torch.no_grad()
    def predict(self, clip: Tensor, data_samples: list[ActionDataSample]) -> list[ActionDataSample]:
        """Attach the mask (V, N) and each branch's predictions to the samples.

        ``prediction[name]`` is a list with (K, values) for each view, K its masked tokens.
        """
        tokens, predictions = self.reconstruct(clip, data_samples)
        counts = tokens.mask.sum(1).tolist()
        return self.attach(
            data_samples, tokens.mask, {name: p.split(counts) for name, p in predictions.items()}
        )

    def reconstruct(
        self, clip: Tensor, data_samples: list[ActionDataSample] | None = None
    ) -> tuple[HiddenTokens, dict[str, Tensor]]:
        """Mask a batch of clips and predict what was hidden.

        Args:
            clip: (B, C, T, H, W), normalised.
            data_samples: Their samples, for the seeds of the masks and what else a masker asks.

        Returns:
            The masked tokens, and for each branch (M, values) in the order of ``numbers``.
        """
        tokens = self.draw(clip, data_samples)
        features = self.decode(clip, tokens)
        return tokens, {name: head(features[name]) for name, head in self.heads.items()}

    def decode(self, clip: Tensor, tokens: HiddenTokens) -> dict[str, Tensor]:
        """Encode and run each decoder once: branch -> (M, width) features of the masked tokens."""
        maps = self.backbone(clip, tokens.mask)
        decoded = {
            name: neck(maps).flatten(0, 1)[tokens.numbers] for name, neck in self.necks.items()
        }
        return {name: decoded[owner] for name, owner in self.decoder_of.items()}

    def extract_feat(self, clip: Tensor) -> tuple[Tensor, ...]:
        """Encode a clip of which nothing is hidden: the encoder's maps."""
        return self.backbone(clip)

    @torch.compiler.disable
    def draw(
        self, clip: Tensor, data_samples: list[ActionDataSample] | None = None
    ) -> HiddenTokens:
        """Draw the masks of a batch from its samples; not compiled, as in its sibling.

        Raises:
            ValueError: The clip is not of the size that the encoder was built for, or nothing is
                masked.
        """
        mask, _ = self.draw_mask(clip, data_samples)
        # The host waits for this number here, where the device has little to do yet.
        numbers = mask.flatten().nonzero()[:, 0]
        if not len(numbers):
            raise ValueError(
                f"{type(self.masker).__name__} masked no token of the batch, so there is nothing "
                "to predict; raise its ratios, model.masker"
            )
        return HiddenTokens(mask, numbers)
