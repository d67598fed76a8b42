"""Fractals: the points, the choice, the rule and the patches of FractalDB; never blank."""

from __future__ import annotations

import colorsys
import hashlib
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
from reference.fractaldb_reference import (
    filled_share,
    paste_patches,
    throw,
    visit,
    weight_variants,
)

from mmpmg.synthesis import fractal_image
from mmpmg.synthesis.fractal import WEIGHTS, FractalVariant, _dice, choose, fractal_system
from mmpmg.synthesis.fractal_drawing import draw_patches, filled_rate
from mmpmg.synthesis.fractal_orbit import in_sequence, orbit
from mmpmg.synthesis.scratch import Scratch
from mmpmg.synthesis.uniform_stream import UniformStream

CATEGORIES = 4


def _maps(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.75, 0.75, (count, 6))


def _symbols(count: int, length: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, count, length).astype(np.uint8)


def _uniform(count: int) -> list[float]:
    return ((_dice(0, count) + 0.5) / 65536).tolist()


@pytest.mark.parametrize("length", [1, 2, 31, 4097, 50_000])
@pytest.mark.parametrize("count", range(2, 8))
def test_orbit_is_the_loops(count, length):
    maps, symbols = _maps(count), _symbols(count, length)
    xs, ys = visit(maps, symbols)
    x, y = (in_sequence(v, length) for v in orbit(maps, symbols))
    np.testing.assert_allclose(x, xs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(y, ys, rtol=0, atol=1e-12)


def test_left_over_points_change_no_extremes():
    maps, symbols = _maps(3), _symbols(3, 4099)
    xs, _ = visit(maps, symbols)
    x, _ = orbit(maps, symbols)
    assert x.size > 4099
    assert (x.min(), x.max()) == pytest.approx((min(xs), max(xs)), abs=1e-12)


def test_maps_are_chosen_in_proportion_to_their_determinants():
    maps, thresholds = fractal_system(0, 1)
    dice = _dice(0, 20_000)
    symbols = choose(thresholds, dice)
    np.testing.assert_array_equal(symbols, throw(maps, _uniform(20_000)))
    determinants = np.abs(np.linalg.det(maps[:, :4].reshape(-1, 2, 2)))
    share = np.bincount(symbols, minlength=len(maps)) / len(symbols)
    np.testing.assert_allclose(share, determinants / determinants.sum(), atol=0.015)


def test_categories_fill_a_fifth_of_the_picture():
    for category in (0, 3):
        maps, _ = fractal_system(0, category)
        assert 2 <= len(maps) <= 7
        assert np.abs(maps).max() <= 1
        xs, ys = visit(maps, throw(maps, _uniform(100_000)))
        assert filled_share(xs, ys) >= 0.2


def test_search_drops_what_fills_less():
    """What is found is the first system of its stream that the rule alone would keep."""
    stream, dropped = UniformStream(0, 2), 0
    found, _ = fractal_system(0, 2)
    while True:
        maps = 2 * stream.take(stream.whole(2, 7), 6) - 1
        symbols = np.array(throw(maps, _uniform(100_000)), np.uint8)
        with np.errstate(over="ignore", invalid="ignore"):
            rate = filled_rate(*(in_sequence(v, 100_000) for v in orbit(maps, symbols)), 512)
        if rate >= 0.2:
            break
        dropped += 1
    np.testing.assert_array_equal(maps, found)
    assert dropped > 0


def test_filled_rate_is_the_loops_and_zero_for_what_runs_away():
    maps, symbols = _maps(3), _symbols(3, 3000)
    xs, ys = visit(maps, symbols)
    assert filled_rate(np.array(xs), np.array(ys), 512) == filled_share(xs, ys)
    line = np.linspace(0, 1, 50)
    assert filled_rate(line, np.zeros(50), 64) == 0
    assert filled_rate(line, np.append(line[:-1], np.inf), 64) == 0
    assert filled_rate(line, np.append(line[:-1], np.nan), 64) == 0


@pytest.mark.parametrize("patch", [1, 16, 256, 0b101010101, 0b110100011, 511])
def test_patches_are_pasted_one_after_the_other(patch):
    maps, symbols = _maps(4, 3), _symbols(4, 2500)
    xs, ys = visit(maps, symbols)
    ours = draw_patches(*orbit(maps, symbols), symbols, patch, (60, 82), "grey")
    np.testing.assert_array_equal(ours, paste_patches(xs, ys, patch, (60, 82)))


def test_whole_image_is_the_published_loop():
    """Category, weight variant, choice, orbit, patch and flip together."""
    maps, _ = fractal_system(0, 0)
    for instance in (0, 102, 119):
        variant = FractalVariant.of_instance(instance)
        symbols = throw(maps, _uniform(10_000))
        xs, ys = visit(maps * WEIGHTS[variant.weight], symbols)
        expected = paste_patches(xs, ys, variant.pattern(0, 0), (100, 128))
        rows, columns = (-1 if variant.flip & bit else 1 for bit in (1, 2))
        image = fractal_image(0, 0, instance, (100, 128), points=10_000)
        np.testing.assert_array_equal(image, expected[::rows, ::columns])


def test_patches_are_any_of_the_511():
    patterns = [FractalVariant(w, p, 0).pattern(5, c) for w in range(25) for p in range(10)
                for c in range(20)]  # fmt: skip
    assert set(patterns) == set(range(1, 512))
    assert len({FractalVariant(3, 7, flip).pattern(5, 1) for flip in range(4)}) == 1


def test_weights_are_the_published_ones():
    assert {tuple(np.round(row, 6)) for row in WEIGHTS.tolist()} == {
        tuple(np.round(row, 6)) for row in weight_variants()
    }
    assert (WEIGHTS[0] == 1).all()


def test_a_thousand_instances_are_all_combinations():
    def key(instance):
        variant = FractalVariant.of_instance(instance)
        return variant.weight, variant.patch, variant.flip

    assert {key(i) for i in range(1000)} == set(product(range(25), range(10), range(4)))
    assert {key(i) for i in range(1000, 2000)} == set(product(range(25), range(10, 20), range(4)))
    for parts in zip(*(key(i) for i in range(4))):
        assert len(set(parts)) == 4  # a few instances differ in everything


def test_flips_mirror_the_same_picture():
    by_flip = {}
    for instance in range(1000):
        variant = FractalVariant.of_instance(instance)
        if (variant.weight, variant.patch) == (2, 5):
            by_flip[variant.flip] = fractal_image(0, 0, instance, 64, points=5000)
    np.testing.assert_array_equal(by_flip[1], by_flip[0][::-1])
    np.testing.assert_array_equal(by_flip[2], by_flip[0][:, ::-1])
    np.testing.assert_array_equal(by_flip[3], by_flip[0][::-1, ::-1])


def test_degenerate_weight_variants_come_back():
    """Some variants run away as published; every one of ours fills a good part of the picture."""
    ran_away = 0
    for category, weight in product(range(CATEGORIES), range(25)):
        maps, thresholds = fractal_system(0, category)
        symbols = choose(thresholds, _dice(0, 8192))
        with np.errstate(over="ignore", invalid="ignore"):
            points = orbit(maps * WEIGHTS[weight], symbols)
        ran_away += filled_rate(*points, 64) < 0.02
        instance = next(i for i in range(25) if FractalVariant.of_instance(i).weight == weight)
        image = fractal_image(0, category, instance, 96, points=20_000)
        assert (image > 0).any(-1).mean() > 0.01, (category, weight)
    assert ran_away > 5


def test_no_image_is_blank_or_nearly_constant():
    for k in range(1000):
        image = fractal_image(0, k % 25, k // 25, 96, points=20_000)
        # Grey on black: what is not black differs from the background.
        assert (image > 8).any(-1).mean() > 0.01, k
        assert (image > 8).any(-1).mean() < 0.9, k
        assert image.std() > 8, k


def test_colors():
    grey, by_iteration, by_map = (
        fractal_image(0, 4, 6, 96, color, 20_000) for color in ("grey", "iteration", "map")
    )
    assert set(np.unique(grey)) == {0, 127}
    lit = grey[..., 0] > 0
    for image, most in ((by_iteration, 128), (by_map, 7)):
        np.testing.assert_array_equal((image > 0).any(-1), lit)
        colors = np.unique(image[lit], axis=0)
        assert 2 <= len(colors) <= most
        hsv = np.array(
            [colorsys.rgb_to_hsv(*(c / 255.0 for c in map(float, row))) for row in colors]
        )
        np.testing.assert_allclose(hsv[:, 1:], 0.75, atol=0.02)
        assert np.ptp(hsv[:, 0]) > 0.2
    assert len(np.unique(by_iteration[lit], axis=0)) > 100


def test_first_images_stay_what_they_are():
    def digest(*images):
        return hashlib.sha256(b"".join(i.tobytes() for i in images)).hexdigest()[:16]

    assert digest(*(fractal_image(0, c, i) for c in (0, 1) for i in (0, 1))) == "969d16bad2351cb6"
    assert digest(fractal_image(7, 1, 2000, (40, 90), "map", 3000)) == "8b5e76fcd457965d"
    assert digest(fractal_image(7, 1, 3, 64, "iteration", 3000)) == "0b9046a9d6f45d76"


def test_an_image_depends_on_its_arguments_alone():
    image = fractal_image(3, 1, 9, 80, points=4000)
    fractal_image(3, 0, 9, 80, points=6000)
    for cached in (fractal_system, _dice):
        cached.cache_clear()
    np.testing.assert_array_equal(fractal_image(3, 1, 9, 80, points=4000), image)
    assert (fractal_image(4, 1, 9, 80, points=4000) != image).any()
    assert (fractal_image(3, 2, 9, 80, points=4000) != image).any()
    assert (fractal_image(3, 1, 109, 80, points=4000) != image).any()


@pytest.mark.parametrize("size", [1, 2, (1, 9), (30, 3)])
def test_smallest_pictures(size):
    shape = (size, size) if isinstance(size, int) else size
    assert fractal_image(0, 0, 0, size, points=100).shape == (*shape, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 0, 0), "size=0"),
        ((0, 0, 0, (4, -1)), "size="),
        ((-1, 0, 0), "seed=-1"),
        ((0, -1, 0), "category=-1"),
        ((0, 0, -1), "instance=-1"),
        ((0, 0, 0, 32, "red"), "color='red'.*grey, iteration, map"),
        ((0, 0, 0, 32, "grey", 0), "points=0"),
        ((0, 0, 0, 32, "grey", 1), "points=1: must be 100 or more"),
        ((0, 0, 0, 32, "grey", 99), "points=99"),
    ],
)
def test_illegal_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        fractal_image(*arguments)


def test_threads_do_not_write_into_each_others_images():
    def make(k):
        return fractal_image(0, k % 3, k, 48 + 16 * (k % 4), points=3000 + 1000 * (k % 5))

    alone = [make(k) for k in range(24)]
    with ThreadPoolExecutor(4) as pool:
        for image, expected in zip(pool.map(make, range(24)), alone):
            np.testing.assert_array_equal(image, expected)


def test_scratch_memory_grows_and_is_the_same_again():
    scratch = Scratch()
    small = scratch.take("a", (2, 3), np.int32)
    small[...] = 7
    assert (scratch.take("a", (3, 2), np.int32) == 7).all()
    assert scratch.take("a", (50, 50), np.int32).shape == (50, 50)
    assert not np.shares_memory(scratch.take("b", (2, 3)), scratch.take("a", (2, 3), np.int32))
