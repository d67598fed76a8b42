"""The benchmark of generators: the restatements make the same kind of picture; figures add up."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from reference.fractaldb_reference import paste_patches, visit

from mmpmg.evaluation import synthesis_benchmark
from mmpmg.evaluation.synthesis_benchmark import (
    FEED_HEAD,
    HEAD,
    Contest,
    atom_loop,
    benchmark_images,
    fractal_loop,
    perlin_corners,
)
from mmpmg.synthesis.fractal import FractalVariant, fractal_system
from mmpmg.synthesis.perlin import PerlinTexture, slopes_at
from mmpmg.synthesis.perlin_noise3d import lattice_shape, perlin_noise
from mmpmg.synthesis.visual_atom import draw_orbits, visual_atom
from mmpmg.synthesis.visual_atom_contour import perlin_1d


def test_fractal_loop_makes_the_published_picture():
    maps, thresholds = fractal_system(0, 0)
    dice = np.random.default_rng(0).random(2999)
    symbols = [int((die > thresholds).sum()) for die in dice]
    xs, ys = visit(maps, [*symbols, 0])
    expected = paste_patches(xs, ys, FractalVariant(0, 0, 0).pattern(0, 0), (80, 80))
    np.testing.assert_array_equal(fractal_loop(0, 0, 0, 80, 3000), expected)


@pytest.mark.parametrize("category", range(3))
def test_atom_loop_draws_the_same_atom(category):
    atom = visual_atom(0, category)
    theirs = (atom_loop(0, category) > 0).any(-1)
    noise = np.random.default_rng(0).uniform(0, 10_000, (2, atom.orbits, atom.vertices))
    x, y = atom.contours(perlin_1d(noise))
    ours = (draw_orbits(x + 256, y + 256, np.full(atom.orbits, 99), (512, 512)) > 0).any(-1)
    assert theirs.mean() == pytest.approx(ours.mean(), rel=0.2)
    coarse = [m.reshape(16, 32, 16, 32).mean((1, 3)).ravel() for m in (ours, theirs)]
    assert np.corrcoef(*coarse)[0, 1] > 0.95


@pytest.mark.parametrize("category", range(4))
def test_perlin_corners_are_the_same_noise(category):
    texture = PerlinTexture.sample(0, category)
    expected = 0
    for octave in range(texture.octaves):
        axes = (np.arange(3) / 16, np.arange(24) / 24, np.arange(24) / 24)
        t, y, x = (a * f * 2**octave for a, f in zip(axes, texture.frequency[::-1]))
        lattice = slopes_at(0, lattice_shape(t, y, x))
        expected = expected + perlin_noise(lattice, t, y, x) * 0.5**octave
    got = perlin_corners(0, category, 3, 24)
    assert got.shape == (3, 24, 24, 3)
    assert np.abs(got[..., 0] - np.clip(expected * 200 + 128, 0, 255)).max() <= 1.01


def test_tables(monkeypatch):
    made = []

    def work(k: int) -> None:
        made.append(k)
        time.sleep(0.002)

    rows = [Contest("a", "loop", work, work), Contest("b", "none", work, None)]
    monkeypatch.setattr(synthesis_benchmark, "contests", lambda repeats: rows)
    monkeypatch.setattr(synthesis_benchmark, "_feeds", lambda: [("c", work)])
    text = benchmark_images(2)
    assert len(made) == 3 * 3 + 2 * 2  # with a round of warm-up; the feed's images are made twice
    cells = [[c.strip() for c in row.strip("|").split("|")] for row in re.findall(r"\|.*\|", text)]
    assert cells[0] == HEAD
    assert [row[0] for row in cells[2:4]] == ["a", "b"]
    assert float(cells[2][2]) > 0 and float(cells[2][3]) > 0
    assert cells[3][3:] == ["", ""]
    assert cells[4] == FEED_HEAD
    rate, share = float(cells[6][1]), float(cells[6][2])
    assert 0 < rate < 500 and share >= 10
    assert share == pytest.approx(100 * 50 / rate, abs=1)
    assert re.search(r"\d+ ms to search a fractal, \d+ ms to write a shader", text)
