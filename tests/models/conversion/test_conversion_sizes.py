"""Weights for clips of other sizes: positions computed anew or interpolated, nothing else moves."""

import pytest
import torch
from reference.converted_models import TINY, clips_and_mask, pretrainer, recognizer

from mmpmg.models.conversion import Hints, convert

HINTS = Hints(3, 2, 4, 32)
POSITIONS = "backbone.pos_embed"


@pytest.mark.parametrize("size", [dict(num_frames=8), dict(img_size=48), dict(TINY, num_frames=2)])
def test_fixed_positions_are_those_of_a_model_built_for_these_clips(size):
    size = {**TINY, **size}
    state = pretrainer().state_dict()
    grid = (size["num_frames"] // 2, size["img_size"] // 8, size["img_size"] // 8)
    conversion = convert(state, "pretrainer", hints=HINTS, grid=grid)
    assert conversion.keys("resized") == [POSITIONS]
    larger = pretrainer(**size)
    expected = larger.state_dict()[POSITIONS].clone()
    larger.load_state_dict(conversion.state, strict=True)
    assert torch.equal(conversion.state[POSITIONS], expected)
    others = set(state) - {POSITIONS}
    assert all(torch.equal(conversion.state[key], state[key]) for key in others)
    assert (conversion.sizes.num_frames, conversion.sizes.img_size) == (
        size["num_frames"], size["img_size"]
    )  # fmt: skip


def test_learnt_positions_for_larger_frames_are_those_that_mmaction2_sees_with():
    ours = recognizer("VisionTransformer", use_learnable_pos_emb=True)
    clips, _ = clips_and_mask(4, 48, 72)
    with torch.no_grad():
        expected = ours.backbone(clips)  # resizes its table while it runs
        conversion = convert(ours.state_dict(), "recognizer", hints=HINTS, grid=(2, 6, 6))
        larger = recognizer("VisionTransformer", use_learnable_pos_emb=True, img_size=48)
        larger.load_state_dict(conversion.state, strict=True)
        torch.testing.assert_close(larger.backbone(clips), expected, rtol=1e-5, atol=1e-5)
    assert "learnt, interpolated: 2 x 4 x 4 to 2 x 6 x 6" in conversion.table()


def test_from_a_side_that_computes_positions_they_come_for_the_new_clips():
    there = convert(recognizer().state_dict(), "hf-classification", hints=HINTS)
    back = convert(there.state, "recognizer", hints=HINTS, grid=(4, 4, 4))
    larger = recognizer(num_frames=8)
    assert torch.equal(back.state[POSITIONS], larger.backbone.pos_embed)
    assert POSITIONS in back.keys("missing")
    larger.load_state_dict(back.state, strict=True)
