"""Positions of other grids: made anew where they are a formula, interpolated where learnt."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import init_default_scope
from torch import Tensor
from torch.nn import functional as F

from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.conversion.positions import resize_positions

OLD = (3, 4, 5)


def learnt(grid: tuple[int, int, int] = OLD, width: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(1, grid[0] * grid[1] * grid[2], width, generator=generator)


def formula(tokens: int, width: int) -> Tensor:
    """VideoMAE's table, number by number."""
    table = torch.zeros(tokens, width, dtype=torch.float64)
    for position in range(tokens):
        for j in range(width):
            angle = torch.tensor(position / 10000 ** (2 * (j // 2) / width), dtype=torch.float64)
            table[position, j] = angle.cos() if j % 2 else angle.sin()
    return table.float().unsqueeze(0)


def test_equal_grids_change_no_bit():
    table = learnt()
    assert resize_positions(table, OLD, OLD) is table


@pytest.mark.parametrize("new", [(3, 6, 7), (5, 4, 5), (6, 2, 9), (1, 3, 3)])
def test_a_learnt_table_is_bicubic_in_space_and_linear_in_time(new):
    table = learnt()
    slots = table.reshape(*OLD, 6)
    slots = torch.stack([
        F.interpolate(slot.permute(2, 0, 1)[None], size=new[1:], mode="bicubic")[0]
        for slot in slots
    ])  # fmt: skip
    expected = torch.empty(new[0], *slots.shape[1:])
    for k in range(new[0]):  # centres of slots, as align_corners=False has them
        place = min(max((k + 0.5) * OLD[0] / new[0] - 0.5, 0), OLD[0] - 1)
        low = int(place)
        high = min(low + 1, OLD[0] - 1)
        expected[k] = slots[low] + (place - low) * (slots[high] - slots[low])
    expected = expected.permute(0, 2, 3, 1).reshape(1, -1, 6)
    torch.testing.assert_close(resize_positions(table, OLD, new), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_learnt_table_in_half_precision_is_computed_in_float32_and_stays_half(dtype):
    table, new = learnt().to(dtype), (5, 6, 7)
    found = resize_positions(table, OLD, new)
    assert found.dtype == dtype
    assert torch.equal(found, resize_positions(table.float(), OLD, new).to(dtype))


def test_a_table_that_rises_evenly_in_time_still_does():
    table = torch.arange(4.0).reshape(4, 1).expand(4, 6).reshape(1, 24, 1)  # grid 4 x 2 x 3
    found = resize_positions(table, (4, 2, 3), (8, 2, 3)).reshape(8, 6)
    rise = found.diff(dim=0)
    assert torch.allclose(rise[1:-1], torch.full_like(rise[1:-1], 0.5))
    assert found.min() == 0
    assert found.max() == 3


def test_the_one_slot_of_an_image_is_repeated():
    table = learnt((1, 4, 5))
    assert torch.equal(resize_positions(table, (1, 4, 5), OLD), table.repeat(1, 3, 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_fixed_table_is_made_anew(dtype):
    old, new = (2, 3, 3), (4, 3, 5)
    found = resize_positions(formula(18, 8).to(dtype), old, new)
    assert found.dtype == dtype
    torch.testing.assert_close(found, formula(60, 8).to(dtype), rtol=0, atol=1e-3)


def test_converting_first_gives_what_the_encoder_computes_for_larger_frames():
    init_default_scope("mmaction")
    sizes = dict(num_frames=4, patch_size=8, embed_dims=24, depth=1, num_heads=3)
    small = MaskedVisionTransformer(img_size=32, **sizes).eval()
    small.pos_embed.copy_(learnt((2, 4, 4), 24))
    large = MaskedVisionTransformer(img_size=48, **sizes).eval()
    state = small.state_dict()
    state["pos_embed"] = resize_positions(state["pos_embed"], (2, 4, 4), (2, 6, 6))
    large.load_state_dict(state)
    clip = torch.randn(1, 3, 4, 48, 48)
    with torch.no_grad():
        torch.testing.assert_close(large(clip), small(clip), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "old", "new", "words"),
    [((1, 59, 6), OLD, OLD, r"\(1, 59, 6\).*3 x 4 x 5.*\(1, 60, width\)"),
     ((60, 6), OLD, OLD, "shape"), ((1, 60, 6), OLD, (0, 4, 5), "at least 1: .* 0 x 4 x 5")],
)  # fmt: skip
def test_what_is_no_table_of_the_grid_is_refused(shape, old, new, words):
    with pytest.raises(ValueError, match=words):
        resize_positions(torch.zeros(shape), old, new)
