"""Video Perlin Noise: Perlin's formula over (x, y, t); frequencies that mean something."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest
from reference.perlin_reference import noise_3d

from mmpmg.synthesis import perlin_clip
from mmpmg.synthesis.perlin import PerlinTexture, perlin_field, slopes_at
from mmpmg.synthesis.perlin_noise3d import SLOPES, lattice_shape, perlin_noise

MASK = (1 << 64) - 1


def _axes(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    return tuple(np.sort(rng.uniform(0, limit, count)) for limit, count in ((3, 4), (5, 9), (7, 8)))


@pytest.mark.parametrize("seed", range(3))
def test_noise_against_a_loop(seed):
    t, y, x = _axes(np.random.default_rng(seed))
    lattice = slopes_at(seed, lattice_shape(t, y, x))
    got = perlin_noise(lattice, t, y, x)
    for k, j, i in np.ndindex(got.shape):
        expected = noise_3d(lambda *p: SLOPES[lattice[p]].tolist(), t[k], y[j], x[i])
        assert got[k, j, i] == pytest.approx(expected, abs=2e-6)


def test_slopes_are_perlins_twelve_equally_often():
    assert {tuple(sorted(abs(s) for s in slope)) for slope in SLOPES.tolist()} == {(0, 1, 1)}
    assert len({tuple(slope) for slope in SLOPES.tolist()}) == 12
    drawn = slopes_at(3, (40, 40, 40))
    share = np.bincount(drawn.ravel(), minlength=12) / drawn.size
    np.testing.assert_allclose(share, 1 / 12, atol=0.005)
    for axis in range(3):  # neighbours are independent
        pairs = np.mean(np.diff(drawn.astype(int), axis=axis) == 0)
        assert abs(pairs - 1 / 12) < 0.01


def test_slopes_against_plain_integers():
    def plain(key: int, t: int, y: int, x: int) -> int:
        h = key + t * 0x9E3779B97F4A7C15 + y * 0xC2B2AE3D27D4EB4F + x * 0x165667B19E3779F9
        h &= MASK
        h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & MASK
        h = (h ^ h >> 27) * 0x94D049BB133111EB & MASK
        h ^= h >> 31
        return (h >> 32) * 12 >> 32

    for key in (0, 2**53 - 1):
        slopes = slopes_at(key, (4, 5, 6))
        assert all(slopes[p] == plain(key, *p) for p in np.ndindex(slopes.shape))
    np.testing.assert_array_equal(slopes_at(9, (3, 4, 5)), slopes_at(9, (6, 7, 8))[:3, :4, :5])


def test_noise_is_smooth_and_vanishes_on_the_lattice():
    whole = np.arange(4.0)
    lattice = slopes_at(1, (5, 5, 5))
    np.testing.assert_array_equal(perlin_noise(lattice, whole, whole, whole), np.zeros((4, 4, 4)))
    fine = np.linspace(0, 3.999, 2000)
    for axis in range(3):
        grid = [np.array([1.37])] * 3
        grid[axis] = fine
        line = perlin_noise(lattice, *grid).ravel()
        assert np.abs(np.diff(line)).max() < 0.01
        assert line.std() > 0.1
        assert np.abs(line).max() < 1.1


def test_field_is_the_sum_of_its_octaves():
    grid = (np.arange(3) / 16, np.arange(8) / 8, np.arange(8) / 8)
    fields = [
        perlin_field(PerlinTexture((4.0, 4.0, 2.0), octaves, 1), (0, 1), grid)
        for octaves in (1, 2, 3)
    ]
    first, second, third = fields[0], fields[1] * 1.5, fields[2] * 1.75
    np.testing.assert_allclose((second - first).std() / first.std(), 0.5, atol=0.2)
    np.testing.assert_allclose((third - second).std() / first.std(), 0.25, atol=0.12)


def _changes(clip: np.ndarray) -> np.ndarray:
    """Mean square change to the neighbour along t, y and x, as a share of the variance."""
    clip = clip.astype(np.float64)
    return np.array([np.mean(np.diff(clip, axis=k) ** 2) for k in range(3)]) / (2 * clip.var())


def test_frequencies_are_those_of_the_category():
    """What changes faster along an axis has the higher frequency along it."""
    measured, told = [], []
    for category in range(40):
        texture = PerlinTexture.sample(0, category)
        if texture.octaves == 1:
            measured.append(_changes(perlin_clip(0, category, 0, 16, 64)))
            told.append(texture.frequency[::-1])
    measured, told = np.log(measured), np.log(told)
    assert len(told) > 8
    for axis in range(3):
        assert np.corrcoef(measured[:, axis], told[:, axis])[0, 1] > 0.9


def test_categories_use_the_ranges():
    textures = [PerlinTexture.sample(0, category) for category in range(1000)]
    frequency = np.log2([t.frequency for t in textures])
    for column, low, high in zip(frequency.T, (0, 0, -1), (4, 4, 2)):
        assert low <= column.min() < low + 0.1
        assert high - 0.1 < column.max() < high
        count, _ = np.histogram(column, bins=high - low, range=(low, high))
        assert count.min() > 0.8 * 1000 / (high - low)
    assert len({t.frequency for t in textures}) == 1000
    assert {t.octaves for t in textures} == {1, 2, 3}
    assert {t.fields for t in textures} == {1, 3}
    assert textures[0] != PerlinTexture.sample(1, 0)


def test_longer_clips_begin_with_shorter_ones():
    for category in range(6):
        clip = perlin_clip(0, category, 2, 20, 32)
        for frames in (1, 16):
            np.testing.assert_array_equal(perlin_clip(0, category, 2, frames, 32), clip[:frames])


def test_another_size_shows_the_same_clip_and_a_wider_one_continues_it():
    for category in range(6):
        large = perlin_clip(0, category, 1, 2, 128)
        small = perlin_clip(0, category, 1, 2, 32)
        averaged = [cv2.resize(f, (32, 32), interpolation=cv2.INTER_AREA) for f in large]
        assert np.corrcoef(np.ravel(averaged), small.ravel())[0, 1] > 0.9
        np.testing.assert_array_equal(perlin_clip(0, category, 1, 2, (32, 50))[:, :, :32], small)


def test_color_is_three_noises_and_grey_is_one():
    seen = set()
    for category in range(12):
        fields = PerlinTexture.sample(0, category).fields
        clip = perlin_clip(0, category, 0, 2, 48).astype(np.float64)
        red, green, blue = clip.reshape(-1, 3).T
        alike = (red == green).all() and (red == blue).all()
        assert alike == (fields == 1)
        if fields == 3:
            assert abs(np.corrcoef(red, green)[0, 1]) < 0.6
        seen.add(fields)
    assert seen == {1, 3}


def test_clips_move_and_no_image_is_nearly_constant():
    for k in range(1000):
        image = perlin_clip(0, k % 250, k // 250, 1, 48)[0]
        assert (np.abs(image - np.median(image, (0, 1))).max(-1) > 8).mean() > 0.3, k
        assert image.std() > 12, k
    for category in range(50):
        clip = perlin_clip(0, category, 0, 16, 32).astype(np.float64)
        assert np.abs(np.diff(clip, axis=0)).mean() > 0.5
        assert np.abs(clip[0] - clip[-1]).mean() > 3


def test_first_clips_stay_what_they_are():
    def digest(*clips):
        return hashlib.sha256(b"".join(c.tobytes() for c in clips)).hexdigest()[:16]

    assert (
        digest(*(perlin_clip(0, c, i, 3, 64) for c in range(4) for i in (0, 1)))
        == "89c39977f9a14eb3"
    )
    assert digest(perlin_clip(7, 2, 3, 5, (40, 90))) == "1cba72fb115c5c67"


def test_a_clip_depends_on_its_arguments_alone():
    clip = perlin_clip(3, 1, 9, 2, 24)
    for other in ((4, 1, 9), (3, 2, 9), (3, 1, 10)):
        assert (perlin_clip(*other, 2, 24) != clip).any()
    np.testing.assert_array_equal(perlin_clip(3, 1, 9, 2, 24), clip)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 0, 1, 0), "size=0"),
        ((0, 0, 0, 0, 8), "num_frames=0"),
        ((0, 0, 0, 1, (4, -1)), "size="),
        ((-1, 0, 0, 1, 8), "seed=-1"),
        ((0, -1, 0, 1, 8), "category=-1"),
        ((0, 0, -1, 1, 8), "instance=-1"),
    ],
)
def test_illegal_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        perlin_clip(*arguments)
