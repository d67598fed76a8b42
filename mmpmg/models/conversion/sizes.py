"""The sizes of a video ViT, read from its weights and from what stands beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from mmpmg.models.conversion.layouts import POSITIONS
from mmpmg.models.tokens import Grid, TokenShape

HEADS = {192: 3, 384: 6, 768: 12, 1024: 16, 1280: 16, 1408: 16}
"""Width -> attention heads of VideoMAE's encoders (ViT-Ti/S/B/L/H and V2's ViT-g)."""
DECODER_HEADS = {192: 3, 384: 6, 512: 8, 640: 8}
"""Width -> attention heads of VideoMAE's decoders for ViT-S/B/L/H (V2's for ViT-g is 512 wide)."""
NUM_FRAMES = 16
_HIDDEN = "blocks.0.mlp.layers.0.0.weight"
_EMBEDDING = "backbone.patch_embed.projection.weight"


class Hints(NamedTuple):
    """What weights do not tell; None where it is not known."""

    heads: int | None = None
    decoder_heads: int | None = None
    num_frames: int | None = None
    img_size: int | None = None
    normalize: bool | None = None

    def over(self, other: Hints) -> Hints:
        """Fill what is not known here from others."""
        known = {name: value for name, value in self._asdict().items() if value is not None}
        return other._replace(**known)


@dataclass(frozen=True)
class ModelSizes:
    """All that is needed to build the model around the weights."""

    width: int
    depth: int
    heads: int | None
    """None where neither the width nor a hint tells."""
    hidden: int
    """Width of an encoder block's MLP."""
    in_channels: int
    token_shape: TokenShape
    grid: Grid
    qv_bias: bool
    """Whether q and v have biases in the encoder."""
    mean_pooling: bool
    """Closed by ``fc_norm`` over the mean of the tokens instead of ``norm`` on each."""
    decoder_width: int | None = None
    decoder_depth: int = 0
    decoder_heads: int | None = None
    decoder_hidden: int = 0
    decoder_qv_bias: bool = True
    num_classes: int | None = None
    normalize: bool = True
    """Targets are normalised per token, see ``PixelTarget``."""

    def check_heads(self) -> None:
        """Refuse to go on without the heads, which weights do not tell.

        Raises:
            ValueError: They are not known, or do not divide the width.
        """
        given = [("heads", self.width, self.heads, HEADS)]
        if self.decoder_width is not None:
            given.append(("decoder-heads", self.decoder_width, self.decoder_heads, DECODER_HEADS))
        for option, width, heads, known in given:
            if heads is None:
                raise ValueError(
                    f"weights do not tell the number of attention heads, and {width} is none of "
                    f"VideoMAE's widths ({', '.join(map(str, known))}): give --recipe with the "
                    f"recipe that trained them, or --{option} NUMBER"
                )
            if heads < 1 or width % heads:
                raise ValueError(
                    f"--{option} {heads} does not divide the width {width} of these weights"
                )

    @property
    def num_frames(self) -> int:
        """Frames of a clip."""
        return self.grid[0] * self.token_shape[0]

    @property
    def img_size(self) -> int:
        """Side of a frame in pixels."""
        return self.grid[1] * self.token_shape[1]


def hints_of_sizes(sizes: ModelSizes) -> Hints:
    """Take out of the sizes what weights do not tell."""
    return Hints(
        sizes.heads, sizes.decoder_heads, sizes.num_frames, sizes.img_size, sizes.normalize
    )


def check_said(sizes: ModelSizes, said: Mapping[str, int], where: str) -> None:
    """Refuse weights of other sizes than what stands beside them says: a file that lost a part.

    Args:
        sizes: Read from the weights.
        said: Name of a size in `ModelSizes`, "tubelet_size" or "patch_size" -> what is said; of a
            decoder or classifier that the weights do not have, nothing is compared.
        where: What says so.

    Raises:
        ValueError: They differ.
    """
    found: dict[str, int | None] = dict(
        width=sizes.width,
        depth=sizes.depth,
        tubelet_size=sizes.token_shape[0],
        patch_size=sizes.token_shape[1],
        num_classes=sizes.num_classes,
        qv_bias=sizes.qv_bias,
    )
    if sizes.decoder_width is not None:
        found.update(
            decoder_width=sizes.decoder_width,
            decoder_depth=sizes.decoder_depth,
            decoder_qv_bias=sizes.decoder_qv_bias,
        )
    for name, value in said.items():
        if found.get(name) not in (None, value):
            raise ValueError(
                f"the weights have {name.replace('_', ' ')} {found[name]}, and {where} says "
                f"{value}: the file is incomplete, or of another model"
            )


