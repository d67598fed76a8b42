"""Our pre-training step with one of its optimisations undone: stand-ins, for the benchmark only.

Each stand-in computes the same loss in the way one would write it first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mmpmg.models import tokens
from mmpmg.models.attention import Block, FusedAttention, FusedBlock
from mmpmg.models.backbones import masked_vit
from mmpmg.models.backbones.masked_vit import MaskedVisionTransformer
from mmpmg.models.block_stack import run_blocks
from mmpmg.models.heads.masked_regression import MaskedRegressionHead
from mmpmg.models.necks.mae_decoder import MAEDecoder
from mmpmg.models.targets import token_target
from mmpmg.models.targets.pixel import PixelTarget
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import TokenShape, patchify

Undoing: TypeAlias = Callable[[nn.Module], AbstractContextManager[None]]


def at(x: Tensor, index: Tensor) -> Tensor:
    """Take tokens ``index`` (B, K) out of (B, N, ...)."""
    return x[torch.arange(len(x), device=x.device).unsqueeze(1), index]


class EmbedAll(MaskedVisionTransformer):
    """Embeds every token and drops the masked ones afterwards, as Hugging Face's model does."""

    def forward(self, x: Tensor, visible: Tensor | None = None) -> Tensor:
        """Encode the visible tokens of a clip."""
        assert visible is not None  # fine-tuning embeds all tokens anyway
        embedded = self._embed(patchify(x, self.token_shape)) + self.pos_embed
        return self.norm(run_blocks(self.blocks, at(embedded, visible), self.with_cp))


def tokens_by_mask(clip: Tensor, index: Tensor, token_shape: TokenShape) -> Tensor:
    """Do what ``tokens_at`` does by boolean indexing, which makes a GPU's host wait."""
    every = patchify(clip, token_shape)
    chosen = torch.zeros(every.shape[:2], dtype=torch.bool, device=clip.device)
    chosen.scatter_(1, index, True)
    return every[chosen].reshape(len(clip), -1, *every.shape[2:])


class ExplicitAttention(FusedAttention):
    """Stores the matrix of attention weights."""

    def attend(self, qkv: Tensor, query: Tensor | None = None) -> Tensor:
        """Attend by two products and a softmax."""
        parts = 3 if query is None else 2
        split = qkv.reshape(*qkv.shape[:2], parts, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        *first, key, value = split.unbind(0)
        if query is None:
            (asking,) = first
        else:
            asking = query.reshape(*query.shape[:2], self.num_heads, -1).transpose(1, 2)
        weights = (asking * self.scale @ key.transpose(-2, -1)).softmax(-1)
        return self.proj((weights @ value).transpose(1, 2).flatten(2))


class KeepingBlock(FusedBlock):
    """Keeps the outputs of norms and GELU for the backward pass, as MMAction2's block does."""

    def forward(self, x: Tensor, first: int = 0) -> Tensor:
        """Update tokens; the last ones only are a matter of their own."""
        return super().forward(x, first) if first else Block.forward(self, x)


class DecodeAll(MAEDecoder):
    """Updates every token in the last block, too."""

    def forward(self, encoded: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
        """Decode the masked tokens."""
        return self.norm(_decode(self, encoded, visible, masked)[:, visible.shape[1] :])


class PredictAll(MAEDecoder):
    """Normalises and predicts every token; goes with `SelectingHead`."""

    def forward(self, encoded: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
        """Return the features of all tokens, masked ones last."""
        return self.norm(_decode(self, encoded, visible, masked))


class SelectingHead(MaskedRegressionHead):
    """Predicts every token and compares the masked ones."""

    def loss(self, features: Tensor, clip: WholeClip, masked: Tensor) -> Tensor:
        """Loss of the last tokens, which are the masked ones."""
        prediction = self(features)[:, -masked.shape[1] :]
        return self.loss_weight * self.loss_fn(self.target(clip, masked) - prediction)


class TargetAll(PixelTarget):
    """Normalises every token and keeps the masked ones."""

    def forward(self, clip: WholeClip, masked: Tensor) -> Tensor:
        """Compute the target of the masked tokens."""
        pixels = clip.pixels
        batch, number = len(pixels), tokens.token_grid(pixels.shape[2:], self.token_shape)
        count = number[0] * number[1] * number[2]
        every = torch.arange(count, device=pixels.device).expand(batch, -1)
        return at(super().forward(clip, every), masked)


def _decode(decoder: MAEDecoder, encoded: Tensor, visible: Tensor, masked: Tensor) -> Tensor:
    seen = decoder.embed(encoded) + decoder.positions[visible]
    asked = decoder.mask_token + decoder.positions[masked]
    return run_blocks(decoder.blocks, torch.cat((seen, asked.to(seen.dtype)), 1), decoder.with_cp)


def instead(*pairs: tuple[type, type]) -> Undoing:
    """Let a model's parts of one class act as another class of the same state, for a while."""

    @contextmanager
    def undone(model: nn.Module) -> Iterator[None]:
        changed: list[tuple[Any, type]] = []
        for module in model.modules():
            for ours, stand_in in pairs:
                if type(module) is ours:
                    changed.append((module, ours))
                    module.__class__ = stand_in
        if {ours for _, ours in changed} != {ours for ours, _ in pairs}:
            raise ValueError(
                f"the model has no part of {' and '.join(o.__name__ for o, _ in pairs)}"
            )
        try:
            yield
        finally:
            for module, ours in changed:
                module.__class__ = ours

    return undone


@contextmanager
def _masked_indexing(model: nn.Module) -> Iterator[None]:
    places: list[ModuleType] = [masked_vit, token_target]
    before = [place.tokens_at for place in places]
    for place in places:
        place.tokens_at = tokens_by_mask  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for place, function in zip(places, before, strict=True):
            place.tokens_at = function  # type: ignore[attr-defined]


UNDONE: dict[str, Undoing] = {
    "patches of visible tokens only": instead((MaskedVisionTransformer, EmbedAll)),
    "tokens gathered by number, not by mask": _masked_indexing,
    "fused attention": instead((FusedAttention, ExplicitAttention)),
    "last decoder block for masked tokens only": instead((MAEDecoder, DecodeAll)),
    "last block, norm and prediction for masked tokens only": instead(
        (MAEDecoder, PredictAll), (MaskedRegressionHead, SelectingHead)
    ),
    "target of masked tokens only": instead((PixelTarget, TargetAll)),
    "norms (on a GPU GELU, too) computed again, for memory": instead((FusedBlock, KeepingBlock)),
}
"""Name of an optimisation -> what undoes it."""
