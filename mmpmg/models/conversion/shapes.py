"""The shape of every weight of a video ViT, from its sizes."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from mmpmg.models.conversion.layouts import DECODER_POSITIONS, POSITIONS
from mmpmg.models.conversion.sizes import ModelSizes

Shapes = dict[str, tuple[int, ...]]


def expected_shapes(sizes: ModelSizes) -> Shapes:
    """List every weight of a model, in our spelling, with its shape.

    Positions are left out: they follow from the sizes, or are as long as the clips.
    """
    width, projection = sizes.width, "backbone.patch_embed.projection"
    shapes: Shapes = {f"{projection}.weight": (width, sizes.in_channels, *sizes.token_shape)}
    shapes[f"{projection}.bias"] = (width,)
    shapes |= _blocks("backbone", sizes.depth, width, sizes.hidden, sizes.qv_bias)
    closing = "backbone.fc_norm" if sizes.mean_pooling else "backbone.norm"
    shapes |= {f"{closing}.weight": (width,), f"{closing}.bias": (width,)}
    if sizes.num_classes is not None:
        shapes["cls_head.fc_cls.weight"] = (sizes.num_classes, width)
        shapes["cls_head.fc_cls.bias"] = (sizes.num_classes,)
    if sizes.decoder_width is not None:
        shapes |= _decoder(sizes, sizes.decoder_width)
    return shapes


def _decoder(sizes: ModelSizes, width: int) -> Shapes:
    shapes: Shapes = {"neck.embed.weight": (width, sizes.width), "neck.mask_token": (1, 1, width)}
    hidden = sizes.decoder_hidden
    shapes |= _blocks("neck", sizes.decoder_depth, width, hidden, sizes.decoder_qv_bias)
    shapes |= {"neck.norm.weight": (width,), "neck.norm.bias": (width,)}
    dt, dh, dw = sizes.token_shape
    values = sizes.in_channels * dt * dh * dw
    return shapes | {
        "head.projection.weight": (values, width),
        "head.projection.bias": (values,),
    }


def _blocks(part: str, depth: int, width: int, hidden: int, qv_bias: bool) -> Shapes:
    shapes: Shapes = {}
    for number in range(depth):
        block = f"{part}.blocks.{number}."
        for norm in ("norm1", "norm2"):
            shapes |= {f"{block}{norm}.weight": (width,), f"{block}{norm}.bias": (width,)}
        if qv_bias:
            shapes |= {f"{block}attn.q_bias": (width,), f"{block}attn.v_bias": (width,)}
        shapes[f"{block}attn.qkv.weight"] = (3 * width, width)
        for name, out, into in (
            ("attn.proj", width, width),
            ("mlp.layers.0.0", hidden, width),
            ("mlp.layers.1", width, hidden),
        ):
            shapes |= {f"{block}{name}.weight": (out, into), f"{block}{name}.bias": (out,)}
    return shapes


def check_whole(weights: Mapping[str, Tensor], sizes: ModelSizes, pixels: bool) -> None:
    """Refuse weights that are no whole model: pieces of several, or a file that was cut.

    Args:
        weights: In our spelling.
        sizes: Read from them.
        pixels: Whether a decoder must predict the pixels of a token.

    Raises:
        ValueError: A weight lacks, or has another shape than the others ask for.
    """
    expected = expected_shapes(sizes)
    output = {"head.projection.weight", "head.projection.bias"}
    for key, shape in expected.items():
        if key in output and not pixels:
            continue
        if key not in weights:
            # Norms and output layers may start fresh; a block without a part is a broken file.
            if ".blocks." in key or "patch_embed" in key:
                raise ValueError(
                    f"the weights lack {key}, which the others ask for (width {sizes.width}, "
                    f"{sizes.depth} blocks): the file is incomplete, or of another architecture"
                )
            continue
        found = tuple(weights[key].shape)
        if found == shape:
            continue
        if key in output:
            raise ValueError(
                f"the branch predicts {found[0]} numbers for a token ({key}), and pixels of "
                f"{sizes.token_shape} with {sizes.in_channels} colours are {shape[0]}: the other "
                "side's decoder predicts pixels; give --branch with a PixelTarget, or convert the "
                "encoder alone: --to hf-model"
            )
        raise ValueError(
            f"{key} is {found} where width {sizes.width}, {sizes.depth} blocks and tokens of "
            f"{sizes.token_shape} ask for {shape}: not the weights of one video ViT"
        )
    for key in (POSITIONS, DECODER_POSITIONS):
        width = sizes.width if key == POSITIONS else sizes.decoder_width
        table = weights.get(key)
        if table is not None and (
            table.ndim != 3 or table.shape[0] != 1 or table.shape[2] != width
        ):
            raise ValueError(
                f"{key} is {tuple(table.shape)}, no table of positions for width {width}"
            )
