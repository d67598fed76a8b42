import pytest
import torch

from mmpmg.models.maskers import FrameMasker, RandomMasker, SlotRandomMasker, TubeMasker

GRID = (8, 14, 14)
SEEDS = torch.arange(512)


@pytest.mark.parametrize(
    ("masker", "expected"),
    [
        # Counts of the authors' script: int(ratio * 196) places, the same in 8 slots.
        (TubeMasker(0.9), 176 * 8),
        (TubeMasker(0.75), 147 * 8),
        (RandomMasker(0.75), 1176),
        (RandomMasker(0.9), 1411),
        (SlotRandomMasker(0.9), 176 * 8),
        (FrameMasker(0.75), 6 * 196),
        (FrameMasker(0.9), 7 * 196),
    ],
)
def test_every_sample_has_exactly_k_masked(masker, expected):
    mask = masker(SEEDS, GRID)
    assert mask.dtype == torch.bool and mask.shape == (512, 1568)
    assert masker.num_masked(GRID) == expected
    assert (mask.sum(1) == expected).all()


def test_tube_masks_the_same_places_in_every_slot():
    mask = TubeMasker(0.9)(SEEDS, GRID).view(512, 8, 196)
    assert (mask == mask[:, :1]).all()


def test_frame_masks_whole_slots():
    mask = FrameMasker(0.5)(SEEDS, GRID).view(512, 8, 196)
    assert (mask == mask[:, :, :1]).all()


def test_random_masks_differ_between_slots():
    mask = RandomMasker(0.75)(SEEDS, GRID).view(512, 8, 196)
    assert (mask != mask[:, :1]).any(2)[:, 1:].all()


@pytest.mark.parametrize("ratio", [0.75, 0.9])
def test_slots_are_masked_at_one_ratio_at_places_of_their_own(ratio):
    mask = SlotRandomMasker(ratio)(SEEDS, GRID).view(512, 8, 196)
    assert (mask.sum(2) == int(ratio * 196)).all()
    assert (mask != mask[:, :1]).any(2)[:, 1:].all()
    # Independent slots share a place as often as chance has it.
    both = float((mask[:, 0] & mask[:, 1]).float().mean())
    assert abs(both - (int(ratio * 196) / 196) ** 2) < 0.005
    spread = RandomMasker(ratio)(SEEDS, GRID).view(512, 8, 196).sum(2)
    assert spread.unique().numel() > 1, "over the whole clip the share of a slot varies"


MASKERS = [TubeMasker(0.75), RandomMasker(0.75), SlotRandomMasker(0.75), FrameMasker(0.75)]


@pytest.mark.parametrize("masker", MASKERS)
def test_every_token_is_masked_equally_often(masker):
    share = masker(torch.arange(4000), (4, 4, 4)).float().mean(0)
    exact = masker.num_masked((4, 4, 4)) / 64
    assert (share - exact).abs().max() < 5 * (exact * (1 - exact) / 4000) ** 0.5


def test_a_mask_depends_on_its_seed_alone():
    masker = TubeMasker(0.75)
    mask = masker(SEEDS, GRID)
    assert torch.equal(mask[100:101], masker(SEEDS[100:101], GRID))
    assert len({tuple(row.tolist()) for row in mask}) == 512


@pytest.mark.parametrize("ratio", [0, 1, -0.1, 1.5])
def test_ratio_outside_the_open_interval(ratio):
    with pytest.raises(ValueError, match="model.masker.mask_ratio"):
        TubeMasker(ratio)


def test_ratio_that_masks_nothing_on_this_grid():
    with pytest.raises(ValueError, match=r"masks 0 of the 4 units"):
        FrameMasker(0.2)(SEEDS, (4, 4, 4))
