import pytest
import torch
from reference.label_propagation import LiveMemory, shares_by_loops
from torch.nn import functional as F

from mmpmg.models.segmenters.mask_labels import hard_labels, soft_labels


def random_mask(height, width, ids=(0, 1, 3), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.tensor(ids, dtype=torch.uint8)[
        torch.randint(len(ids), (height, width), generator=generator)
    ]


@pytest.mark.parametrize("grid", [(1, 1), (2, 3), (6, 12)])
def test_shares_are_those_of_the_loops(grid):
    mask = random_mask(6, 12)
    found = soft_labels(mask, (1, 3), grid)
    torch.testing.assert_close(found, shares_by_loops(mask, (1, 3), grid))


@pytest.mark.parametrize("size", [(7, 13), (5, 9), (100, 3)])
def test_cells_tile_a_frame_that_is_no_multiple_of_them(size):
    mask = random_mask(*size)
    labels = soft_labels(mask, (1, 3), (5, 3))
    torch.testing.assert_close(labels.sum(1), torch.ones(15))
    for place, number in enumerate((0, 1, 3)):
        share = (mask == number).float().mean()
        torch.testing.assert_close(labels[:, place].mean(), share, msg="pixels were lost")


def test_an_object_smaller_than_a_cell_is_not_lost():
    mask = torch.zeros(16, 16, dtype=torch.uint8)
    mask[9, 3] = 7
    labels = soft_labels(mask, (7,), (2, 2))
    assert labels[:, 1].tolist() == [0, 0, 1 / 64, 0]
    assert not hard_labels(labels, (7,), (2, 2), (16, 16)).any(), "it never fills half a cell"
    rescaled = hard_labels(labels, (7,), (2, 2), (16, 16), rescale=True)
    assert set(rescaled[8:, :8].unique().tolist()) == {0, 7}


def test_an_object_of_one_cell_stays_in_it():
    mask = torch.zeros(24, 24, dtype=torch.uint8)
    mask[8:16, 8:16] = 2
    found = hard_labels(soft_labels(mask, (2,), (3, 3)), (2,), (3, 3), (24, 24))
    assert found[10:14, 10:14].eq(2).all()
    assert not found[mask == 0].any()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_straight_edge_between_cells_comes_back_exactly(axis):
    mask = torch.zeros(24, 24, dtype=torch.uint8)
    mask[:, 8:] = 1
    mask = mask if axis else mask.T.contiguous()
    found = hard_labels(soft_labels(mask, (1,), (3, 3)), (1,), (3, 3), (24, 24))
    assert found.equal(mask)


def test_ids_come_back_as_they_were():
    mask = torch.zeros(16, 32, dtype=torch.uint8)
    mask[:, 8:16], mask[:, 16:24], mask[:, 24:] = 200, 5, 255
    ids = (5, 200, 255)
    assert hard_labels(soft_labels(mask, ids, (2, 4)), ids, (2, 4), (16, 32)).equal(mask)


@pytest.mark.parametrize("rounding", [0.0, 1e-7])
def test_rescaling_keeps_an_object_that_fills_the_frame(rounding):
    labels = torch.tensor([[0.0, 1.0], [0.0, 1.0 - rounding], [rounding, 1.0], [0.0, 1.0]])
    found = hard_labels(labels, (4,), (2, 2), (16, 16), rescale=True)
    assert found.unique().tolist() == [4]


@pytest.mark.parametrize("rescale", [False, True])
def test_memory_does_not_grow_with_the_objects(rescale):
    def peak(objects):
        labels = torch.rand(6, 1 + objects, generator=torch.Generator().manual_seed(0))
        ids = tuple(range(1, 1 + objects))
        with LiveMemory() as memory:
            hard_labels(labels, ids, (2, 3), (64, 96), rescale)
        return memory.peak

    assert peak(20) == peak(2)


@pytest.mark.parametrize("rescale", [False, True])
def test_the_largest_of_many_labels_wins(rescale):
    labels = torch.rand(6, 5, generator=torch.Generator().manual_seed(0))
    maps = F.interpolate(labels.T.reshape(1, 5, 2, 3), size=(32, 48), mode="bilinear")[0]
    if rescale:
        low, high = maps.flatten(1).min(1).values, maps.flatten(1).max(1).values
        maps = (maps - low[:, None, None]) / (high - low)[:, None, None]
    expected = torch.tensor([0, 9, 7, 8, 1], dtype=torch.uint8)[maps.argmax(0)]
    assert hard_labels(labels, (9, 7, 8, 1), (2, 3), (32, 48), rescale).equal(expected)


def test_rescaling_leaves_out_what_is_nowhere():
    labels = torch.tensor([[1.0, 0.0, 0.0], [0.7, 0.3, 0.0]])
    assert hard_labels(labels, (1, 2), (1, 2), (4, 8)).unique().tolist() == [0]
    assert hard_labels(labels, (1, 2), (1, 2), (4, 8), rescale=True).unique().tolist() == [0, 1]
