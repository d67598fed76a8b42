"""Weights of one format in, of another out, and a row for every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from mmpmg import typed
from mmpmg.models.conversion.detection import detect_format, unwrapped
from mmpmg.models.conversion.layouts import (
    FORMATS,
    HUGGING_FACE,
    OURS,
    PRETRAINING,
    RECOGNITION,
)
from mmpmg.models.conversion.naming import Naming
from mmpmg.models.conversion.reading import branches_of, read
from mmpmg.models.conversion.report import Conversion
from mmpmg.models.conversion.shapes import check_whole
from mmpmg.models.conversion.sizes import Hints, ModelSizes, sizes_of
from mmpmg.models.conversion.writing import Writer
from mmpmg.models.tokens import Grid


def convert(
    state: Mapping[str, Tensor],
    to: str,
    branch: str | None = None,
    hints: Hints | None = None,
    grid: Grid | None = None,
) -> Conversion:
    """Convert the weights of a video ViT.

    Args:
        state: In any of `FORMATS`, wrapped or not; it is not changed, and tensors that need no
            change are shared with it.
        to: One of `FORMATS`.
        branch: Of a pretrainer with several, the one that is converted; into a pretrainer, what
            the branch is called there ("pixel").
        hints: What weights do not tell, such as the clip length behind a position table.
        grid: (t, h, w) tokens of the clips that the target is for; the source's when None.

    Returns:
        The weights in the other format, and what became of each.

    Raises:
        ValueError: Another architecture, an incomplete file, or something that the target cannot
            hold and without which it would compute something else.
    """
    if to not in FORMATS:
        raise ValueError(f"format {to!r} is unknown; --to is one of {', '.join(FORMATS)}")
    state = unwrapped(state)
    source = detect_format(state)
    if source not in FORMATS:
        raise ValueError(
            "2D weights of timm are inflated, not renamed: mmpmg.models.conversion.inflation, or "
            f"{typed.tool('convert_checkpoint.py')} with --to encoder"
        )
    neck = head = branch or "pixel"
    if source == "pretrainer":
        # Of a branch that is named, an encoder does not ask for the decoder.
        whole = source == to or (branch is not None and to not in PRETRAINING)
        neck, head = branches_of(state, branch, whole)
    weights = read(state, Naming(source, neck, head))
    sizes = sizes_of(weights.values, hints)
    check_whole(weights.values, sizes, pixels=to in PRETRAINING and to != "pretrainer")
    if source != to and to in PRETRAINING and sizes.decoder_width and sizes.mean_pooling:
        raise ValueError(
            "its encoder does not close with a norm (the weights lack it; in Hugging Face "
            "use_mean_pooling=True), so that its decoder sees other tokens than ours: convert the "
            "encoder alone, --to encoder"
        )
    target = sizes if source == to else _target_sizes(sizes, source, to)
    target = target if grid is None else replace(target, grid=grid)
    writer = Writer(weights, source, to, Naming(to, neck, head), target)
    writer.carry()
    writer.place_positions(sizes.grid)
    writer.leave()
    writer.start_fresh()
    return Conversion(writer.out, source, to, sizes, target, head, writer.rows)


def _target_sizes(sizes: ModelSizes, source: str, to: str) -> ModelSizes:
    """Drop the parts that the target does not have, and choose how it closes."""
    if to in OURS and source not in OURS:
        # Our recipes have these biases, and zeros compute what a model without them does.
        sizes = replace(sizes, qv_bias=True, decoder_qv_bias=True)
    elif to in PRETRAINING and to not in OURS and sizes.decoder_width:
        biased = sizes.qv_bias or sizes.decoder_qv_bias  # there one switch serves both
        sizes = replace(sizes, qv_bias=biased, decoder_qv_bias=biased)
    if to not in PRETRAINING:
        sizes = replace(sizes, decoder_width=None, decoder_depth=0, decoder_heads=None)
    elif sizes.decoder_width is None and to != "pretrainer":
        alone = "hf-model" if to in HUGGING_FACE else "videomae-finetuned"
        raise ValueError(f"{to} has a decoder and the source has none: convert it --to {alone}")
    if to in PRETRAINING:
        pools = False
    elif to == "hf-model":
        pools = sizes.mean_pooling
    else:
        # A classifier keeps the norm that it was trained behind; a fresh one looks at the mean.
        pools = sizes.mean_pooling or sizes.num_classes is None
    classes = sizes.num_classes if to in RECOGNITION else None
    return replace(sizes, mean_pooling=pools, num_classes=classes)
