from __future__ import annotations

import numpy as np
import pytest

from mmpmg.visualization import hide_masked, overlay_mask, pixel_mask
from mmpmg.visualization.masks import TINT

TOKEN = (2, 4, 8)
GRID = (3, 2, 3)
SHAPE = (6, 8, 24)


def masked_pixels_by_loops(mask: np.ndarray) -> np.ndarray:
    hidden = np.zeros(SHAPE, dtype=bool)
    number = 0
    for t in range(GRID[0]):
        for h in range(GRID[1]):
            for w in range(GRID[2]):
                if mask[number]:
                    for k in range(2):
                        for y in range(4):
                            for x in range(8):
                                hidden[t * 2 + k, h * 4 + y, w * 8 + x] = True
                number += 1
    return hidden


@pytest.fixture
def clip() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(5))
def test_pixel_mask_agrees_with_loops(seed: int) -> None:
    mask = np.random.default_rng(seed).random(18) < 0.6
    np.testing.assert_array_equal(pixel_mask(mask, SHAPE, TOKEN), masked_pixels_by_loops(mask))


@pytest.mark.parametrize("draw", [overlay_mask, hide_masked])
def test_exactly_the_masked_tokens_change(draw, clip: np.ndarray) -> None:
    # Saturated colours: none of them is the veil's own colour or grey.
    clip[..., 0], clip[..., 2] = 255, 0
    before = clip.copy()
    mask = np.random.default_rng(1).random(18) < 0.5
    changed = (draw(clip, mask, TOKEN) != before).any(axis=3)
    np.testing.assert_array_equal(changed, masked_pixels_by_loops(mask))
    np.testing.assert_array_equal(clip, before)


def test_the_frame_shines_through_the_veil() -> None:
    dark, bright = (np.full((*SHAPE, 3), level, dtype=np.uint8) for level in (0, 255))
    everything = np.ones(18, dtype=bool)
    difference = overlay_mask(bright, everything, TOKEN).astype(int) - overlay_mask(
        dark, everything, TOKEN
    )
    assert difference.min() > 30
    # In between, tinted: blue above red, as TINT is.
    assert TINT[2] > TINT[0]
    grey = overlay_mask(np.full((*SHAPE, 3), 128, np.uint8), everything, TOKEN)
    assert (grey[..., 2] > grey[..., 0]).all()


def test_hidden_tokens_tell_nothing(clip: np.ndarray) -> None:
    mask = np.random.default_rng(2).random(18) < 0.5
    other = clip.copy()
    other[pixel_mask(mask, SHAPE, TOKEN)] = 7
    np.testing.assert_array_equal(hide_masked(clip, mask, TOKEN), hide_masked(other, mask, TOKEN))


@pytest.mark.parametrize(("tokens", "token"), [(17, TOKEN), (18, (2, 4, 7))])
def test_a_mask_of_another_grid_is_refused(tokens: int, token: tuple, clip: np.ndarray) -> None:
    with pytest.raises(ValueError, match="does not fit a clip"):
        overlay_mask(clip, np.ones(tokens, dtype=bool), token)
