"""Lattice noise against loops that nobody can doubt."""

from __future__ import annotations

import numpy as np
import pytest

from mmpmg.synthesis.noise import (
    PERIOD,
    cells,
    gradient_noise,
    lattice_hash,
    lookup,
    randoms,
    value_noise,
    value_noise_pair,
    worley,
)


def _points(count: int = 200, low: float = -20, high: float = 20) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(low, high, (2, count)).astype(np.float32)
    return x, y


def _hash(ix: int, iy: int, seed: int) -> float:
    return float(lattice_hash(np.array([ix], np.int32), np.array([iy], np.int32), seed)[0])


def _random(ix: int, iy: int, seed: int, which: int = 0) -> float:
    """What stands in the tables at a lattice point, from the hash that fills them."""
    column, row = (ix + seed % PERIOD) % PERIOD, (iy + seed // PERIOD % PERIOD) % PERIOD
    return _hash(column, row, which)


def test_tables_hold_the_hash_also_where_they_repeat():
    for ix, iy in [(0, 0), (3, 5), (-1, -1), (127, 128), (-129, 300), (10**6, -(10**6))]:
        for seed in (0, 5, 1000, 2**14 - 1):
            where = lookup(np.array([ix], np.int32), np.array([iy], np.int32), seed)
            for which in range(4):
                assert randoms(where, which)[0] == np.float32(_random(ix, iy, seed, which))


def test_hash_against_plain_integers():
    def plain(ix: int, iy: int, seed: int) -> float:
        mask = 0xFFFFFFFF
        h = (ix * 0x8DA6B343 + seed * 0x9E3779B1) & mask
        h = ((h ^ (h >> 16)) * 0x7FEB352D + iy * 0xD8163841) & mask
        h ^= h >> 15
        h = (h * 0x2C1B3C6D) & mask
        h ^= h >> 12
        h = (h * 0x297A2D39) & mask
        return (h >> 8) / 2**24

    for point in [(0, 0, 0), (1, 0, 0), (-1, -5, 3), (10**6, -(10**6), 2**31 - 1)]:
        assert _hash(*point) == plain(*point)


def test_hash_is_uniform_and_uncorrelated():
    iy, ix = np.mgrid[-128:128, -128:128].astype(np.int32)
    h = lattice_hash(ix, iy, 12)
    assert abs(h.mean() - 0.5) < 0.01
    assert abs(h.std() - np.sqrt(1 / 12)) < 0.01
    seen = {
        "right": lattice_hash(ix + 1, iy, 12),
        "below": lattice_hash(ix, iy + 1, 12),
        "seed": lattice_hash(ix, iy, 13),
        "reflected": lattice_hash(-ix, -iy, 12),
        "mirrored": lattice_hash(-ix, iy, 12),
        "transposed": lattice_hash(iy, ix, 12),
    }
    for name, other in seen.items():
        assert abs(np.corrcoef(h.ravel(), other.ravel())[0, 1]) < 0.02, name
        assert (h == other).mean() < 0.01, name


def test_cells_put_positions_together_again():
    x, y = _points()
    ix, iy, u, v = cells(x, y)
    np.testing.assert_allclose(ix + u, x, atol=1e-5)
    np.testing.assert_allclose(iy + v, y, atol=1e-5)
    assert (u >= 0).all()
    assert (u < 1).all()


def test_value_noise_against_a_loop():
    x, y = _points(60)
    for px, py, got in zip(x, y, value_noise(x, y, 5), strict=True):
        ix, iy = int(np.floor(px)), int(np.floor(py))
        u, v = px - ix, py - iy
        weight = [
            (1 - u**2 * (3 - 2 * u), u**2 * (3 - 2 * u)),
            (1 - v**2 * (3 - 2 * v), v**2 * (3 - 2 * v)),
        ]
        total = sum(
            weight[0][cx] * weight[1][cy] * _random(ix + cx, iy + cy, 5)
            for cx in (0, 1)
            for cy in (0, 1)
        )
        assert got == pytest.approx(2 * total - 1, abs=1e-4)


@pytest.mark.parametrize("noise", [value_noise, gradient_noise])
def test_noise_is_continuous_and_bounded(noise):
    x = np.linspace(-5, 5, 20_001, dtype=np.float32)
    line = noise(x, np.full_like(x, 0.37), 3)
    assert np.abs(np.diff(line)).max() < 0.01  # also across the borders of cells
    assert np.abs(line).max() <= 1.5
    assert line.std() > 0.1


def test_gradient_noise_vanishes_on_the_lattice():
    iy, ix = np.mgrid[-4:5, -4:5].astype(np.float32)
    np.testing.assert_array_equal(gradient_noise(ix, iy, 9), np.zeros_like(ix))


def test_worley_against_all_points():
    x, y = _points(80, -3, 3)
    first, second, identity = worley(x, y, 4, 0.8)
    centres = []
    for iy in range(-7, 8):
        for ix in range(-7, 8):
            px, py = _random(ix, iy, 4, 2), _random(ix, iy, 4, 3)
            centres.append((ix + 0.5 + 0.8 * (px - 0.5), iy + 0.5 + 0.8 * (py - 0.5)))
    distance = np.hypot(
        *(np.array(centres)[None] - np.stack([x, y], -1)[:, None]).transpose(2, 0, 1)
    )
    nearest = np.sort(distance, axis=1)
    np.testing.assert_allclose(first, nearest[:, 0], atol=1e-3)
    # The search looks at 3 x 3 cells, which rarely misses the second nearest.
    assert np.mean(np.abs(second - nearest[:, 1]) < 1e-3) > 0.95
    owner = distance.argmin(axis=1)
    for a in range(len(x)):
        same = owner == owner[a]
        assert np.ptp(identity[same]) == 0
    assert len(np.unique(identity)) == len(np.unique(owner))


def test_gradient_noise_against_a_loop():
    x, y = _points(60)
    for px, py, got in zip(x, y, gradient_noise(x, y, 300), strict=True):
        ix, iy = int(np.floor(px)), int(np.floor(py))
        u, v = px - ix, py - iy
        total = 0.0
        for cx in (0, 1):
            for cy in (0, 1):
                slope = [2 * _random(ix + cx, iy + cy, 300, which) - 1 for which in (0, 1)]
                a, b = (u if cx else 1 - u), (v if cy else 1 - v)
                weight = a * a * (3 - 2 * a) * b * b * (3 - 2 * b)
                total += weight * (slope[0] * (u - cx) + slope[1] * (v - cy))
        assert got == pytest.approx(1.5 * total, abs=1e-4)


def test_a_pair_of_noises_is_unrelated():
    iy, ix = np.mgrid[0:20:0.11, 0:20:0.11].astype(np.float32)
    one, other = value_noise_pair(ix, iy, 77)
    np.testing.assert_array_equal(one, value_noise(ix, iy, 77))
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.15
