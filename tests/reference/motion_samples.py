"""Samples with motion maps, as the MotionMap transform packs them."""

from __future__ import annotations

import torch
from mmaction.structures import ActionDataSample


def samples_of(maps: torch.Tensor) -> list[ActionDataSample]:
    """One sample for each (t, h, w) motion map."""
    samples = []
    for motion in maps:
        samples.append(ActionDataSample())
        samples[-1].motion_map = motion.half()
    return samples


def box(grid: tuple[int, int, int], rows: int, columns: int, speed: float = 2.0) -> torch.Tensor:
    """A map in which a box in the corner moves: (t, h, w)."""
    motion = torch.zeros(grid)
    motion[:, :rows, :columns] = speed
    return motion


def random_maps(count: int, grid: tuple[int, int, int], seed: int = 0) -> torch.Tensor:
    """Maps whose slots move from nowhere to everywhere: (count, t, h, w) of 0 and 1."""
    generator = torch.Generator().manual_seed(seed)
    share = torch.rand(count, grid[0], 1, 1, generator=generator) * 1.4 - 0.2
    return (torch.rand(count, *grid, generator=generator) < share).float()