def sizes_of(weights: Mapping[str, Tensor], hints: Hints | None = None) -> ModelSizes:
    """Read the sizes of a model.

    Args:
        weights: In our spelling, see `layouts`.
        hints: What is known from elsewhere. Where nothing is, heads follow from VideoMAE's widths,
            and clips have 16 frames and, without a position table, 224 pixels.

    Raises:
        ValueError: The position table is no grid of such clips, or they are of no whole tokens.
    """
    hints = hints or Hints()
    width, in_channels, *token = weights[_EMBEDDING].shape
    token_shape: TokenShape = (token[0], token[1], token[2])
    decoder = weights.get("neck.embed.weight")
    classifier = weights.get("cls_head.fc_cls.weight")
    return ModelSizes(
        width=width,
        depth=_count_blocks(weights, "backbone"),
        heads=HEADS.get(width) if hints.heads is None else hints.heads,
        hidden=_hidden(weights, "backbone"),
        in_channels=in_channels,
        token_shape=token_shape,
        grid=_grid(weights.get(POSITIONS), token_shape, hints),
        qv_bias=_has_qv_bias(weights, "backbone"),
        mean_pooling="backbone.norm.weight" not in weights,
        decoder_width=None if decoder is None else len(decoder),
        decoder_depth=_count_blocks(weights, "neck"),
        decoder_heads=_decoder_heads(decoder, hints),
        decoder_hidden=0 if decoder is None else _hidden(weights, "neck"),
        decoder_qv_bias=_has_qv_bias(weights, "neck"),
        num_classes=None if classifier is None else len(classifier),
        normalize=hints.normalize is not False,
    )


def _decoder_heads(decoder: Tensor | None, hints: Hints) -> int | None:
    if decoder is None or hints.decoder_heads is not None:
        return None if decoder is None else hints.decoder_heads
    return DECODER_HEADS.get(len(decoder))


def _count_blocks(weights: Mapping[str, Tensor], part: str) -> int:
    prefix = f"{part}.blocks."
    numbers = {key[len(prefix) :].split(".")[0] for key in weights if key.startswith(prefix)}
    return len(numbers)


def _has_qv_bias(weights: Mapping[str, Tensor], part: str) -> bool:
    """Tell by any that is left: it asks for all the others, so that a lost one is noticed."""
    ends = (".q_bias", ".v_bias")
    return any(key.startswith(f"{part}.") and key.endswith(ends) for key in weights)


def _hidden(weights: Mapping[str, Tensor], part: str) -> int:
    key = f"{part}.{_HIDDEN}"
    if key not in weights:
        raise ValueError(f"the weights lack {key}: the file is incomplete")
    return len(weights[key])


def _grid(table: Tensor | None, token_shape: TokenShape, hints: Hints) -> Grid:
    dt, dh, _ = token_shape
    frames, size = hints.num_frames, hints.img_size
    for option, value, unit in (("num-frames", frames, dt), ("image-size", size, dh)):
        if value is not None and (value < 1 or value % unit):
            raise ValueError(f"--{option} {value} is no positive multiple of a token's {unit}")
    if table is None:
        frames, size = frames or NUM_FRAMES, size or 224
        return frames // dt, size // dh, size // dh
    tokens = table.shape[1]
    if frames is None and size is not None:
        frames = tokens // (size // dh) ** 2 * dt
    t = (frames or NUM_FRAMES) // dt
    side = math.isqrt(tokens // t) if t else 0
    if t * side * side != tokens or size not in (None, side * dh):
        told = f"{frames or NUM_FRAMES} frames" + (f" of {size} pixels" if size else "")
        raise ValueError(
            f"{tokens} positions are no grid of tokens of {dt} x {dh} x {dh} for {told}: give "
            "--num-frames and --image-size of the clips that it was trained on, or --recipe"
        )
    return t, side, side
