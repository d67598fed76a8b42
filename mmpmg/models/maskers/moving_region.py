"""Where something moves, on the grid of the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from mmaction.structures import ActionDataSample
from torch import Tensor
from torch.nn.functional import max_pool3d

from mmpmg.models.data_preprocessors.batch_motion_map import batch_motion_map
from mmpmg.models.tokens import Grid

THRESHOLD = 0.5
"""Pixels per frame. Trackers of 8-bit pixels are wrong by a few tenths where nothing moves."""


def check_threshold(masker: str, threshold: float) -> None:
    """Check a speed from which on something counts as moving.

    Args:
        masker: Name of the masker, for the message.
        threshold: Pixels per frame.

    Raises:
        ValueError: It is not above 0: then what stands still would move.
    """
    if not threshold > 0:
        raise ValueError(
            f"{masker}: threshold={threshold} is no speed above 0 px per frame, so everything "
            f"would move; mend model.masker.threshold, e.g. {THRESHOLD}"
        )


def moving_region(
    seeds: Tensor, grid: Grid, samples: Sequence[ActionDataSample] | None, threshold: float
) -> Tensor:
    """Threshold the samples' motion maps: V of Eq. 7 and 10 as a binary map.

    A token moves where any cell of the map inside it does, so a map of 8 x 8 pixel cells, as the
    Swin encoder needs it, serves a ViT's 16 x 16 tokens.

    Args:
        seeds: (B,), of the clips, on the device where the region is wanted.
        grid: (t, h, w) of the tokens.
        samples: The clips' samples, with the ``motion_map`` that the ``MotionMap`` transform made.
        threshold: Displacement in pixels per frame, > 0, from which on a cell counts as moving.

    Returns:
        (B, t, h * w) bool.

    Raises:
        ValueError: A sample has no map, or the maps are not of the clips or of the grid.
    """
    motion = batch_motion_map(samples, seeds.device)
    if len(motion) != len(seeds):
        raise ValueError(
            f"{len(motion)} motion maps for {len(seeds)} clips; the MotionMap transform makes one "
            "for each clip of a sample, so put it behind whatever multiplies or picks clips"
        )
    cells = (motion.shape[1], motion.shape[2], motion.shape[3])
    if any(have < want or have % want for have, want in zip(cells, grid, strict=True)):
        slot, side = (Fraction(cells[k], grid[k]) for k in (0, 1))
        raise ValueError(
            f"a motion map of (t, h, w) = {cells} cells on the (t, h, w) = {tuple(grid)} grid of "
            "the tokens: a token must hold whole cells; set MotionMap's frames and cell in the "
            "pipeline to the frames and pixels of a token, or to whole fractions of them: here "
            f"to {slot} times MotionMap.frames and {side} times MotionMap.cell"
        )
    t, h, w = (have // want for have, want in zip(cells, grid, strict=True))
    if (t, h, w) != (1, 1, 1):
        motion = max_pool3d(motion.unsqueeze(1), (t, h, w)).squeeze(1)
    return motion.flatten(2) >= threshold
