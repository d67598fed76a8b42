import pytest
import torch
from reference.videomae_reference import running_cell

from mmpmg.models.maskers import RunningCellMasker

SEEDS = torch.arange(64)
GRID = (8, 14, 14)


@pytest.mark.parametrize("grid", [GRID, (4, 7, 5), (3, 4, 6)])
@pytest.mark.parametrize("ratio", [0.25, 0.5, 0.75])
def test_it_is_one_of_the_four_walks(grid, ratio):
    walks = [
        torch.tensor(running_cell(*grid, masked_places=round(4 * ratio), start=start)).flatten()
        for start in range(4)
    ]
    masker = RunningCellMasker(ratio)
    mask = masker(SEEDS, grid)
    found = [[bool((row == walk).all()) for walk in walks].index(True) for row in mask]
    assert set(found) == {0, 1, 2, 3}
    assert (mask.sum(1) == masker.num_masked(grid)).all()


def test_every_place_is_shown_half_of_the_time_whatever_the_seed():
    shown = ~RunningCellMasker(0.5)(SEEDS, GRID).view(64, 8, 196)
    assert (shown.sum(1) == 4).all()
    assert (shown[:, :4].sum(1) == 2).all(), "within four slots"


def test_starts_are_equally_frequent_and_depend_on_the_seed_alone():
    masker = RunningCellMasker(0.5)
    mask = masker(torch.arange(4000), (4, 2, 2))
    counts = torch.unique(mask, dim=0, return_counts=True)[1]
    assert len(counts) == 4
    assert (counts - 1000).abs().max() < 5 * (4000 * 0.25 * 0.75) ** 0.5
    assert torch.equal(mask[17:18], masker(torch.tensor([17]), (4, 2, 2)))


@pytest.mark.parametrize("ratio", [0, 0.3, 1])
def test_a_ratio_that_is_no_share_of_a_cell(ratio):
    with pytest.raises(ValueError, match=r"mask_ratio is 0\.25, 0\.5 or 0\.75"):
        RunningCellMasker(ratio)


def test_a_grid_on_which_samples_would_differ():
    with pytest.raises(ValueError, match=r"\(6, 7, 7\) grid.*num_frames or img_size"):
        RunningCellMasker().num_masked((6, 7, 7))
    counts = {tuple(torch.tensor(running_cell(6, 7, 7, 2, s)).flatten().tolist()) for s in range(4)}
    assert len({sum(row) for row in counts}) > 1, "or the refusal has no reason"
