"""Points of all frames at once, against each pair of frames inverted on its own."""

from __future__ import annotations

import numpy as np
import pytest
from motion.layered_motions import path, waves

from mmpmg.motion import Deformation, Motion, build_op
from mmpmg.motion.bent_points import bent_displacements

SIZE = (44, 60)
PIXELS = np.stack(np.meshgrid(np.arange(0, 60, 7), np.arange(0, 44, 5)), -1).reshape(-1, 2) * 1.0


def against_flow(motion):
    starts = np.arange(motion.num_frames - 1)
    found = bent_displacements(motion, starts, PIXELS)
    x, y = PIXELS.astype(int).T
    np.testing.assert_allclose(found, motion.flow()[:, y, x], atol=2e-3)
    some = bent_displacements(motion, starts[::2], PIXELS[3:9])
    np.testing.assert_allclose(some, found[::2, 3:9], atol=2e-3)
    return found


@pytest.mark.parametrize("strain", [0.1, 0.6, 0.95])
@pytest.mark.parametrize("seed", range(4))
def test_points_go_where_the_flow_says(seed, strain):
    bent = build_op(dict(type="SmoothDisplacement", strain=(strain, strain)))
    found = against_flow(bent.sample(np.random.default_rng(seed), 5, SIZE))
    assert np.abs(found).max() > 0.1


@pytest.mark.parametrize("tilted", [False, True, 0.03])
@pytest.mark.parametrize("seed", range(3))
def test_with_a_homography_beside_the_waves(seed, tilted):
    """Large steps, for which Newton's method may not converge; the horizon crosses the last."""
    against_flow(path(np.random.default_rng(seed), deformed=True, tilted=tilted))


def test_what_stands_still_is_exactly_zero():
    rng = np.random.default_rng(0)
    moving = waves(rng)
    amplitudes = np.array(moving.amplitudes)
    amplitudes[2] = amplitudes[1]
    bent = Deformation(moving.frequencies, moving.phases, amplitudes)
    motion = Motion("bent", SIZE, np.tile(np.eye(3), (len(amplitudes), 1, 1)), deformation=bent)
    found = bent_displacements(motion, np.arange(3), PIXELS)
    assert not found[1].any() and found[0].any() and found[2].any()
