"""The pretrainer for encoders that see visible tokens only: VideoMAE, MotionMAE."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.models.maskers.mask_contract import check_count, check_mask
from mmpmg.models.pretrainers.pretrainer import Losses, Pretrainer
from mmpmg.models.token_noise import token_noise
from mmpmg.models.tokens import Grid, first_tokens, split_tokens

DECODER_STREAM = 2


class MaskedTokens(NamedTuple):
    """Which tokens of a batch are hidden."""

    mask: Tensor
    """(B, N) bool, True = masked."""
    visible: Tensor
    """(B, N - K) int64, numbers of the visible tokens."""
    masked: Tensor
    """(B, K) int64, numbers of the masked tokens."""
    asked: Tensor
    """(B, A) int64, numbers of the masked tokens that training asks of the decoder; all of them
    unless the decoder is masked too."""


@MODELS.register_module()
class MaskedVideoPretrainer(Pretrainer):
    """Masked video modelling with an encoder that masked tokens never enter.

    VideoMAE is one branch and MotionMAE is two, see `Pretrainer`.

    Args:
        backbone: Encoder that takes ``(clip, visible)``.
        masker: Draws the masks, with equally many masked tokens in every sample.
        branches: name -> dict(neck=..., head=...), see `Pretrainer`. A neck that is the name of
            another branch shares that branch's decoder (MotionMAE, Table 10).
        decoder_masker: Draws tokens that the decoder is spared while training, as VideoMAE V2 does
            (arXiv 2303.16727, Sec. 3). The decoder then gets the visible tokens and the masked ones
            that this masker keeps, and the loss is taken of the latter. (The authors' code also
            hands it a mask token for each visible token that is kept; those meet no loss and are
            left out here.) None, as in VideoMAE: it is asked for every masked token.
        data_preprocessor: MMAction2's ``ActionDataPreprocessor`` config.
        init_cfg: MMEngine initialisers.

    Raises:
        ValueError: See `Pretrainer`; or a masker that masks more in one sample than in another.
    """

    def __init__(
        self,
        backbone: dict,
        masker: dict,
        branches: dict[str, dict],
        decoder_masker: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(backbone, masker, branches, data_preprocessor, init_cfg)
        self._counted: int | None = None  # the K whose mask was counted last
        self.decoder_masker: Any = None if decoder_masker is None else MODELS.build(decoder_masker)
        if self.decoder_masker is not None:
            _check_count(self.decoder_masker, "decoder_masker")
            self.num_asked(self.backbone.grid)

    def check_parts(self) -> None:
        """Refuse a masker that cannot say how many tokens it masks, or masks none or all."""
        _check_count(self.masker, "masker")
        self.masker.num_masked(self.backbone.grid)

    def decoder_sizes(self) -> dict[str, int]:
        """Width of the encoder, and N."""
        return dict(in_channels=self.backbone.embed_dims, num_tokens=self.backbone.num_tokens)

    def loss(self, clip: Tensor, data_samples: list[ActionDataSample] | None = None) -> Losses:
        """Losses of a batch of clips (B, C, T, H, W), one per branch."""
        tokens = self.draw(clip, data_samples)
        encoded = self.backbone(clip, tokens.visible)
        whole = self.whole_clip(clip, data_samples)
        features = self.decode(encoded, tokens.visible, tokens.asked)
        return self.head_losses(features, whole, tokens.asked)

    @torch.no_grad()
    def predict(self, clip: Tensor, data_samples: list[ActionDataSample]) -> list[ActionDataSample]:
        """Attach the mask (V, N) and each branch's prediction (V, K, values) to the samples."""
        tokens, predictions = self.reconstruct(clip, data_samples)
        return self.attach(data_samples, tokens.mask, predictions)

    def reconstruct(
        self, clip: Tensor, data_samples: list[ActionDataSample] | None = None
    ) -> tuple[MaskedTokens, dict[str, Tensor]]:
        """Mask a batch of clips and predict all that was hidden, whatever training asks for.

        Args:
            clip: (B, C, T, H, W), normalised.
            data_samples: Their samples, for the seeds of the masks.

        Returns:
            The masked tokens, and for each branch (B, K, values) in the order of ``masked``.
        """
        tokens = self.draw(clip, data_samples)
        encoded = self.backbone(clip, tokens.visible)
        features = self.decode(encoded, tokens.visible, tokens.masked)
        return tokens, {name: head(features[name]) for name, head in self.heads.items()}

    def decode(self, encoded: Tensor, visible: Tensor, asked: Tensor) -> dict[str, Tensor]:
        """Run each decoder once: branch -> (B, A, width) features of the tokens asked for."""
        decoded = {name: neck(encoded, visible, asked) for name, neck in self.necks.items()}
        return {name: decoded[owner] for name, owner in self.decoder_of.items()}

    def extract_feat(self, clip: Tensor) -> Tensor:
        """Encode every token of a clip: (B, C, T, H, W) -> (B, N, width)."""
        everything = torch.arange(self.backbone.num_tokens, device=clip.device)
        return self.backbone(clip, everything.expand(len(clip), -1))

    @torch.compiler.disable
    def draw(
        self, clip: Tensor, data_samples: list[ActionDataSample] | None = None
    ) -> MaskedTokens:
        """Draw the masks of a batch from the seeds of its samples.

        Not compiled: seeds are Python numbers, for which each step would be compiled anew, and the
        hash that draws from them uses each of its results twice, so inlining it has no end.

        Raises:
            ValueError: The clip is not of the size that the encoder was built for, or the masker
                does not mask as many tokens as it says.
        """
        mask, seeds = self.draw_mask(clip, data_samples)
        grid = self.backbone.grid
        num_masked = self.masker.num_masked(grid)
        # At every batch on a CPU, where it takes a tenth of the draw's time; of a device, for which
        # the host would wait, at the first of each K.
        if num_masked != self._counted or mask.device.type == "cpu":
            check_count(mask, self.masker, grid)
            self._counted = num_masked
        visible, masked = split_tokens(mask, num_masked)
        asked = masked if self.decoder_masker is None else self.ask(mask, seeds, grid)
        return MaskedTokens(mask, visible, masked, asked)

    def num_asked(self, grid: Grid) -> int:
        """A, the masked tokens of every sample that training asks of the decoder."""
        masked = self.masker.num_masked(grid)
        if self.decoder_masker is None:
            return masked
        total = grid[0] * grid[1] * grid[2]
        return max(1, round(masked * (1 - self.decoder_masker.num_masked(grid) / total)))

    def ask(self, mask: Tensor, seeds: Tensor, grid: Grid) -> Tensor:
        """Choose the masked tokens to ask of the decoder: those that the second masker keeps.

        Where their number depends on the sample, chance takes some away or adds some that are not
        kept, so that it is the same in all. With tube masks and running cells on a multiple of
        four time slots, this never happens.

        Args:
            mask: (B, N) bool, True = masked.
            seeds: (B,) int64, the samples' seeds.
            grid: (t, h, w) of the tokens.

        Returns:
            (B, A) int64, ascending.
        """
        own = token_noise(seeds, 1, stream=DECODER_STREAM)[:, 0]  # or both masks would be alike
        spared = self.decoder_masker(own, grid)
        check_mask(spared, self.decoder_masker, own, grid, "model.decoder_masker")
        priority = 2 * (~mask).to(torch.uint8) + spared
        noise = token_noise(own, mask.shape[1], stream=DECODER_STREAM)
        return first_tokens(priority, noise, self.num_asked(grid))


def _check_count(masker: Any, key: str) -> None:
    if not hasattr(masker, "num_masked"):
        raise ValueError(
            f"model.{key}.type={type(masker).__name__!r} masks more tokens in one sample than in "
            "another, and this encoder drops masked tokens: all samples need the same number. "
            "Give FlowGuidedMasker, which masks exactly that many and more where something moves; "
            f"{type(masker).__name__} belongs to an encoder with mask tokens (MaskTokenPretrainer)"
        )
