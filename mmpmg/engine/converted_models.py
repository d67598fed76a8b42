"""Our models and MMAction2's around given weights, and what they compute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from mmaction.registry import MODELS
from mmengine.registry import DefaultScope
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.conversion import ModelSizes
from mmpmg.models.conversion.model_configs import (
    MASK_RATIO,
    MEAN,
    STD,
    backbone_config,
    pretrainer_config,
    recognizer_config,
)
from mmpmg.models.conversion.reading import branches_of
from mmpmg.models.tokens import split_tokens

TOKENS, BEFORE = "tokens", "tokens before the closing norm"
VISIBLE, PREDICTION, LOSS = "encoded visible tokens", "predictions", "pre-training loss"
FEATURES, SCORES = "pooled features", "class scores"
BATCH = 2


class Clips(NamedTuple):
    """Random clips and masks, the same for both sides."""

    pixels: Tensor
    """(B, C, T, H, W), normalised."""
    mask: Tensor
    """(B, N) bool, True = masked, equally many in each."""


class Side(NamedTuple):
    """What a model computes of the clips."""

    aligned: dict[str, Tensor]
    """Output -> value, with the eps of every norm at 1e-6."""
    as_built: dict[str, Tensor]
    """The same with the eps that its library gives its norms."""
    note: str
    """Which model it was."""


def random_clips(sizes: ModelSizes, seed: int = 0) -> Clips:
    """Draw clips of uniform noise in [0, 1], normalised as VideoMAE does, and random masks."""
    generator = torch.Generator().manual_seed(seed)
    shape = (BATCH, sizes.in_channels, sizes.num_frames, sizes.img_size, sizes.img_size)
    pixels = torch.rand(shape, generator=generator)
    if sizes.in_channels == len(MEAN):
        mean, std = torch.tensor(MEAN) / 255, torch.tensor(STD) / 255
        pixels = (pixels - mean.view(-1, 1, 1, 1)) / std.view(-1, 1, 1, 1)
    tokens = sizes.grid[0] * sizes.grid[1] * sizes.grid[2]
    order = torch.rand((BATCH, tokens), generator=generator).argsort(dim=1)
    return Clips(pixels, order < max(1, int(MASK_RATIO * tokens)))


@torch.no_grad()
def our_side(
    kind: str, state: Mapping[str, Tensor], sizes: ModelSizes, branch: str | None, clips: Clips
) -> Side:
    """Compute what our model does.

    Args:
        kind: "pretrainer", "encoder" or "recognizer".
        state: Its weights.
        sizes: Its sizes.
        branch: Of a pretrainer, the one that is converted.
        clips: What it sees.

    Raises:
        ValueError: The weights do not fill it, or something is left over.
    """
    if kind == "pretrainer" and sizes.decoder_width is not None:
        outputs = _pretraining(state, sizes, branch, clips)
    else:
        outputs = _encoding(_ours(backbone_config(sizes)), state, clips)
        outputs.update(_scores(state, outputs))
    return Side(outputs, outputs, f"ours ({kind}), built from the sizes of the weights")


@torch.no_grad()
def mmaction2_side(state: Mapping[str, Tensor], sizes: ModelSizes, clips: Clips) -> Side:
    """Compute what MMAction2's ``Recognizer3D`` with its ``VisionTransformer`` does.

    Raises:
        ValueError: The weights do not fill it, or something is left over.
    """
    model = _ours(recognizer_config(sizes, "VisionTransformer"))
    outputs = _encoding(model.backbone, state, clips)
    head = {key: value for key, value in state.items() if key.startswith("cls_head.")}
    if head and FEATURES in outputs:
        _load(model.cls_head, _under(head, "cls_head."))
        outputs[SCORES] = model.cls_head(outputs[FEATURES])
    return Side(outputs, outputs, "MMAction2's VisionTransformer")


def _ours(config: dict[str, Any]) -> Any:
    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(config).eval()


def _under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key[len(prefix) :]: v for key, v in state.items() if key.startswith(prefix)}


def _load(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Fill a module with weights that came from a file, so that a misfit is no fault of ours."""
    try:
        module.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _fill(encoder: Any, state: Mapping[str, Tensor]) -> bool:
    """Fill an encoder, and tell whether the file has its closing norm: else it starts fresh."""
    weights, own = _under(state, "backbone."), encoder.state_dict()
    closing = [key for key in own if key.startswith(("norm.", "fc_norm."))]
    closes = any(key in weights for key in closing)
    # Fixed positions are what the model was built with.
    for key in ("pos_embed", *(() if closes else closing)):
        weights.setdefault(key, own[key])
    _load(encoder, weights)
    return closes


def _encoding(encoder: Any, state: Mapping[str, Tensor], clips: Clips) -> dict[str, Tensor]:
    closes = _fill(encoder, state)
    encoder.return_feat_map = True
    # [B, C, t, h, w] -> [B, N, C]
    tokens = encoder(clips.pixels).flatten(2).transpose(1, 2)
    encoder.return_feat_map = False
    if encoder.fc_norm is not None:
        pooled = {FEATURES: encoder.fc_norm(tokens.mean(1))} if closes else {}
        return {BEFORE: tokens, **pooled}
    encoder.return_feat_map, closing, encoder.norm = True, encoder.norm, nn.Identity()
    before = encoder(clips.pixels).flatten(2).transpose(1, 2)
    encoder.return_feat_map, encoder.norm = False, closing
    outputs = {TOKENS: tokens, BEFORE: before} if closes else {BEFORE: before}
    # A classifier that looks at one token, as MMAction2's does without mean pooling.
    classifies = closes and any(key.startswith("cls_head.") for key in state)
    return {**outputs, FEATURES: tokens[:, 0]} if classifies else outputs


def _scores(state: Mapping[str, Tensor], outputs: dict[str, Tensor]) -> dict[str, Tensor]:
    weight, bias = (state.get(f"cls_head.fc_cls.{end}") for end in ("weight", "bias"))
    if weight is None or FEATURES not in outputs:
        return {}
    if bias is None:
        raise ValueError("the classifier has a cls_head.fc_cls.weight, and no cls_head.fc_cls.bias")
    return {SCORES: F.linear(outputs[FEATURES], weight, bias)}


def _pretraining(
    state: Mapping[str, Tensor], sizes: ModelSizes, branch: str | None, clips: Clips
) -> dict[str, Tensor]:
    neck, head = branches_of(state, branch, whole=True)
    model = _ours(pretrainer_config(sizes, head))
    outputs = _encoding(model.backbone, state, clips)
    _load(model.necks[head], _under(state, f"necks.{neck}."))
    _load(model.heads[head], _under(state, f"heads.{head}."))
    visible, masked = split_tokens(clips.mask, int(clips.mask[0].sum()))
    encoded = model.backbone(clips.pixels, visible)
    features = model.decode(encoded, visible, masked)
    losses = model.head_losses(features, model.whole_clip(clips.pixels), masked)
    outputs[VISIBLE] = encoded
    outputs[PREDICTION] = model.heads[head](features[head])
    outputs[LOSS] = losses[f"loss_{head}"]
    return outputs
