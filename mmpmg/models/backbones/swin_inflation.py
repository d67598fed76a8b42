"""2D initialisation: weights of a Swin Transformer for images, inflated for clips (DEMVM, 3.4)."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import torch
from mmaction.models.backbones import SwinTransformer3D
from mmengine.logging import print_log
from mmengine.registry import WEIGHT_INITIALIZERS
from torch import Tensor
from torch.nn import functional as F

from mmpmg.models.backbones.image_weights import KEY, TIMM, read_image_weights

EXAMPLE = "swin_tiny_patch4_window7_224.ms_in1k"
PATCHES = "patch_embed.proj.weight"
TABLE = "relative_position_bias_table"
NOT_WEIGHTS = ("relative_position_index", "attn_mask")  # they follow from the sizes
CLASSIFIER = "head."


@WEIGHT_INITIALIZERS.register_module()
class InflatedSwin:
    """Initialises a ``SwinTransformer3D``, MMAction2's or ours, with those of an image model.

    A patch embedding over 2 frames has each frame's half of the image's weights; a table of
    position biases is repeated for every distance in time (and resized, bicubic, where the window
    is another in space). On a clip of equal frames the encoder then gives the image model's
    features. What an image model has no weights for stays as it was initialised, and is logged: the
    norms of the stages before the last, and the mask token.

    Args:
        checkpoint: A file: weights from timm (``torch.save(model.state_dict(), FILE)``, or the
            ``model.safetensors`` of its hub), or of Swin's official release. Or "timm:NAME", which
            timm downloads, such as ``timm:swin_tiny_patch4_window7_224.ms_in1k``.
    """

    def __init__(self, checkpoint: str) -> None:
        if not checkpoint:
            raise ValueError(
                f"{KEY}={checkpoint!r} names no weights: give a file or {TIMM}{EXAMPLE}"
            )
        self.checkpoint = checkpoint

    def __call__(self, module: SwinTransformer3D) -> None:
        """Initialise.

        Raises:
            ValueError: The weights are of another Swin, or of none.
        """
        state = inflate_swin(read_image_swin(self.checkpoint), module, f"{KEY}={self.checkpoint}")
        untouched = module.load_state_dict(state, strict=False).missing_keys
        fresh = [key for key in untouched if not key.endswith(NOT_WEIGHTS)]
        print_log(
            f"{len(state)} weights of {self.checkpoint} inflated; new in this encoder: "
            f"{', '.join(fresh) or 'none'}",
            logger="current",
            level=logging.INFO,
        )


def read_image_swin(source: str) -> dict[str, Tensor]:
    """Read the weights of an image model, see `read_image_weights`."""
    return read_image_weights(source, "Swin Transformer", EXAMPLE, "swin.pth")


def inflate_swin(
    image: Mapping[str, Tensor], encoder: SwinTransformer3D, name: str
) -> dict[str, Tensor]:
    """Turn the weights of a 2D Swin into those of a 3D one.

    Args:
        image: State dict in timm's layout or the official one.
        encoder: What the weights are for.
        name: What to call the weights in errors.

    Returns:
        A part of the encoder's state dict: all but index buffers, the norms that only it has, and
        a mask token.

    Raises:
        ValueError: They do not fill the encoder, or are of another size.
    """
    state = _official_layout(image, f"norm{encoder.num_layers - 1}")
    wanted = {key: tuple(p.shape) for key, p in encoder.named_parameters()}
    if PATCHES not in state or state[PATCHES].ndim != 4:
        raise ValueError(
            f"{name} is no Swin Transformer for images: {PATCHES} is "
            f"{'not there' if PATCHES not in state else 'of a video model'}; it holds "
            f"{', '.join(list(image)[:3])} ... (a video checkpoint goes to load_from)"
        )
    if not any(key.startswith("layers.0.blocks.0.") for key in state):
        raise ValueError(
            f"{name} is no Swin Transformer, but another model for images: it has no "
            f"layers.0.blocks.0, and holds {', '.join(list(image)[:3])} ...; give a Swin "
            f"Transformer's, such as {KEY}={TIMM}{EXAMPLE}"
        )
    theirs, ours = _size(state), _size(dict(encoder.named_parameters()))
    if theirs != ours:
        raise ValueError(
            f"{name} is a Swin Transformer of {theirs}, the recipe's encoder one of {ours}; give "
            "the weights of its size, or change model.backbone.arch"
        )
    frames = wanted[PATCHES][2]
    # Frames that are alike add up to the image's response.
    state[PATCHES] = (state[PATCHES] / frames).unsqueeze(2).repeat(1, 1, frames, 1, 1)
    for key in state:
        if key.endswith(TABLE):
            state[key] = _inflate_table(state[key], tuple(encoder.window_size))
    fresh = {"mask_token"}
    fresh |= {f"norm{i}.{p}" for i in range(encoder.num_layers - 1) for p in ("weight", "bias")}
    misfits = [f"{key} is missing" for key in wanted if key not in state and key not in fresh]
    misfits += [f"{key} is left over" for key in state if key not in wanted]
    misfits += [
        f"{key} becomes {tuple(value.shape)} instead of {wanted[key]}"
        for key, value in state.items()
        if key in wanted and tuple(value.shape) != wanted[key]
    ]
    if misfits:
        raise ValueError(
            f"{name} does not fill the recipe's encoder in {len(misfits)} weights, for example "
            f"{misfits[0]}; it takes a Swin Transformer (not V2) of patch size "
            f"{wanted[PATCHES][3]}, and model.backbone.out_indices with the last stage"
        )
    return state


def _official_layout(image: Mapping[str, Tensor], last_norm: str) -> dict[str, Tensor]:
    """Name the weights as the official release and MMAction2 do; leave out what is not needed.

    timm has a stage's downsampling at its start, they have it at the end of the stage before.
    """
    at_start = "layers.0.downsample.reduction.weight" not in image
    state = {}
    for key, value in image.items():
        if key.endswith(NOT_WEIGHTS) or key.startswith(CLASSIFIER):
            continue
        if at_start:
            key = re.sub(
                r"^layers\.(\d+)\.downsample", lambda m: f"layers.{int(m[1]) - 1}.downsample", key
            )
        if key.startswith("norm."):
            key = last_norm + key.removeprefix("norm")
        state[key] = value
    return state


def _inflate_table(table: Tensor, window_size: tuple[int, ...]) -> Tensor:
    """[(2h-1)(2w-1), heads] of an image -> [(2t-1)(2h-1)(2w-1), heads] of a clip."""
    distances, rows, columns = (2 * side - 1 for side in window_size)
    side = round(table.shape[0] ** 0.5)
    if (side, side) != (rows, columns) and side * side == table.shape[0]:
        grid = table.T.unflatten(1, (side, side)).unsqueeze(0)
        grid = F.interpolate(grid, size=(rows, columns), mode="bicubic", align_corners=False)
        table = grid[0].flatten(1).T
    return table.repeat(distances, 1)


def _size(state: Mapping[str, Tensor]) -> str:
    """Say the width and the depths that weights are of."""
    blocks = {m[0] for key in state if (m := re.match(r"layers\.\d+\.blocks\.\d+", key))}
    stages = torch.bincount(torch.tensor([int(b.split(".")[1]) for b in blocks])).tolist()
    width = state[PATCHES].shape[0]
    return f"width {width} and {'-'.join(map(str, stages))} blocks"
