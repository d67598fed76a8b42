"""Maskers that know nothing of the clip: tube, random and frame masking (VideoMAE, Sec. 3).

MotionMAE draws at random in each time slot.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmpmg.models.token_noise import token_noise
from mmpmg.models.tokens import Grid


class UniformMasker(nn.Module, ABC):
    """Masks exactly K of N tokens, drawn from each sample's own seed.

    A masker draws whole units (a place, a token, a time slot), ``int(ratio * units)`` of them, as
    the authors' code does.

    Args:
        mask_ratio: Share of units to mask, in (0, 1). At least one unit must be masked and one
            left visible on the grid it is used on.
    """

    schedulable = ("mask_ratio",)
    """What ``MaskingRatioHook`` may drive."""

    def __init__(self, mask_ratio: float = 0.75) -> None:
        super().__init__()
        if not 0 < mask_ratio < 1:
            raise ValueError(
                f"mask_ratio {mask_ratio} is outside (0, 1): something must be masked and "
                "something visible; mend model.masker.mask_ratio in the recipe"
            )
        self.mask_ratio = mask_ratio

    @abstractmethod
    def units(self, grid: Grid) -> int:
        """How many units there are to draw from on a (t, h, w) grid."""

    @abstractmethod
    def spread(self, units: Tensor, grid: Grid) -> Tensor:
        """Turn a (B, draws * units) choice into a (B, N) mask in (t, h, w) order."""

    def draws(self, grid: Grid) -> int:
        """How often is drawn, each time from that many units of its own: once."""
        return 1

    def num_masked_units(self, grid: Grid) -> int:
        """Units masked at each draw: ``int(mask_ratio * units)``.

        Raises:
            ValueError: The ratio masks nothing or everything on this grid.
        """
        units = self.units(grid)
        count = int(self.mask_ratio * units)
        if not 0 < count < units:
            raise ValueError(
                f"mask_ratio {self.mask_ratio} masks {count} of the {units} units that "
                f"{type(self).__name__} draws from on the (t, h, w) = {grid} grid; use a ratio in "
                f"[{1 / units:.4g}, 1) for model.masker.mask_ratio or another masker"
            )
        return count

    def check(self, grid: Grid) -> None:
        """Refuse a ratio that masks nothing or everything; raises as `num_masked_units` does."""
        self.num_masked_units(grid)

    def num_masked(self, grid: Grid) -> int:
        """K, the tokens masked in every sample on a (t, h, w) grid."""
        t, h, w = grid
        return self.num_masked_units(grid) * t * h * w // self.units(grid)

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
        draws, units = self.draws(grid), self.units(grid)
        noise = token_noise(seeds, draws * units).unflatten(1, (draws, units))
        drawn = noise.argsort(dim=2)[..., : self.num_masked_units(grid)]
        chosen = torch.zeros_like(noise, dtype=torch.bool).scatter_(2, drawn, True)
        return self.spread(chosen.flatten(1), grid)


@MODELS.register_module()
class TubeMasker(UniformMasker):
    """The same places are masked in every time slot, so nothing can be copied from a neighbour.

    VideoMAE, Sec. 3.3. On 8 x 14 x 14 tokens a ratio of 0.9 masks 176 of 196 places, 0.75 masks
    147.
    """

    def units(self, grid: Grid) -> int:
        """Places in one time slot: h * w."""
        return grid[1] * grid[2]

    def spread(self, units: Tensor, grid: Grid) -> Tensor:
        """[B, h*w] -> [B, t*h*w], the same in every slot."""
        return units.repeat(1, grid[0])


@MODELS.register_module()
class RandomMasker(UniformMasker):
    """Every token is drawn on its own, from all of the clip."""

    def units(self, grid: Grid) -> int:
        """Tokens: t * h * w."""
        return grid[0] * grid[1] * grid[2]

    def spread(self, units: Tensor, grid: Grid) -> Tensor:
        """The choice is the mask."""
        return units


@MODELS.register_module()
class SlotRandomMasker(UniformMasker):
    """Places are drawn anew in every time slot, equally many in each.

    MotionMAE, Sec. 3: "we randomly mask the patches at each time point of a video clip at a fixed
    ratio". On 8 x 14 x 14 tokens a ratio of 0.9 masks 176 of 196 places in each slot.
    """

    def units(self, grid: Grid) -> int:
        """Places in one time slot: h * w."""
        return grid[1] * grid[2]

    def draws(self, grid: Grid) -> int:
        """Time slots: t."""
        return grid[0]

    def spread(self, units: Tensor, grid: Grid) -> Tensor:
        """The choices, slot after slot, are the mask."""
        return units


@MODELS.register_module()
class FrameMasker(UniformMasker):
    """Whole time slots are masked."""

    def units(self, grid: Grid) -> int:
        """Time slots: t."""
        return grid[0]

    def spread(self, units: Tensor, grid: Grid) -> Tensor:
        """[B, t] -> [B, t*h*w], all places of a slot alike."""
        return units.repeat_interleave(grid[1] * grid[2], dim=1)
