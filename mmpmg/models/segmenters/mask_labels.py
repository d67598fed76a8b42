"""From the mask of a frame to soft labels of feature cells, and back."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

BACKGROUND = 0


def soft_labels(mask: Tensor, object_ids: Sequence[int], grid: tuple[int, int]) -> Tensor:
    """Share of every label in every feature cell.

    Cells tile the frame evenly, whether or not the frame is a multiple of them. (Jabri et al. and
    DINO sample the mask, the one bilinearly, the other at one pixel a cell: what is smaller than a
    cell may then be lost. Shares lose nothing.)

    Args:
        mask: (H, W) integer object ids, 0 = background.
        object_ids: The O objects, in the order of the result.
        grid: (h, w) cells.

    Returns:
        (h * w, 1 + O) float32 in [0, 1], background first; every row sums to 1.
    """
    height, width = mask.shape
    rows = _shares(height, grid[0], mask.device)
    columns = _shares(width, grid[1], mask.device)
    # One object at a time: all of them at full size would be the largest thing in memory.
    labels = [
        (rows @ (mask == number).float() @ columns.T).flatten()
        for number in (BACKGROUND, *object_ids)
    ]
    return torch.stack(labels, dim=1)


def hard_labels(
    labels: Tensor,
    object_ids: Sequence[int],
    grid: tuple[int, int],
    size: tuple[int, int],
    rescale: bool = False,
) -> Tensor:
    """The most likely label of every pixel.

    Soft labels are enlarged bilinearly, then the largest wins, as Jabri et al. do.

    Args:
        labels: (h * w, 1 + O) soft labels.
        object_ids: The O objects.
        grid: (h, w) cells.
        size: (H, W) of the mask in pixels.
        rescale: Stretch each label to [0, 1] over the frame first, as DINO's evaluation does:
            small objects, which never fill a cell, gain from it; objects that left the frame come
            back as noise. A label that is the same everywhere stays. Jabri et al. leave it off.

    Returns:
        (H, W) uint8 object ids.
    """
    best = torch.full(size, -torch.inf, device=labels.device)
    found = torch.full(size, BACKGROUND, dtype=torch.uint8, device=labels.device)
    # One label at a time: memory does not grow with the objects. Of equal ones the first wins.
    for label, number in zip(labels.T, (BACKGROUND, *object_ids), strict=True):
        share = F.interpolate(
            label.reshape(1, 1, *grid), size=size, mode="bilinear", align_corners=False
        )[0, 0]
        if rescale:
            low, high = share.aminmax()
            # What is nowhere, or fills the frame, has nothing to stretch but rounding.
            spread = high - low
            share = torch.where(spread > 1e-6, (share - low) / spread, share)
        found.masked_fill_(share > best, number)
        best = torch.maximum(best, share)
    return found


def _shares(size: int, cells: int, device: torch.device) -> Tensor:
    """(cells, size) share of each pixel in each of the cells that tile a side; rows sum to 1."""
    edges = torch.arange(cells + 1, device=device, dtype=torch.float64) * size / cells
    pixels = torch.arange(size, device=device, dtype=torch.float64)
    inside = torch.minimum(edges[1:, None], pixels + 1) - torch.maximum(edges[:-1, None], pixels)
    return (inside.clamp_min(0) * cells / size).float()
