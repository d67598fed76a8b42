"""How much is masked where something moves, and how much where nothing does (DEMVM, Sec. 3.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class RegionRatios(NamedTuple):
    """Masking ratios of the moving region and of the background, one of each a time slot."""

    moving: Tensor
    """(..., ) float32, P_act: share of the moving region that is masked."""
    background: Tensor
    """(..., ) float32, P_bg: share of the rest."""
    random: Tensor
    """(..., ) bool: the region plays no part, both ratios are P_spa."""


def ratios_by_count(
    area: Tensor, places: int, dense: float, sparse: float, spatial: float
) -> RegionRatios:
    """Equations 8 to 11: of ``spatial * places``, the share ``dense`` lies in the moving region.

    Where a ratio passes 1, both become ``spatial``, as the paper has it: "limited number of
    patches causes an exception". An empty region is the extreme of that, so a slot without motion
    and one in which everything moves are masked at random. A slot is guided if its moving share a
    of the places obeys ``dense * spatial <= a <= 1 - sparse * spatial``: with .7 and .3, 21 to 91 %
    at a spatial ratio of .3, 32 to 86 % at .46 (where ten epochs of a schedule of 100 end), and 56
    to 76 % at .8.

    The counts are fixed, not the densities, so the moving region is the denser one only while it
    is smaller than ``dense`` of the places. Above that, as under a camera that moves, its share of
    the masked tokens is less than its share of the places, and the background is the denser one:
    at a = 80 % and a spatial ratio of .3 these are 26 and 45 %. `ratios_by_density` has neither.

    Args:
        area: (...,) integers, places of the moving region.
        places: Places in a slot, h * w.
        dense: P_den in (0, 1).
        sparse: P_spr = 1 - P_den.
        spatial: P_spa in (0, 1].
    """
    area = area.float()
    # Tensors both: of a number and a tensor torch multiplies by the inverse, which may exceed 1.
    moving = area.new_full((), dense * spatial * places) / area  # of nothing: infinite
    background = area.new_full((), sparse * spatial * places) / (places - area)
    random = (moving > 1) | (background > 1)
    return RegionRatios(
        moving.masked_fill(random, spatial), background.masked_fill(random, spatial), random
    )


def ratios_by_density(
    area: Tensor, places: int, dense: float, sparse: float, spatial: float
) -> RegionRatios:
    """Not from the paper: ratios that stand to one another as ``dense`` to ``sparse``.

    P_act : P_bg = P_den : P_spr, and P_act |V| + P_bg (HW - |V|) = P_spa HW, so that as many places
    are masked as by `ratios_by_count`, and every place of a small region is masked more often
    whatever the region's size. A ratio that would pass 1 is 1, and what it lacks is masked in the
    other region. With P_den = P_spr, or where one region is empty, this is random masking.

    Args:
        area: (...,) integers, places of the moving region.
        places: Places in a slot, h * w.
        dense: P_den in (0, 1).
        sparse: P_spr = 1 - P_den.
        spatial: P_spa in (0, 1].
    """
    random = (area == 0) | (area == places)
    area = area.float()
    rest, total = places - area, spatial * places
    moving = (area.new_full((), dense * total) / (dense * area + sparse * rest)).clamp(max=1)
    background = ((total - moving * area) / rest.clamp(min=1)).clamp(0, 1)
    moving = ((total - background * rest) / area.clamp(min=1)).clamp(0, 1)
    return RegionRatios(
        moving.masked_fill(random, spatial), background.masked_fill(random, spatial), random
    )


def shares_of_slots(ratios: RegionRatios) -> Tensor:
    """Return (3,) float32: the shares of slots that are what `SHARES` names, on their device."""
    guided = ratios.moving > ratios.background
    turned = ratios.moving < ratios.background
    return torch.stack([guided, ~(guided | turned), turned]).flatten(1).float().mean(1)


SHARES = ("guided", "random", "reversed")
"""The moving region is masked more than the rest, as much as the rest, less than the rest."""

RULES = {"counts": ratios_by_count, "densities": ratios_by_density}
"""Name in a recipe (``model.masker.ratios``) -> what computes the two ratios."""


def check_dense(masker: str, dense: float, sparse: float) -> None:
    """Check P_den and P_spr.

    Args:
        masker: Name of the masker, for the message.
        dense: P_den.
        sparse: P_spr.

    Raises:
        ValueError: Outside (0, 1), or their sum is not 1.
    """
    if not (0 < dense < 1 and 0 < sparse < 1 and abs(dense + sparse - 1) < 1e-6):
        cure = f"e.g. model.masker.dense={DENSE} model.masker.sparse={round(1 - DENSE, 6)}"
        if 0 < dense < 1:
            cure = f"so with model.masker.dense={dense} set model.masker.sparse={1 - dense:.6g}"
        raise ValueError(
            f"{masker}: dense={dense} and sparse={sparse}: both lie in (0, 1) and their sum is 1, "
            f"{cure}"
        )


DENSE = 0.7
"""The paper's best P_den (Table 6)."""
