import pytest
import torch
from reference.flow_guided_masking import density_ratios, slot_ratios

from mmpmg.models.maskers.region_ratios import ratios_by_count, ratios_by_density

PLACES = 64
AREAS = torch.arange(PLACES + 1)
SCHEDULE = [(0.7, 0.3), (0.7, 0.45), (0.7, 0.8), (0.9, 0.8), (0.2, 0.6), (0.7, 1.0)]


def region(area: int) -> list[list[bool]]:
    return [[8 * i + j < area for j in range(8)] for i in range(8)]


@pytest.mark.parametrize(("dense", "spatial"), SCHEDULE)
def test_counts_are_equations_8_to_11(dense, spatial):
    found = ratios_by_count(AREAS, PLACES, dense, 1 - dense, spatial)
    for area in AREAS.tolist():
        act, background, random = slot_ratios(region(area), dense, 1 - dense, spatial)
        assert found.moving[area] == pytest.approx(act, rel=1e-6)
        assert found.background[area] == pytest.approx(background, rel=1e-6)
        assert bool(found.random[area]) == random


@pytest.mark.parametrize(("dense", "spatial"), SCHEDULE)
def test_densities_keep_their_quotient_until_one_is_full(dense, spatial):
    found = ratios_by_density(AREAS, PLACES, dense, 1 - dense, spatial)
    assert found.random.nonzero().flatten().tolist() == [0, PLACES]
    for area in range(1, PLACES):
        act, background = density_ratios(area, PLACES, dense, 1 - dense, spatial * PLACES)
        assert found.moving[area] == pytest.approx(act, abs=1e-5)
        assert found.background[area] == pytest.approx(background, abs=1e-5)


@pytest.mark.parametrize("rule", [ratios_by_count, ratios_by_density])
@pytest.mark.parametrize(("dense", "spatial"), SCHEDULE)
def test_as_many_are_masked_whatever_moves(rule, dense, spatial):
    found = rule(AREAS, PLACES, dense, 1 - dense, spatial)
    masked = found.moving * AREAS + found.background * (PLACES - AREAS)
    torch.testing.assert_close(masked, torch.full_like(masked, spatial * PLACES))
    for ratios in (found.moving, found.background):
        assert ((ratios >= 0) & (ratios <= 1)).all()


def test_counts_guide_between_the_bounds_that_are_documented():
    for spatial, low, high in ((0.3, 0.21, 0.91), (0.46, 0.322, 0.862), (0.8, 0.56, 0.76)):
        areas = torch.arange(1001)
        guided = ~ratios_by_count(areas, 1000, 0.7, 0.3, spatial).random
        assert guided.nonzero().flatten()[[0, -1]].tolist() == [
            pytest.approx(1000 * low, abs=1),
            pytest.approx(1000 * high, abs=1),
        ]


def test_densities_with_equal_weights_are_random():
    found = ratios_by_density(AREAS, PLACES, 0.5, 0.5, 0.45)
    torch.testing.assert_close(found.moving, torch.full((65,), 0.45))
    torch.testing.assert_close(found.background, torch.full((65,), 0.45))


def test_counts_favour_what_moves_below_dense_of_the_places_and_the_rest_above():
    found = ratios_by_count(torch.arange(1001), 1000, 0.7, 0.3, 0.3)
    guided = ~found.random
    denser = (guided & (found.moving > found.background)).nonzero().flatten()
    sparser = (guided & (found.moving < found.background)).nonzero().flatten()
    assert (denser.min(), denser.max()) == (210, 699)
    assert (sparser.min(), sparser.max()) == (701, 910)
    assert not (found.moving < found.background)[:700].any()
    by_density = ratios_by_density(torch.arange(1001), 1000, 0.7, 0.3, 0.3)
    assert (by_density.moving > by_density.background)[1:1000].all()
