"""Deformations are invertible, and are inverted."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.motion_reference import displaced

from mmpmg.motion import Deformation, SmoothDisplacement

SIZE = (40, 53)


def waves(strain, seed, terms=5, frames=3):
    """Waves of which every frame has the given strain."""
    rng = np.random.default_rng(seed)
    frequencies = rng.normal(0, 0.15, (terms, 2))
    amplitudes = rng.normal(0, 1, (frames, terms, 2))
    sizes = np.linalg.norm(amplitudes, axis=-1) @ np.linalg.norm(frequencies, axis=-1)
    return Deformation(
        frequencies, rng.uniform(0, 6, terms), amplitudes * (strain / sizes)[:, None, None]
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99]))
def test_inverting_leads_back(seed, strain):
    deformation = waves(strain, seed)
    points = np.random.default_rng(seed).uniform(-20, 70, (200, 2))
    looked = points + deformation.at(1, points)
    # Where the slope is nearly 0 the residual bounds the error weakly, so 1e-4 pixels are asked.
    np.testing.assert_allclose(deformation.invert(1, looked), points, atol=1e-4)


def test_a_displacement_is_the_sum_of_its_waves_on_points_and_on_grids():
    deformation = waves(0.7, 3)
    xs, ys = np.arange(4.0, 13.0), np.arange(2.0, 9.0)
    by_y, by_x = deformation.basis(xs, ys)
    for k in range(3):
        points = np.stack(np.meshgrid(xs, ys), axis=-1)
        expected = [[displaced(deformation, k, x, y) for x in xs] for y in ys] - points
        np.testing.assert_allclose(deformation.at(k, points), expected, atol=1e-9)
        for axis in range(2):
            amplitudes = np.tile(deformation.amplitudes[k, :, axis], 2)
            np.testing.assert_allclose((by_y * amplitudes) @ by_x, expected[..., axis], atol=1e-9)
        assert (np.abs(expected) <= deformation.reach()[k] + 1e-9).all()


def test_the_slope_stays_below_the_strain():
    deformation = waves(0.8, 5)
    rng = np.random.default_rng(0)
    a = rng.uniform(0, 60, (2000, 2))
    b = a + rng.normal(0, 0.5, a.shape)
    moved = np.linalg.norm(deformation.at(0, a) - deformation.at(0, b), axis=1)
    assert (moved <= 0.8 * np.linalg.norm(a - b, axis=1) + 1e-12).all()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ((np.ones((2, 2)), np.zeros(2), np.ones((4, 2, 2))), "fold over itself"),
        ((np.ones((2, 3)), np.zeros(2), np.ones((4, 2, 2))), "expected"),
        ((np.ones((2, 2)), np.zeros(3), np.ones((4, 2, 2))), "expected"),
        ((np.ones((0, 2)), np.zeros(0), np.ones((4, 0, 2))), "expected"),
        ((np.ones((2, 2)), np.full(2, np.nan), np.zeros((4, 2, 2))), "finite"),
    ],
)
def test_what_cannot_be_inverted_is_refused(values, told):
    with pytest.raises(ValueError, match=told):
        Deformation(*values)


def test_a_deformation_is_a_value():
    one, other = waves(0.5, 1), waves(0.5, 1)
    assert one == other and hash(one) == hash(other)
    assert one != waves(0.5, 2)
    assert Deformation(**json.loads(json.dumps(one.to_dict()))) == one
    with pytest.raises(ValueError, match="read-only"):
        one.phases[0] = 1.0


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_smooth_displacements_keep_their_ranges_and_show_no_border(seed):
    op = SmoothDisplacement(strain=(0.3, 0.6))
    motion = op.sample(np.random.default_rng(seed), 12, SIZE)
    assert 0.3 <= motion.deformation.strains().max() <= 0.6
    wavelengths = 2 * np.pi / np.hypot(*motion.deformation.frequencies.T)
    assert (wavelengths >= 0.3 * 40 - 1e-9).all() and (wavelengths <= 40 + 1e-9).all()
    # The frame's outline, looked through the waves, stays inside the image.
    x, y = np.meshgrid(np.arange(53.0), np.arange(40.0))
    rim = np.stack([x, y], axis=-1)[(x == 0) | (x == 52) | (y == 0) | (y == 39)]
    for k in range(12):
        looked = np.c_[rim + motion.deformation.at(k, rim), np.ones(len(rim))]
        u, v, _ = motion.homographies[k] @ looked.T
        assert u.min() >= -1e-9 and u.max() <= 52 + 1e-9
        assert v.min() >= -1e-9 and v.max() <= 39 + 1e-9


def test_smooth_displacements_move_all_the_time():
    motion = SmoothDisplacement().sample(np.random.default_rng(1), 16, SIZE)
    speeds = np.linalg.norm(motion.flow(), axis=-1).mean(axis=(1, 2))
    assert (speeds > 0.02).all()
    assert np.ptp(np.diff(speeds)) > 0.02, "they speed up and slow down"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"waves": 0}, r"waves=0 is not a whole number in \[1, 16\]"),
        ({"strain": (0.2, 1.0)}, "strain="),
        ({"wavelength": (0.0, 1.0)}, "wavelength="),
        ({"travel": -1}, "travel=-1"),
    ],
)
def test_wrong_options_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        SmoothDisplacement(**options)
