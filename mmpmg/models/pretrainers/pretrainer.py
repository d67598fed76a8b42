"""What every pretrainer is made of: masker, encoder, decoders and heads; wiring only."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel, ModuleDict
from torch import Tensor

from mmpmg.models.maskers.mask_contract import check_mask
from mmpmg.models.pretrainers.branches import decoder_owners, given_branches
from mmpmg.models.sample_seeds import batch_seeds
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import token_grid

Losses = dict[str, Tensor]


class Pretrainer(BaseModel):
    """Masked video modelling: hide tokens, encode the clip, predict what was hidden.

    One encoder (``backbone``), and one or more named branches of a decoder (``neck``) and a
    ``head``. Sizes that follow from the encoder are handed on to the other parts, so a recipe
    states them once. A subclass says how hidden tokens reach the encoder and the decoders.

    Args:
        backbone: The encoder; it has ``grid`` and ``token_shape``.
        masker: Draws the (B, N) masks from the samples' seeds, and the samples.
        branches: name -> dict(neck=..., head=...); the loss of branch ``x`` is logged as
            ``loss_x``. None takes a base's branch out. A neck that is the name of another branch
            shares that branch's decoder, which then runs once.
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
        self.check_parts()
        self.necks, self.heads = ModuleDict(), ModuleDict()
        for name, owner in self.decoder_of.items():
            if name == owner:
                self.necks[name] = MODELS.build(
                    branches[name]["neck"], default_args=self.decoder_sizes()
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

    @abstractmethod
    def check_parts(self) -> None:
        """Refuse an encoder and a masker that do not go together.

        Raises:
            ValueError: They do not; raised now rather than at the first step.
        """

    @abstractmethod
    def decoder_sizes(self) -> dict[str, Any]:
        """Return what a decoder must know of the encoder, as arguments of its constructor."""

    @abstractmethod
    def loss(self, clip: Tensor, data_samples: list[ActionDataSample] | None = None) -> Losses:
        """Losses of a batch of clips (B, C, T, H, W), and what is logged beside them."""

    @abstractmethod
    def predict(self, clip: Tensor, data_samples: list[ActionDataSample]) -> list[ActionDataSample]:
        """Attach the mask and each branch's prediction to the samples."""

    @abstractmethod
    def extract_feat(self, clip: Tensor) -> Any:
        """Encode a clip (B, C, T, H, W) of which nothing is hidden."""

    def forward(
        self,
        inputs: Tensor,
        data_samples: list[ActionDataSample] | None = None,
        mode: str = "tensor",
    ) -> Any:
        """MMEngine's three modes.

        Args:
            inputs: (B, V, C, T, H, W), V views of each sample, normalised.
            data_samples: B samples; ``metainfo["sample_seed"]`` decides each one's mask.
            mode: "loss" -> dict of losses; "predict" -> the samples, with ``mask`` (V, N) and
                ``prediction`` (name -> one for each view); "tensor" -> the features of the
                unmasked clip.

        Raises:
            ValueError: Any other mode.
        """
        clip = inputs.flatten(0, 1)
        if mode == "loss":
            return self.loss(clip, data_samples)
        if mode == "predict":
            fresh = [ActionDataSample() for _ in inputs]  # of no dataset
            return self.predict(clip, fresh if data_samples is None else data_samples)
        if mode == "tensor":
            return self.extract_feat(clip)
        raise ValueError(f"mode {mode!r} is unknown; it is one of 'loss', 'predict', 'tensor'")

    def draw_mask(
        self, clip: Tensor, data_samples: list[ActionDataSample] | None
    ) -> tuple[Tensor, Tensor]:
        """Draw the masks of a batch from the seeds of its samples.

        Returns:
            (B, N) bool, True = masked, and the seeds (B,) int64.

        Raises:
            ValueError: The clip is not of the size that the encoder was built for, or the masker
                returns no mask of it.
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
        check_mask(mask, self.masker, seeds, grid)
        return mask, seeds

    def head_losses(self, features: dict[str, Tensor], whole: WholeClip, masked: Tensor) -> Losses:
        """Ask each head for its loss.

        Args:
            features: Branch -> decoder's features of the masked tokens.
            whole: What targets are computed from.
            masked: Which tokens they are, as the pretrainer tells its heads.

        Returns:
            ``loss_x`` of branch ``x``; of a head that returns a dict, ``key_x`` for each key.
        """
        losses: Losses = {}
        for name, head in self.heads.items():
            told = head.loss(features[name], whole, masked)
            told = told if isinstance(told, dict) else dict(loss=told)
            losses.update({f"{key}_{name}": value for key, value in told.items()})
        return losses

    def attach(
        self, data_samples: list[ActionDataSample], mask: Tensor, predictions: dict[str, Any]
    ) -> list[ActionDataSample]:
        """Hand each sample the rows of its views.

        Args:
            data_samples: B samples of V views.
            mask: (B*V, N) bool.
            predictions: Branch -> something with B*V rows.
        """
        views = len(mask) // len(data_samples)
        for i, sample in enumerate(data_samples):
            rows = slice(i * views, (i + 1) * views)
            sample.mask = mask[rows]
            sample.prediction = {name: p[rows] for name, p in predictions.items()}
        return data_samples

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
