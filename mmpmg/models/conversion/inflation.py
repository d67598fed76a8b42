"""A ViT for images becomes one for clips: timm's weights, inflated as I3D does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmpmg import typed
from mmpmg.models.conversion.fixed_positions import sinusoid
from mmpmg.models.conversion.positions import resize_positions
from mmpmg.models.conversion.report import LOADED, MISSING, RESIZED, UNEXPECTED, Row
from mmpmg.models.tokens import Grid

EMBEDDING = "patch_embed.proj"
TABLE = "pos_embed"
PATCHES = ("mean", "center")
POSITIONS = ("image+time", "image", "sinusoid")
_BLOCK = re.compile(r"(blocks\.\d+\.)(.+)")
_PARTS = {
    "norm1": "norm1", "norm2": "norm2", "attn.proj": "attn.proj",
    "mlp.fc1": "mlp.layers.0.0", "mlp.fc2": "mlp.layers.1",
}  # fmt: skip
_CLASSIFIERS = ("head.", "head_dist.", "pre_logits.")
_NO_PLACE = {
    "cls_token": "ours has no class token: a clip's vector is the mean of its tokens",
    "dist_token": "ours has no distillation token",
}


@dataclass(frozen=True, eq=False)
class Inflated:
    """An encoder of clips, and what became of every weight of the image model.

    Attributes:
        state: State dict of a ``MaskedVisionTransformer``, without a prefix.
        rows: As a conversion has them.
    """

    state: dict[str, Tensor]
    rows: list[Row] = field(default_factory=list)


def inflate_vit(
    image: Mapping[str, Tensor],
    grid: Grid,
    tubelet_size: int = 2,
    patches: str = "mean",
    positions: str = "image+time",
    mean_pooling: bool = True,
) -> Inflated:
    """Turn the weights of timm's 2D ``VisionTransformer`` into those of our encoder.

    On a clip of equal frames the tokens are those of the image model without its class token (with
    ``positions="image"``). Its key biases are dropped: they add the same number to all scores of
    a query, which the softmax over keys takes out again. The norms of both have eps 1e-6, which
    weights do not tell.

    Args:
        image: State dict of timm's ViT or DeiT, or one in its layout.
        grid: (t, h, w) tokens of a clip.
        tubelet_size: Frames of a token.
        patches: "mean" repeats the patch embedding over a tubelet's frames and divides by their
            number (I3D); "center" looks at the middle frame alone, from which training may grow
            (ViViT's central frame).
        positions: What stands in our fixed table, which is not trained. "image": the image's
            learnt table, in every time slot alike; the order of slots is then invisible.
            "image+time" (default): the same, plus a sinusoid over the slots, centred, and as strong
            (root mean square) as the table, so that order counts and image features nearly stay.
            "sinusoid": VideoMAE's table, as its own code starts from image weights; what these
            know about places is lost.
        mean_pooling: Name the closing norm ``fc_norm``, which acts on the mean of the tokens, for
            recognition; else ``norm``, on each.

    Returns:
        The encoder, and a row for every weight.

    Raises:
        ValueError: Another architecture, or an option out of range.
    """
    if patches not in PATCHES:
        raise ValueError(f"patches={patches!r} is none of {', '.join(PATCHES)}")
    if positions not in POSITIONS:
        raise ValueError(f"positions={positions!r} is none of {', '.join(POSITIONS)}")
    _check_image_vit(image)
    inflated = Inflated({})
    for key, value in image.items():
        if key != TABLE:
            _place(inflated, key, value, tubelet_size, patches, mean_pooling)
    width = image[f"{EMBEDDING}.weight"].shape[0]
    inflated.state[TABLE], row = _table(image.get(TABLE), grid, width, positions)
    inflated.rows.append(row)
    closing = "fc_norm" if mean_pooling else "norm"
    if f"{closing}.weight" not in inflated.state:
        inflated.rows.append(Row(MISSING, "", f"{closing}.*", "starts fresh in the model"))
    return inflated


def _place(
    inflated: Inflated, key: str, value: Tensor, frames: int, patches: str, pools: bool
) -> None:
    """Give one weight of the image model its place, or say why it has none."""
    state, rows = inflated.state, inflated.rows
    if key == f"{EMBEDDING}.weight":
        weight = value.new_zeros(*value.shape[:2], frames, *value.shape[2:])
        if patches == "mean":
            weight += (value / frames).unsqueeze(2)
        else:
            weight[:, :, frames // 2] = value
        state["patch_embed.projection.weight"] = weight
        told = "divided over" if patches == "mean" else "at the middle of"
        rows.append(Row(RESIZED, key, "patch_embed.projection.weight", f"{told} {frames} frames"))
    elif key == f"{EMBEDDING}.bias":
        _carry(inflated, key, "patch_embed.projection.bias", value)
    elif key.startswith(("norm.", "fc_norm.")):
        name = f"{'fc_norm' if pools else 'norm'}.{key.rpartition('.')[2]}"
        _carry(inflated, key, name, value)
    elif key in _NO_PLACE:
        rows.append(Row(UNEXPECTED, key, "", _NO_PLACE[key]))
    elif key.startswith(_CLASSIFIERS):
        rows.append(Row(UNEXPECTED, key, "", "a classifier of images"))
    elif (match := _BLOCK.fullmatch(key)) and match[2] == "attn.qkv.bias":
        q, _, v = value.chunk(3)
        _carry(inflated, key, f"{match[1]}attn.q_bias", q)
        _carry(inflated, key, f"{match[1]}attn.v_bias", v)
        why = "the key's third: it adds the same to all scores of a query, which changes no output"
        rows.append(Row(UNEXPECTED, key, "", why))
    elif match and match[2] == "attn.qkv.weight":
        _carry(inflated, key, key, value)
    elif match and match[2].rpartition(".")[0] in _PARTS:
        part, _, end = match[2].rpartition(".")
        _carry(inflated, key, f"{match[1]}{_PARTS[part]}.{end}", value)
    else:
        raise ValueError(
            f"a ViT of another make: our encoder has no place for {key} {tuple(value.shape)}; it "
            "takes timm's plain ViT and DeiT (no layer scale, no norms of q and k, no registers)"
        )


def _carry(inflated: Inflated, source: str, target: str, value: Tensor) -> None:
    inflated.state[target] = value.clone()
    inflated.rows.append(Row(LOADED, source, target))


def _table(table: Tensor | None, grid: Grid, width: int, positions: str) -> tuple[Tensor, Row]:
    """Make our table of positions (1, N, C)."""
    t, h, w = grid
    if positions == "sinusoid" or table is None:
        reason = f"fixed positions, computed for {t} x {h} x {w} tokens"
        if table is not None:
            reason += ", in place of the image's"
        return sinusoid(t * h * w, width), Row(MISSING, "", TABLE, reason)
    side = int(table.shape[1] ** 0.5)
    prefix = table.shape[1] - side * side  # class and distillation tokens come first
    if table.ndim != 3 or prefix not in (0, 1, 2):
        raise ValueError(
            f"{TABLE} of shape {tuple(table.shape)} is not one of a square image, with or without "
            "a class token: no way is known to tell which row stands where"
        )
    found = table[:, prefix:].detach().float()
    strength = found.square().mean().sqrt()
    found = resize_positions(found, (1, side, side), grid)
    if positions == "image+time" and t > 1:
        time = sinusoid(t, width)
        time = time - time.mean(dim=1, keepdim=True)  # an average slot is the image
        time = time * (strength / time.square().mean().sqrt())
        found = found + time.repeat_interleave(h * w, dim=1)
    with_time = ", and a sinusoid over time" if positions == "image+time" else ""
    reason = f"learnt: {side} x {side} to {t} x {h} x {w} tokens{with_time}"
    return found, Row(RESIZED, TABLE, TABLE, reason)


def _check_image_vit(image: Mapping[str, Tensor]) -> None:
    weight = image.get(f"{EMBEDDING}.weight")
    shown = f"it holds {', '.join(list(image)[:3]) or 'nothing'} ..."
    if weight is None or not any(key.startswith("blocks.0.attn.qkv.") for key in image):
        raise ValueError(
            f"no ViT for images in timm's layout: {EMBEDDING}.weight or blocks.0.attn.qkv is not "
            f"there; {shown}"
        )
    if weight.ndim != 4:
        raise ValueError(
            f"{EMBEDDING}.weight is of a video model ({tuple(weight.shape)}): there is nothing to "
            f"inflate; {typed.tool('convert_checkpoint.py')} converts it"
        )
    if bool(torch.stack([value.isnan().any() for value in image.values()]).any()):
        raise ValueError("it has weights that are no numbers (NaN): a training that failed")
