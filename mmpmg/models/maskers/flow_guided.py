"""Maskers that hide more where something moves: flow-guided masking (DEMVM, Sec. 3.2).

``FlowGuidedDenseMasker`` is the paper's, for encoders that keep masked positions (Swin).
``FlowGuidedMasker`` hides exactly K tokens of every sample, for encoders that drop them (ViT).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmpmg.models.maskers.moving_region import THRESHOLD, check_threshold, moving_region
from mmpmg.models.maskers.region_ratios import (
    RULES,
    RegionRatios,
    check_dense,
    ratios_by_density,
    shares_of_slots,
)
from mmpmg.models.maskers.uniform import UniformMasker
from mmpmg.models.token_noise import token_noise
from mmpmg.models.tokens import Grid


@MODELS.register_module()
class FlowGuidedDenseMasker(nn.Module):
    """Flow-guided dense masking: Bernoulli draws at one ratio for what moves, another for the rest.

    In each time slot Eq. 8 to 11 give the two ratios, and Eq. 12 to 14 draw with them. So
    ``spatial_ratio`` of a slot is masked on average, whatever moves in it. Where the paper is
    silent or contradicts itself:

    - ``dense == sparse``: Eq. 8 to 11 would split the masked tokens half and half, also between
      regions of different size. Sec. 4.3 and Fig. 4 say that this "degenerates to the normal
      random mask", so it does: every token at ``spatial_ratio``. No motion map is needed then.
    - Slots: Eq. 14 "is randomly selected with P_tmp as the ratio on the time frame sequence".
      ``temporal_ratio * t`` of the t slots are masked, drawn without replacement; what is left of
      a whole slot is masked with that probability, so the share is exact on average and a clip has
      the same number of masked slots as any other, give or take one.
    - A clip in which the draws mask nothing: its likeliest token in a masked slot is masked, as the
      loss is divided by their number.
    - ``rand <= P`` of Eq. 12 is ``rand < P`` on numbers from [0, 1): a ratio of 0 masks nothing.
    - ``threshold``: the paper's V is the upsampled flow, which Eq. 10 and 12 use as a binary map.

    With ``ratios="counts"`` (the paper) the moving region is the denser one in slots of which
    between ``dense * spatial_ratio`` and ``dense`` moves; smaller ones fall back to random masking,
    in larger ones the rest is denser, see `region_ratios.ratios_by_count`. With
    ``ratios="densities"`` (ours) it is denser in every slot in which some but not all moves.
    ``tools/benchmark.py masking`` prints both tables, and how often our own motions are which.

    Args:
        dense: P_den in (0, 1), weight of the moving region; .7 is best in Table 6.
        sparse: P_spr = 1 - P_den, weight of the rest. Below ``dense``, motion is masked more.
        spatial_ratio: P_spa in (0, 1], share of a slot's tokens to mask. The default is the
            paper's last; ``MaskingRatioHook`` drives it.
        temporal_ratio: P_tmp in (0, 1], share of slots to mask; at least one is.
        threshold: Displacement in pixels per frame, > 0, from which on a token counts as moving.
            The default is above what trackers are wrong by where nothing moves.
        ratios: How the two ratios follow from the region's size: "counts" or "densities".

    Raises:
        ValueError: An option outside its range.
    """

    schedulable = ("spatial_ratio", "temporal_ratio")
    """What ``MaskingRatioHook`` may drive."""

    def __init__(
        self,
        dense: float = 0.7,
        sparse: float = 0.3,
        spatial_ratio: float = 0.8,
        temporal_ratio: float = 0.9,
        threshold: float = THRESHOLD,
        ratios: str = "counts",
    ) -> None:
        super().__init__()
        check_dense(type(self).__name__, dense, sparse)
        check_threshold(type(self).__name__, threshold)
        if ratios not in RULES:
            raise ValueError(
                f"ratios {ratios!r} is unknown; model.masker.ratios is one of {', '.join(RULES)}"
            )
        self.dense, self.sparse = dense, sparse
        self.spatial_ratio, self.temporal_ratio = spatial_ratio, temporal_ratio
        self.threshold = threshold
        self.ratios = ratios
        self.shares: Tensor | None = None  # of the last batch, see shares_of_slots
        self.check((1, 1, 1))

    def check(self, grid: Grid) -> None:
        """Refuse ratios outside their range; those inside it fit any grid.

        Raises:
            ValueError: A ratio outside (0, 1].
        """
        for name in self.schedulable:
            value = getattr(self, name)
            if not 0 < value <= 1:
                raise ValueError(
                    f"{name} {value} is outside (0, 1]: something must be masked; mend "
                    f"model.masker.{name} in the recipe"
                )

    def guide(
        self, seeds: Tensor, grid: Grid, samples: Sequence[ActionDataSample] | None
    ) -> tuple[Tensor, RegionRatios]:
        """Say where something moves, and at which ratios each slot is drawn.

        Args:
            seeds: (B,), of the clips, on the device where this is wanted.
            grid: (t, h, w) of the tokens.
            samples: The clips' samples, with their motion maps.

        Returns:
            (B, t, h * w) bool, True = moving, and the ratios, (B, t) each; the mean of their
            ``random`` is the share of slots that fell back to random masking.
        """
        moving = moving_region(seeds, grid, samples, self.threshold)
        rule, places = RULES[self.ratios], grid[1] * grid[2]
        return moving, rule(moving.sum(2), places, self.dense, self.sparse, self.spatial_ratio)

    def forward(
        self, seeds: Tensor, grid: Grid, samples: Sequence[ActionDataSample] | None = None
    ) -> Tensor:
        """Draw the masks of a batch.

        Args:
            seeds: (B,) int64, one seed per clip, on the device where the mask is wanted.
            grid: (t, h, w) of the tokens.
            samples: The clips' samples, with the ``motion_map`` that ``MotionMap`` made.

        Returns:
            (B, N) bool, True = masked, at least one True in every row; their number varies.

        Raises:
            ValueError: A sample has no motion map, or one that does not fit the grid.
        """
        t, places = grid[0], grid[1] * grid[2]
        noise = token_noise(seeds, t * places + t + 1)
        draws, slots, last = _unit(noise).split((t * places, t, 1), dim=1)
        if self.dense == self.sparse:
            probability = draws.new_full((len(seeds), t, places), self.spatial_ratio)
        else:
            moving, ratios = self.guide(seeds, grid, samples)
            self.shares = shares_of_slots(ratios)
            probability = torch.where(
                moving, ratios.moving.unsqueeze(2), ratios.background.unsqueeze(2)
            )
        # Whole slots, and one more with the probability of what is left of one.
        whole = int(self.temporal_ratio * t)
        count = (whole + (last < self.temporal_ratio * t - whole).int()).clamp(min=1)
        masked = slots.argsort(dim=1, stable=True).argsort(dim=1) < count
        margin = draws - probability.masked_fill(~masked.unsqueeze(2), -1.0).flatten(1)
        # The least is below 0 already wherever anything is masked: this masks one where nothing is.
        return (margin < 0).scatter(1, margin.argmin(dim=1, keepdim=True), True)


@MODELS.register_module()
class FlowGuidedMasker(UniformMasker):
    """Shows fewer tokens of what moves than of the rest, and masks exactly K in every sample.

    Not from the paper, whose encoder keeps masked positions: flow guidance for encoders that only
    get what is visible, such as VideoMAE's and MotionMAE's. What they get is drawn, so the weights
    are those of the visible tokens: a moving token is visible with probability v_act, another with
    v_bg, where::

        v_act : v_bg = sparse : dense,    v_act |V| + v_bg (N - |V|) = N - K.

    At .9 and 20 % of moving tokens these are 4.8 and 11.3 %. (Weighing masked tokens by .7 to .3
    would leave nothing of a moving region visible there.) A ratio that would pass 1 is 1, and the
    other region gives the rest.

    The densities are exact: of each sample, ``v_act |V|`` moving tokens are visible, rounded up or
    down by chance so that this is the mean, and all moving tokens are equally likely, as are all
    others. Where nothing or everything moves, or ``dense == sparse``, the mask is bit for bit that
    of ``RandomMasker`` ("token") or ``TubeMasker`` ("place") of the same seed.

    Args:
        mask_ratio: Share of units to mask, in (0, 1), as in the other maskers.
        dense: Weight of the moving region, in (0, 1).
        sparse: Weight of the rest, 1 - ``dense``. With equal weights no motion map is needed.
        threshold: Displacement in pixels per frame, > 0, from which on a token counts as moving.
        units: "token": every token is drawn on its own. "place": the same places are masked in
            every slot, as VideoMAE's tubes, so that nothing can be copied from a neighbour in time;
            a place moves where it does so in any slot.

    Raises:
        ValueError: An option outside its range.
    """

    def __init__(
        self,
        mask_ratio: float = 0.75,
        dense: float = 0.7,
        sparse: float = 0.3,
        threshold: float = THRESHOLD,
        units: str = "token",
    ) -> None:
        super().__init__(mask_ratio)
        check_dense(type(self).__name__, dense, sparse)
        check_threshold(type(self).__name__, threshold)
        if units not in ("token", "place"):
            raise ValueError(
                f"units {units!r} is unknown; model.masker.units is one of token, place"
            )
        self.dense, self.sparse = dense, sparse
        self.threshold = threshold
        self.tubes = units == "place"

    def units(self, grid: Grid) -> int:
        """Tokens, or places in one time slot."""
        return grid[1] * grid[2] * (1 if self.tubes else grid[0])

    def spread(self, units: Tensor, grid: Grid) -> Tensor:
        """Places [B, h*w] become tubes [B, t*h*w]; tokens are the mask."""
        return units.repeat(1, grid[0]) if self.tubes else units

    def forward(
        self, seeds: Tensor, grid: Grid, samples: Sequence[ActionDataSample] | None = None
    ) -> Tensor:
        """Draw as `UniformMasker.forward` does, but look at the samples' ``motion_map``.

        Raises:
            ValueError: A sample has no motion map, or one that does not fit the grid.
        """
        if self.dense == self.sparse:
            return super().forward(seeds, grid, samples)
        moving = moving_region(seeds, grid, samples, self.threshold)
        moving = moving.any(1) if self.tubes else moving.flatten(1)
        units = moving.shape[1]
        masked = self.num_masked_units(grid)
        area = moving.sum(1, keepdim=True)
        shown = ratios_by_density(area, units, self.sparse, self.dense, (units - masked) / units)
        noise = token_noise(seeds, units + 1)
        expected = shown.moving * area
        count = expected.floor() + (_unit(noise[:, units:]) < expected.frac())
        # Within one of it already; rounding must not show more than there are.
        lost = (units - masked - (units - area)).clamp(min=0)
        visible = count.long().clamp(min=lost).minimum(area.clamp(max=units - masked))
        # Moving units first, both regions in the order of the noise, as without regions.
        key = (noise[:, :units] >> 1) + torch.where(moving, -(2**62), 2**62)
        rank = key.argsort(dim=1)
        number = torch.arange(units, device=seeds.device)
        hidden = (number < area - visible) | (
            (number >= area) & (number < area + masked - (area - visible))
        )
        return self.spread(torch.zeros_like(moving).scatter_(1, rank, hidden), grid)


def _unit(noise: Tensor) -> Tensor:
    """Random 64-bit numbers -> float32 from [0, 1), their 24 highest bits."""
    return ((noise >> 40) & 0xFFFFFF).to(torch.float32) * 2.0**-24
