"""The pretrainer: wires masker, encoder, decoders and heads, and computes nothing itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel, ModuleDict
from torch import Tensor

from mmpmg.models.pretrainers.branches import decoder_owners, given_branches
from mmpmg.models.sample_seeds import batch_seeds
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.token_noise import token_noise
from mmpmg.models.tokens import Grid, first_tokens, split_tokens, token_grid

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
class MaskedVideoPretrainer(BaseModel):
    """Masked video modelling: hide tokens, encode the rest, predict what was hidden.

    One encoder (``backbone``), and one or more named branches of a decoder (``neck``) and a
    ``head``, so VideoMAE is one branch and MotionMAE is two. Sizes that follow from the encoder
    (widths, number and shape of tokens) are handed on to the other parts, so a recipe states them
    once.

    Args:
        backbone: Encoder that takes ``(clip, visible)``.
        masker: Draws the (B, N) masks from the samples' seeds.
        branches: name -> dict(neck=..., head=...); the loss of branch ``x`` is logged as
            ``loss_x``. None takes a base's branch out. A neck that is the name of another branch
            shares that branch's decoder (MotionMAE, Table 10), which then runs once.
        decoder_masker: Draws tokens that the decoder is spared while training, as VideoMAE V2 does
            (arXiv 2303.16727, Sec. 3). The decoder then gets the visible tokens and the masked ones
            that this masker keeps, and the loss is taken of the latter. (The authors' code also
            hands it a mask token for each visible token that is kept; those meet no loss and are
            left out here.) None, as in VideoMAE: it is asked for every masked token.
        data_preprocessor: MMAction2's ``ActionDataPreprocessor`` config.
        init_cfg: MMEngine initialisers.

    Raises:
        ValueError: No branches, one that is not a neck and a head, one that shares what is not
            there, or a target that cannot be computed from these clips.
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
        preprocessor = MODELS.build(
            data_preprocessor or {}, default_args=dict(type="ActionDataPreprocessor")
        )
        super().__init__(data_preprocessor=preprocessor, init_cfg=init_cfg)
        branches = given_branches(branches)
        self.decoder_of = decoder_owners(branches)
        self.backbone = MODELS.build(backbone)
        self.masker = MODELS.build(masker)
        self.decoder_masker: Any = None if decoder_masker is None else MODELS.build(decoder_masker)
        self.num_asked(self.backbone.grid)  # raises now rather than at the first step
        self.necks, self.heads = ModuleDict(), ModuleDict()
        for name, owner in self.decoder_of.items():
            if name == owner:
                self.necks[name] = MODELS.build(
                    branches[name]["neck"],
                    default_args=dict(
                        in_channels=self.backbone.embed_dims, num_tokens=self.backbone.num_tokens
                    ),
                )
        num_frames = self.backbone.grid[0] * self.backbone.token_shape[0]
        for name, owner in self.decoder_of.items():
            self.heads[name] = MODELS.build(
                branches[name]["head"],
                default_args=dict(
                    in_channels=self.necks[owner].embed_dims, token_shape=self.backbone.token_shape
                ),
            )
            self.heads[name].check(num_frames, self.data_preprocessor)

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[ActionDataSample] | None = None,
        mode: str = "tensor",
    ) -> Tensor | dict[str, Tensor] | list[ActionDataSample]:
        """MMEngine's three modes.

        Args:
            inputs: (B, V, C, T, H, W), V views of each sample, normalised.
            data_samples: B samples; ``metainfo["sample_seed"]`` decides each one's mask.
            mode: "loss" -> dict of losses; "predict" -> samples with ``mask`` (V, N) and
                ``prediction`` (name -> (V, K, values)); "tensor" -> (B*V, N, width) features of
                the unmasked clip.

        Raises:
            ValueError: Any other mode.
        """
        clip = inputs.flatten(0, 1)
        if mode == "loss":
            return self.loss(clip, data_samples)
        if mode == "predict":
            return self.predict(clip, data_samples)
        if mode == "tensor":
            return self.extract_feat(clip)
        raise ValueError(f"mode {mode!r} is unknown; it is one of 'loss', 'predict', 'tensor'")

    def loss(
        self, clip: Tensor, data_samples: list[ActionDataSample] | None = None
    ) -> dict[str, Tensor]:
        """Losses of a batch of clips (B, C, T, H, W), one per branch."""
        tokens = self.draw(clip, data_samples)
        encoded = self.backbone(clip, tokens.visible)
        whole = self.whole_clip(clip, data_samples)
        features = self.decode(encoded, tokens.visible, tokens.asked)
        return {
            f"loss_{name}": head.loss(features[name], whole, tokens.asked)
            for name, head in self.heads.items()
        }

    @torch.no_grad()
    def predict(self, clip: Tensor, data_samples: list[ActionDataSample]) -> list[ActionDataSample]:
        """Attach the mask and each branch's prediction to the samples."""
        tokens, predictions = self.reconstruct(clip, data_samples)
        views = len(clip) // len(data_samples)
        for i, sample in enumerate(data_samples):
            rows = slice(i * views, (i + 1) * views)
            sample.mask = tokens.mask[rows]
            sample.prediction = {name: p[rows] for name, p in predictions.items()}
        return data_samples

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
            ValueError: The clip is not of the size that the encoder was built for.
        """
        size = (clip.shape[2], clip.shape[3], clip.shape[4])
        grid = token_grid(size, self.backbone.token_shape)
        if grid != self.backbone.grid:
            built = tuple(
                count * side
                for count, side in zip(self.backbone.grid, self.backbone.token_shape, strict=True)
            )
            raise ValueError(
                f"a clip of (T, H, W) = {size} meets an encoder built for {built}; make the "
                "pipeline's clip length and size agree with model.backbone.num_frames and img_size"
            )
        seeds = batch_seeds(data_samples, len(clip), clip.device)
        mask = self.masker(seeds, grid, data_samples)
        visible, masked = split_tokens(mask, self.masker.num_masked(grid))
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
        priority = 2 * (~mask).to(torch.uint8) + spared
        noise = token_noise(own, mask.shape[1], stream=DECODER_STREAM)
        return first_tokens(priority, noise, self.num_asked(grid))

    def whole_clip(
        self, clip: Tensor, data_samples: list[ActionDataSample] | None = None
    ) -> WholeClip:
        """Return what targets are computed from, of a normalised clip (B, C, T, H, W)."""
        return WholeClip(self.pixels(clip), data_samples)

    def pixels(self, clip: Tensor) -> Tensor:
        """Undo the normalisation of the data preprocessor: (B, C, T, H, W) in [0, 1]."""
        mean = getattr(self.data_preprocessor, "mean", None)
        if mean is None:
            return clip / 255
        return torch.addcmul(mean / 255, clip, self.data_preprocessor.std / 255)
