import pytest
import torch

from mmpmg.models.tokens import patchify, split_tokens, token_grid, tokens_at, unpatchify

SHAPE = (2, 4, 4)


@pytest.fixture
def clip():
    return torch.randn(2, 3, 6, 8, 12, generator=torch.Generator().manual_seed(0))


def test_patchify_equals_two_plain_loops(clip):
    tokens = patchify(clip, SHAPE)
    row = 0
    for t in range(3):
        for y in range(2):
            for x in range(3):
                block = clip[:, :, 2 * t : 2 * t + 2, 4 * y : 4 * y + 4, 4 * x : 4 * x + 4]
                pixel = 0
                for dt in range(2):
                    for dy in range(4):
                        for dx in range(4):
                            assert torch.equal(tokens[:, row, pixel], block[:, :, dt, dy, dx])
                            pixel += 1
                row += 1
    assert row == tokens.shape[1] and pixel == tokens.shape[2]


def test_unpatchify_undoes_patchify(clip):
    tokens = patchify(clip, SHAPE)
    assert torch.equal(unpatchify(tokens, (3, 2, 3), SHAPE), clip)
    assert torch.equal(unpatchify(tokens.flatten(2), (3, 2, 3), SHAPE), clip)


def test_tokens_at_picks_the_patchified_tokens(clip):
    index = torch.tensor([[17, 0, 5], [3, 3, 9]])
    expected = torch.stack([patchify(clip, SHAPE)[b][index[b]] for b in range(2)])
    assert torch.equal(tokens_at(clip, index, SHAPE), expected)


def test_split_is_an_ordered_partition():
    mask = torch.tensor([[True, False, True, False, False], [False, True, False, False, True]])
    visible, masked = split_tokens(mask, 2)
    assert visible.tolist() == [[1, 3, 4], [0, 2, 3]]
    assert masked.tolist() == [[0, 2], [1, 4]]


@pytest.mark.parametrize(
    ("size", "key"),
    [((15, 32, 32), "tubelet_size"), ((16, 30, 32), "patch_size"), ((16, 32, 8), "patch_size")],
)
def test_sizes_that_do_not_divide_name_the_key(size, key):
    with pytest.raises(ValueError, match=key):
        token_grid(size, (2, 16, 16))


def test_videomae_grid():
    assert token_grid((16, 224, 224), (2, 16, 16)) == (8, 14, 14)
