"""Position tables for clips of other sizes, in space and time."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional as F

from mmpmg.models.conversion.fixed_positions import is_fixed, sinusoid
from mmpmg.models.tokens import Grid


def resize_positions(table: Tensor, old_grid: Grid, new_grid: Grid) -> Tensor:
    """Give every token of another grid its position.

    VideoMAE's fixed table is a formula over the number of tokens, so it is made anew: interpolating
    it would give values that no training saw. A learnt one is interpolated, bicubic in space as
    MMAction2's ``VisionTransformer`` and ours do for frames of another size while they run, so
    converting first changes nothing; linear in time, where a grid has a few slots only, a cubic
    would swing beyond them, and a single slot, an image model's, is to be repeated.

    Args:
        table: (1, N, C), tokens in (t, h, w) order, w fastest.
        old_grid: (t, h, w) with t * h * w = N.
        new_grid: (t', h', w').

    Returns:
        (1, t' * h' * w', C) of the same type; ``table`` itself where the grids are equal.

    Raises:
        ValueError: The table is no table of the old grid, or a side is below 1.
    """
    if table.ndim != 3 or table.shape[0] != 1 or table.shape[1] != math.prod(old_grid):
        raise ValueError(
            f"a position table of shape {tuple(table.shape)} does not belong to a grid of "
            f"{_told(old_grid)} tokens (t x h x w), which takes (1, {math.prod(old_grid)}, width)"
        )
    if min(*old_grid, *new_grid) < 1:
        raise ValueError(f"a grid has sides of at least 1: {_told(old_grid)}, {_told(new_grid)}")
    if tuple(old_grid) == tuple(new_grid):
        return table
    width = table.shape[2]
    if is_fixed(table):
        return sinusoid(math.prod(new_grid), width).to(table)
    # [1, N, C] -> [t, C, h, w] in float32: bicubic is not there for every type
    grid = table.float().reshape(*old_grid, width).permute(0, 3, 1, 2)
    if old_grid[1:] != new_grid[1:]:
        grid = F.interpolate(grid, size=new_grid[1:], mode="bicubic", align_corners=False)
    if old_grid[0] != new_grid[0]:
        # [t, C, h, w] -> [1, C*h*w, t] -> [t', C, h, w]
        line = grid.flatten(1).T.unsqueeze(0)
        line = F.interpolate(line, size=new_grid[0], mode="linear", align_corners=False)
        grid = line[0].T.reshape(new_grid[0], width, *new_grid[1:])
    return grid.permute(0, 2, 3, 1).reshape(1, -1, width).to(table.dtype)


def _told(grid: Grid) -> str:
    return " x ".join(map(str, grid))
