from __future__ import annotations

import numpy as np
import pytest
import torch

from mmpmg.models.targets.pixel import PixelTarget
from mmpmg.visualization import (
    STATISTICS,
    Reconstruction,
    from_visible,
    pixel_mask,
    reconstruction_picture,
)
from mmpmg.visualization.reconstruction import error_frames

TOKEN = (2, 4, 4)
GRID = (2, 3, 4)
SIZE = (4, 12, 16)


@pytest.fixture
def clip() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros(24, dtype=bool)
    mask[np.random.default_rng(1).permutation(24)[:15]] = True
    return mask


def perfect(clip: np.ndarray, mask: np.ndarray, normalize: bool) -> np.ndarray:
    """What the recipes' own target asks of the model."""
    pixels = torch.from_numpy(clip).permute(3, 0, 1, 2)[None] / 255
    masked = torch.from_numpy(np.flatnonzero(mask))[None]
    return PixelTarget(TOKEN, normalize=normalize)(pixels, masked)[0].numpy()


def test_a_perfect_prediction_with_true_statistics_is_the_clip(
    clip: np.ndarray, mask: np.ndarray
) -> None:
    made = Reconstruction(clip, mask, perfect(clip, mask, True), TOKEN).frames("truth")
    assert np.abs(made.astype(int) - clip).max() <= 1


@pytest.mark.parametrize("statistics", STATISTICS)
def test_a_perfect_plain_prediction_is_the_clip_whatever_the_statistics(
    clip: np.ndarray, mask: np.ndarray, statistics: str
) -> None:
    item = Reconstruction(clip, mask, perfect(clip, mask, False), TOKEN, normalized=False)
    assert np.abs(item.frames(statistics).astype(int) - clip).max() <= 1


def test_visible_statistics_read_no_masked_pixel(clip: np.ndarray, mask: np.ndarray) -> None:
    prediction = np.random.default_rng(2).normal(size=(15, 96)).astype(np.float32)
    other = clip.copy()
    hidden = pixel_mask(mask, SIZE, TOKEN)
    other[hidden] = np.random.default_rng(3).integers(0, 256, (hidden.sum(), 3))
    first, second = (Reconstruction(c, mask, prediction, TOKEN) for c in (clip, other))
    np.testing.assert_array_equal(first.frames("visible"), second.frames("visible"))
    # The other kind does read them, or the comparison above would prove nothing.
    assert (first.frames("truth") != second.frames("truth"))[hidden].mean() > 0.5


@pytest.mark.parametrize("statistics", STATISTICS)
def test_visible_tokens_stay_as_they_are(
    clip: np.ndarray, mask: np.ndarray, statistics: str
) -> None:
    made = Reconstruction(clip, mask, np.zeros((15, 96), np.float32), TOKEN).frames(statistics)
    shown = ~pixel_mask(mask, SIZE, TOKEN)
    np.testing.assert_array_equal(made[shown], clip[shown])


def test_zeros_become_flat_patches_of_the_visible_colour(mask: np.ndarray) -> None:
    clip = np.full((*SIZE, 3), 200, dtype=np.uint8)
    clip[pixel_mask(mask, SIZE, TOKEN)] = 10
    made = Reconstruction(clip, mask, np.zeros((15, 96), np.float32), TOKEN).frames()
    assert (made == 200).all()


def test_interpolation_agrees_with_loops_and_keeps_to_the_visible_range(mask: np.ndarray) -> None:
    values = np.random.default_rng(4).random((24, 3)).astype(np.float32)
    places = [(t, h, w) for t in range(2) for h in range(3) for w in range(4)]
    expected = values.copy()
    for i in np.flatnonzero(mask):
        total, weights = np.zeros(3), 0.0
        for j in np.flatnonzero(~mask):
            distance = sum((a - b) ** 2 for a, b in zip(places[i], places[j], strict=True)) ** 0.5
            total += values[j] / distance**4
            weights += 1 / distance**4
        expected[i] = total / weights
    got = from_visible(values, mask, GRID)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    assert (got[mask] >= values[~mask].min(axis=0) - 1e-6).all()
    assert (got[mask] <= values[~mask].max(axis=0) + 1e-6).all()


def test_error_is_black_where_there_is_none_and_grows(clip: np.ndarray) -> None:
    base = np.full((1, 4, 4, 3), 100, dtype=np.uint8)
    levels = [
        int(error_frames(base, base + np.uint8(off)).astype(int).sum()) for off in (0, 20, 60, 128)
    ]
    assert levels[0] <= 4 * 4 * 3 * 3  # the colour map's own black is (0, 0, 3)
    assert levels == sorted(levels)
    assert len(set(levels)) == 4


def test_the_picture_says_which_statistics_it_used(clip: np.ndarray, mask: np.ndarray) -> None:
    item = Reconstruction(clip, mask, perfect(clip, mask, True), TOKEN, loss=0.5, name="Affine")
    plain = Reconstruction(clip, mask, perfect(clip, mask, False), TOKEN, normalized=False)
    heads = [
        reconstruction_picture([which], statistics, cell_height=96)[:50]
        for which, statistics in ((item, "visible"), (item, "truth"), (plain, "visible"))
    ]
    for i in range(3):
        for j in range(i):
            assert heads[i].shape != heads[j].shape or (heads[i] != heads[j]).any()


def test_mistakes_are_refused(clip: np.ndarray, mask: np.ndarray) -> None:
    with pytest.raises(ValueError, match="15 masked tokens"):
        Reconstruction(clip, mask, np.zeros((14, 96), np.float32), TOKEN)
    item = Reconstruction(clip, mask, np.zeros((15, 96), np.float32), TOKEN)
    with pytest.raises(ValueError, match="ReconstructionHook.statistics"):
        item.frames("patch")
    with pytest.raises(ValueError, match="no clips"):
        reconstruction_picture([])
