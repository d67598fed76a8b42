"""Weights of a recipe's model and the arithmetic of its forward pass, without its memory or time.

Models are built and run on PyTorch's "meta" device, where tensors have shapes and no values: a
ViT-H is counted in a second on a laptop.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode

from mmpmg.models.pretrainers.mask_token import MaskTokenPretrainer
from mmpmg.models.pretrainers.masked_video import MaskedVideoPretrainer


class ModelSize(NamedTuple):
    """How large a model is.

    Attributes:
        parameters: Numbers in all its weights, without buffers and frozen tokenizers beside it.
        encoder_parameters: Of these, in the encoder, which is what pre-training is for; 0 for a
            model without one (a tokenizer).
        trained_parameters: Of these, in the weights that training changes.
        flops: Additions and multiplications of a forward pass of one clip; twice what papers
            call "GFLOPs", which are multiply-adds.
    """

    parameters: int
    encoder_parameters: int
    trained_parameters: int
    flops: int


def model_size(config: Config) -> ModelSize:
    """Count the weights and the arithmetic of a recipe's model.

    Matrix products, convolutions and attention count; the rest is a percent. One clip of the size
    that the encoder is built for passes; of a pre-training with masks of its recipe's ratio, an
    encoder that drops masked tokens sees the visible ones only. Where a mask's size is a matter of
    chance (an encoder with mask tokens), the head is counted for every token. Targets, frozen
    tokenizers that make them, and the search among a tokenizer's codes are not counted.

    Args:
        config: A recipe.

    Returns:
        Its size; the same object for the same model.

    Raises:
        ValueError: The model is of a kind that is not known here.
    """
    backbone = config.model.get("backbone", {})
    frames, side = backbone.get("num_frames", 16), backbone.get("img_size") or _crop(config)
    return _size(_text(config), frames, side)


def model_of_shapes(config: Config) -> Any:
    """Build a recipe's model whose weights have shapes and no values, in no memory.

    Args:
        config: A recipe.
    """
    return _built(_text(config))


def _text(config: Config) -> str:
    """Write down a recipe's model, so that it is known again."""
    model = copy.deepcopy(config.model.to_dict())
    if "cls_head" in model:
        model.pop("data_preprocessor", None)  # has no weights; recipes of one model differ in it
    return json.dumps(model, sort_keys=True)


def _crop(config: Config) -> int:
    """Find the side of a tokenizer's clips where they are made: its model takes any."""
    steps = config.train_dataloader.dataset.pipeline
    steps = steps.values() if isinstance(steps, Mapping) else steps
    for step in steps:
        if step is not None and step["type"] == "Resize":
            return int(step["scale"][0])
    raise ValueError("the recipe's pipeline has no Resize, so the size of its clips is unknown")


@cache
def _size(text: str, frames: int, side: int) -> ModelSize:
    model = _built(text)
    clip = torch.empty(1, 3, frames, side, side, device="meta")
    backbone = getattr(model, "backbone", None)
    model.eval()
    return ModelSize(
        _count(model),
        0 if backbone is None else _count(backbone),
        sum(weight.numel() for weight in model.parameters() if weight.requires_grad),
        _flops(lambda: _forward(model, clip)),
    )


def _built(text: str) -> Any:
    config = json.loads(text, object_hook=_without_weights)
    init_default_scope("mmaction")
    with torch.device("meta"), _ValuesOnTheHost():
        return MODELS.build(config)


def _without_weights(node: dict) -> dict:
    """Ask for no file: a tokenizer beside the model need not be trained to count the model."""
    if node.get("type") == "CodebookTarget":
        return {**node, "checkpoint": None, "random": True}
    return node


class _ValuesOnTheHost(TorchFunctionMode):
    """Leave ``linspace`` its values: Swin reads its rates of stochastic depth out of one."""

    def __torch_function__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is torch.linspace:
            kwargs.setdefault("device", "cpu")
        return func(*args, **kwargs)


def _count(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


@torch.no_grad()
def _flops(forward: Callable[[], Any]) -> int:
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        forward()
    return int(counter.get_total_flops())


def _forward(model: Any, clip: Tensor) -> Any:
    """Pass a clip through the parts that do the products, whatever its values."""
    if isinstance(model, MaskedVideoPretrainer):
        total, masked = model.backbone.num_tokens, model.masker.num_masked(model.backbone.grid)
        asked = model.num_asked(model.backbone.grid)
        visible, wanted = (
            torch.empty(1, count, dtype=torch.int64, device="meta")
            for count in (total - masked, asked)
        )
        features = model.decode(model.backbone(clip, visible), visible, wanted)
        return [head(features[name]) for name, head in model.heads.items()]
    if isinstance(model, MaskTokenPretrainer):
        maps = model.backbone(clip)
        decoded = {name: neck(maps) for name, neck in model.necks.items()}
        return [head(decoded[model.decoder_of[name]]) for name, head in model.heads.items()]
    if hasattr(model, "cls_head"):
        return model.cls_head(model.backbone(clip))
    if hasattr(model, "backbone"):  # frozen features
        return model.backbone(clip)
    if hasattr(model, "codebook"):
        small = clip[..., :: model.scale, :: model.scale]
        return model.decoder(model.post_vq_conv(model.pre_vq_conv(model.features(small))))
    raise ValueError(
        f"model.type={type(model).__name__!r} is of no kind that mmpmg/evaluation/zoo/"
        "model_size.py can pass a clip through; teach it there"
    )
