"""A mask that walks round small cells of places as time goes on (VideoMAE V2, Sec. 3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmpmg.models.token_noise import token_noise
from mmpmg.models.tokens import Grid

CELL = 4


@MODELS.register_module()
class RunningCellMasker(nn.Module):
    """Masks the same share of every 2 x 2 cell, moved on by one place in each time slot.

    Running cell masking (MAR, arXiv 2207.11660), with which VideoMAE V2 (arXiv 2303.16727, Sec. 3)
    chooses what its decoder is spared. The four places of a cell are numbered row by row; in slot t
    the places ``start + t, start + t + 1, ...`` (mod 4) are masked, in all cells alike. So no place
    stays masked: over four slots each is shown ``4 (1 - mask_ratio)`` times. Only ``start`` is
    random; it comes from the sample's seed.

    Args:
        mask_ratio: 0.25, 0.5 or 0.75: one, two or three places of a cell.

    Raises:
        ValueError: Another ratio.
    """

    schedulable = ()
    """Nothing for ``MaskingRatioHook``: a cell of four places has no ratios in between."""

    def __init__(self, mask_ratio: float = 0.5) -> None:
        super().__init__()
        if mask_ratio not in (0.25, 0.5, 0.75):
            raise ValueError(
                f"mask_ratio {mask_ratio} is not a share of a cell of four places; "
                "RunningCellMasker.mask_ratio is 0.25, 0.5 or 0.75"
            )
        self.mask_ratio = mask_ratio

    def num_masked(self, grid: Grid) -> int:
        """K, the tokens masked in every sample on a (t, h, w) grid.

        Raises:
            ValueError: Cells are cut off at the border and time does not make up for it, so the
                number would depend on ``start``.
        """
        t, h, w = grid
        if t % CELL and (h % 2 or w % 2):
            raise ValueError(
                f"RunningCellMasker cannot mask equally many tokens of every sample on the "
                f"(t, h, w) = {grid} grid: it takes a multiple of {CELL} time slots, or even h and "
                "w; change model.backbone.num_frames or img_size, or take a RandomMasker"
            )
        return round(self.mask_ratio * t * h * w)

    def forward(
        self, seeds: Tensor, grid: Grid, samples: Sequence[ActionDataSample] | None = None
    ) -> Tensor:
        """Draw the masks of a batch.

        Args:
            seeds: (B,) int64, one seed per clip, on the device where the mask is wanted.
            grid: (t, h, w) of the tokens.
            samples: The clips' samples, at which this masker does not look.

        Returns:
            (B, N) bool, True = masked, K True in every row.
        """
        t, h, w = (torch.arange(side, device=seeds.device) for side in grid)
        place = 2 * (h % 2).unsqueeze(1) + w % 2  # [h, w], 0 to 3
        steps = token_noise(seeds, 1) % CELL + t  # [B, t]
        offset = (place - steps[:, :, None, None]) % CELL  # [B, t, h, w]
        return (offset < int(CELL * self.mask_ratio)).flatten(1)
