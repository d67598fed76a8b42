"""Running a stack of transformer blocks, with or without keeping what they compute."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def run_blocks(blocks: Iterable[nn.Module], x: Tensor, with_cp: bool, *more: Any) -> Tensor:
    """Apply blocks one after the other.

    Args:
        blocks: Modules from a tensor, and ``more``, to a tensor.
        x: What the first one gets.
        with_cp: Keep only each block's input for the backward pass, which computes the rest again
            (activation checkpointing): a third more arithmetic, memory of one block instead of
            all. The result is the same, random numbers included.
        more: Further arguments of each.

    Returns:
        What the last one gives.
    """
    recompute = with_cp and torch.is_grad_enabled()
    for block in blocks:
        x = checkpoint(block, x, *more, use_reentrant=False) if recompute else block(x, *more)
    return x
