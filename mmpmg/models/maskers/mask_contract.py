"""What a masker owes its pretrainer, held where the mask is handed over."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mmpmg.models.maskers.uniform import UniformMasker
from mmpmg.models.tokens import Grid

PLACE = "model.masker"


def check_mask(mask: Any, masker: Any, seeds: Tensor, grid: Grid, place: str = PLACE) -> None:
    """Refuse what is no mask of these clips; nothing of it is read, so no device is waited for.

    Args:
        mask: What the masker returned.
        masker: It, for messages.
        seeds: (B,), with which it was called.
        grid: (t, h, w) of the tokens.
        place: Recipe key of the masker.

    Raises:
        ValueError: It is not (B, N) bool on the seeds' device.
    """
    wanted = (len(seeds), grid[0] * grid[1] * grid[2])
    if not isinstance(mask, Tensor):
        returned = f"a {type(mask).__name__}"
    elif tuple(mask.shape) != wanted or mask.dtype != torch.bool or mask.device != seeds.device:
        returned = f"{tuple(mask.shape)} {_kind(mask)}"
    else:
        return
    raise ValueError(
        f"{type(masker).__name__} returned {returned} for {wanted[0]} clips of (t, h, w) = {grid} "
        f"tokens; a mask is (B, N) = {wanted} {_kind(seeds, torch.bool)}, True = masked. "
        f"{_advice(masker, place)}"
    )


def check_count(mask: Tensor, masker: Any, grid: Grid, place: str = PLACE) -> None:
    """Refuse a mask that hides another number of tokens than the masker told.

    It would train all the same, on tokens of the wrong side: the first N - K of each sample, masked
    ones behind visible ones, are shown. This reads the mask, so it waits for the device. Training
    asks for it at every batch on a CPU and at the first of each K elsewhere: a masker that
    miscounts on some clips alone shows it in a run on a CPU.

    Args:
        mask: (B, N) bool, True = masked.
        masker: Of ``num_masked``.
        grid: (t, h, w) of the tokens.
        place: Recipe key of the masker.

    Raises:
        ValueError: A sample has more or fewer masked tokens than ``masker.num_masked(grid)``.
    """
    told, counts = masker.num_masked(grid), mask.sum(1)
    least, most = int(counts.min()), int(counts.max())
    if least == most == told:
        return
    hides = str(least) if least == most else f"between {least} and {most}"
    raise ValueError(
        f"{type(masker).__name__} masks {hides} of {mask.shape[1]} tokens of a sample, where its "
        f"num_masked says {told} on the (t, h, w) = {grid} grid; an encoder that drops masked "
        f"tokens relies on exactly that many in every sample. {_advice(masker, place)}"
    )


def _kind(tensor: Tensor, dtype: torch.dtype | None = None) -> str:
    return f"{str(dtype or tensor.dtype).removeprefix('torch.')} on {tensor.device}"


def _advice(masker: Any, place: str) -> str:
    name = type(masker).__name__
    which = f"{name}.spread or {name}.units" if isinstance(masker, UniformMasker) else name
    return f"Mend {which}, or take another {place} in the recipe"
