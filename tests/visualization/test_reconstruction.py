from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mmpmg.models.targets import PixelTarget, WholeClip
from mmpmg.visualization import (
    STATISTICS,
    Reconstruction,
    from_visible,
    loss_maps,
    pixel_mask,
    reconstruction_picture,
)
from mmpmg.visualization.flow import BLIND
from mmpmg.visualization.reconstruction_picture import _heats

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
    return PixelTarget(TOKEN, normalize=normalize)(WholeClip(pixels), masked)[0].numpy()


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


def with_losses(clip: np.ndarray, mask: np.ndarray, losses: np.ndarray) -> Reconstruction:
    zeros = np.zeros((15, 96), np.float32)
    return Reconstruction(clip, mask, zeros, TOKEN, token_loss=losses.astype(np.float32))


def brightness(heat: np.ndarray) -> np.ndarray:
    return heat.astype(int).sum(axis=-1)


def test_heat_follows_the_loss_of_each_token_and_leaves_the_visible_faded(
    clip: np.ndarray, mask: np.ndarray
) -> None:
    losses = np.random.default_rng(5).random(15) + 0.01
    (heat,) = loss_maps([with_losses(clip, mask, losses)])
    numbers = np.full(24, -1)
    numbers[mask] = np.arange(15)
    for t in range(2):
        seen = []
        for h in range(3):
            for w in range(4):
                k = numbers[(t * 3 + h) * 4 + w]
                block = heat[2 * t : 2 * t + 2, 4 * h : 4 * h + 4, 4 * w : 4 * w + 4]
                if k < 0:
                    shown = clip[2 * t : 2 * t + 2, 4 * h : 4 * h + 4, 4 * w : 4 * w + 4]
                    np.testing.assert_allclose(block, 0.2 * shown + 102.4, atol=1)
                else:
                    assert (block == block[0, 0, 0]).all()
                    seen.append((losses[k], brightness(block[0, 0, 0])))
        order = [bright for _, bright in sorted(seen)]
        assert order == sorted(order) and order[0] < order[-1]
        assert order[-1] > 600  # the greatest of each frame is the brightest of the colour map


def test_heat_is_normalised_in_every_frame_and_over_models(
    clip: np.ndarray, mask: np.ndarray
) -> None:
    losses = np.random.default_rng(6).random(15) + 0.1
    first = mask[:12].sum()
    other = losses.copy()
    other[first:] *= 7  # the second time slot alone
    one, scaled = (loss_maps([with_losses(clip, mask, each)])[0] for each in (losses, other))
    np.testing.assert_array_equal(one, scaled)
    both = loss_maps([with_losses(clip, mask, losses), with_losses(clip, mask, other)])
    np.testing.assert_array_equal(both[1], one)
    hidden = pixel_mask(mask, SIZE, TOKEN)
    np.testing.assert_array_equal(both[0][:2], one[:2])
    assert (brightness(both[0][2:]) < brightness(one[2:]))[hidden[2:]].all()
    zero = loss_maps([with_losses(clip, mask, np.zeros(15))])[0]
    assert zero[hidden].max() <= 4  # no loss anywhere is black, not a division by zero


def test_losses_of_unlike_measure_do_not_share_a_scale(clip: np.ndarray, mask: np.ndarray) -> None:
    small = replace(with_losses(clip, mask, np.full(15, 0.01)), measure="squares")
    large = replace(with_losses(clip, mask, np.full(15, 50.0)), measure="absolute")
    heats = _heats([{"pixel": small}, {"pixel": large}])
    np.testing.assert_array_equal(heats[0, "pixel"], heats[1, "pixel"])
    alike = _heats([{"pixel": small}, {"pixel": replace(large, measure="squares")}])
    hidden = pixel_mask(mask, SIZE, TOKEN)
    assert (brightness(alike[0, "pixel"]) < brightness(alike[1, "pixel"]))[hidden].all()


def test_a_token_of_which_nothing_is_known_is_grey_and_not_without_loss(
    clip: np.ndarray, mask: np.ndarray
) -> None:
    losses = np.ones(15)
    losses[0] = np.nan
    (heat,) = loss_maps([with_losses(clip, mask, losses)])
    numbers = np.full(24, -1)
    numbers[mask] = np.arange(15)
    (t, h, w) = np.argwhere(numbers.reshape(2, 3, 4) == 0)[0]
    blind = heat[2 * t : 2 * t + 2, 4 * h : 4 * h + 4, 4 * w : 4 * w + 4]
    assert (blind == BLIND).all()
    known = pixel_mask(mask & (numbers != 0), SIZE, TOKEN)
    assert (brightness(heat)[known] > 600).all()


def test_the_picture_says_which_statistics_it_used(clip: np.ndarray, mask: np.ndarray) -> None:
    losses = np.ones(15, np.float32)
    item = Reconstruction(
        clip, mask, perfect(clip, mask, True), TOKEN, loss=0.5, name="Affine", token_loss=losses
    )
    plain = Reconstruction(
        clip, mask, perfect(clip, mask, False), TOKEN, normalized=False, token_loss=losses
    )
    heads = [
        reconstruction_picture({"": [{"pixel": which}]}, statistics, cell_height=96)[:50]
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
        reconstruction_picture({})
    with pytest.raises(ValueError, match="no token_loss"):
        reconstruction_picture({"": [{"pixel": item}]})
    with pytest.raises(ValueError, match=r"15 masked tokens need \(15,\)"):
        with_losses(clip, mask, np.zeros(14))
    whole = {"pixel": with_losses(clip, mask, np.ones(15))}
    other = {"pixel": with_losses(clip[:, ::-1], mask, np.ones(15))}
    with pytest.raises(ValueError, match="unlike numbers"):
        reconstruction_picture({"a": [whole], "b": [whole, whole]})
    with pytest.raises(ValueError, match="b was given another clip than a"):
        reconstruction_picture({"a": [whole], "b": [other]})


def test_models_with_one_mask_share_the_masked_row(clip: np.ndarray, mask: np.ndarray) -> None:
    item = {"pixel": with_losses(clip, mask, np.ones(15))}
    other = {"pixel": with_losses(clip, mask[::-1].copy(), np.ones(15))}

    def rows(models: dict, losses: bool = True) -> int:
        return (reconstruction_picture(models, cell_height=200, losses=losses).shape[0]) // 200

    assert rows({"": [item]}) == 4
    assert rows({"a": [item], "b": [item]}) == 6
    assert rows({"a": [item], "b": [other]}) == 7
    assert rows({"a": [item], "b": [other]}, losses=False) == 5
