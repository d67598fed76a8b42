"""Settings that shapes do not tell: weights fit a model of others, which computes nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmaction.models.backbones import VisionTransformer
from torch import Tensor, nn

from mmpmg import typed
from mmpmg.models.conversion.file_meta import hints_of_meta
from mmpmg.models.conversion.fixed_positions import is_fixed
from mmpmg.models.conversion.layouts import POSITIONS
from mmpmg.models.conversion.sizes import Hints


def check_settings(
    model: nn.Module,
    state: Mapping[str, Tensor],
    meta: Mapping[str, Any],
    name: str,
    decoders: bool = False,
) -> None:
    """Refuse weights of a ViT that were trained with other heads, or learnt positions elsewhere.

    Clips of another size are no fault where positions are VideoMAE's fixed ones: the model computes
    its own.

    Args:
        model: The model, not wrapped; nothing is compared of one without a ViT.
        state: State dict of the file.
        meta: What the file says of itself, see `hints_of_meta`; nothing is compared that it does
            not say.
        name: What to call the file, with what names it, such as ``load_from=FILE``.
        decoders: Compare a pretrainer's decoders too: they are loaded.

    Raises:
        ValueError: They differ, or the file describes another model.
    """
    encoder = getattr(model, "backbone", None)
    if not isinstance(encoder, VisionTransformer):
        return
    try:
        hints = hints_of_meta(meta)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    parts = [("model.backbone", encoder, hints.heads)]
    for branch, neck in getattr(model, "necks", {}).items() if decoders else ():
        said = hints_of_meta(meta, branch).decoder_heads
        parts.append((f"model.branches.{branch}.neck", neck, said))
    for key, part, said in parts:
        found = _heads(part)
        if said is not None and found is not None and said != found:
            raise ValueError(
                f"{name} says that it was trained with {said} attention heads, and the recipe's "
                f"{key}.num_heads is {found}: the weights fit both, and with other heads they "
                f"compute something else: --cfg-options {key}.num_heads={said} (if the file is "
                "wrong, as after a conversion that guessed, convert it again with --heads)"
            )
    _check_positions(encoder, state, hints, name)


def _heads(part: nn.Module) -> int | None:
    """Attention heads of the first block; None for a part without them."""
    blocks = getattr(part, "blocks", None)
    heads = getattr(getattr(blocks[0], "attn", None), "num_heads", None) if blocks else None
    return heads if isinstance(heads, int) else None


def _check_positions(
    encoder: VisionTransformer, state: Mapping[str, Tensor], hints: Hints, name: str
) -> None:
    """Refuse learnt positions of other clips; MMEngine would leave them out, or take them wrong."""
    table = state.get(POSITIONS)
    if table is None or table.ndim != 3 or is_fixed(table):
        return
    size, side = hints.img_size, encoder.grid_size[0]
    found = side if size is None else size // encoder.patch_size
    if table.shape == encoder.pos_embed.shape and found == side:
        return
    slots = encoder.pos_embed.shape[1] // side**2
    told = "" if size is None else f" on frames of {size} pixels"
    raise ValueError(
        f"{name} has learnt positions of {table.shape[1]} tokens{told}, and the recipe's "
        f"model.backbone (num_frames, img_size) has {slots} x {side} x {side}: "
        f"{typed.tool('convert_checkpoint.py')} FILE OUT --to encoder --recipe RECIPE resizes "
        "them (a fine-tuned file: --to recognizer), or give model.backbone the file's clips"
    )
