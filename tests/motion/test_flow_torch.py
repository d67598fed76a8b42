"""The flow of a batch on its device is what each motion says of itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from motion.layered_motions import FRAMES, layered, path

from mmpmg.motion import OPS, Deformation, Motion, Paste, build_op
from mmpmg.motion.flow_torch import flow_batch
from mmpmg.motion.waves_torch import Waves

#: Pixels; float32 rounds a displacement of 100 to 8e-6.
TOLERANCE = 1e-4
SIZE = (33, 47)
ENTRIES = [
    *OPS,
    {"type": "Perspective", "distortion": 0.45, "resampling": "composed"},
    {"type": "Affine", "rotation": (-60, 60), "border": "replicate"},
]


def assert_what_each_says(motions) -> None:
    flow, covisible = flow_batch(motions)
    assert flow.dtype == torch.float32 and covisible.dtype == torch.bool
    for b, motion in enumerate(motions):
        off = np.abs(flow[b].numpy() - motion.flow()) > TOLERANCE * (1 + np.abs(motion.flow()))
        assert off.mean() <= (1e-3 if motion.layers else 0)
        # Levels of alpha may differ by one at a pixel of a rim, and with it whose that pixel is.
        off = covisible[b].numpy() != motion.covisible()
        assert off.mean() <= (1e-3 if motion.layers else 0)


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_flow_is_the_motions_own(entry) -> None:
    op = build_op(entry)
    assert_what_each_says([op.sample(np.random.default_rng(k), 9, SIZE) for k in range(4)])


def test_families_do_not_disturb_each_other() -> None:
    motions = [build_op(e).sample(np.random.default_rng(7), 5, SIZE) for e in ENTRIES]
    flow, covisible = flow_batch(motions)
    for b, motion in enumerate(motions):
        alone = flow_batch([motion])
        assert torch.equal(flow[b], alone[0][0]) and torch.equal(covisible[b], alone[1][0])


def test_a_paste_over_the_rim_and_over_a_moving_background() -> None:
    homographies = np.tile(np.eye(3), (4, 1, 1))
    homographies[:, 0, 2] = [0, 1.5, 3, 4.5]
    motion = Motion(
        family="pasted", size=(20, 24), homographies=homographies,
        paste=Paste((1, 2, 7, 5), np.array([[-3, -2], [4, 4], [20, 17], [30, 30]])),
    )  # fmt: skip
    assert_what_each_says([motion])


def test_behind_the_horizon_nothing_moves_and_nothing_is_seen() -> None:
    tilt = np.array([[1, 0, 0], [0, 1, 0], [0, -0.05, 1]])
    motion = Motion(family="tilt", size=(32, 32), homographies=np.stack([tilt, np.eye(3)]))
    assert_what_each_says([motion])
    flow, covisible = flow_batch([motion])
    assert not flow[0, 0, 21:].any() and not covisible[0, 0, 21:].any()


def test_one_frame_has_no_flow_and_lengths_must_agree() -> None:
    one, two = (build_op("Affine").sample(np.random.default_rng(0), t, (8, 8)) for t in (1, 2))
    assert flow_batch([one])[0].shape == (1, 0, 8, 8, 2)
    with pytest.raises(ValueError, match=r"one length and size.*\(1, \(8, 8\)\), \(2, \(8, 8\)\)"):
        flow_batch([one, two])
    with pytest.raises(ValueError, match="one length and size"):
        flow_batch([])


@pytest.mark.parametrize("tilted", [False, True])
def test_deformed_flow_is_the_motions_own(tilted) -> None:
    assert_what_each_says([path(np.random.default_rng(k), True, tilted=tilted) for k in range(5)])


@pytest.mark.parametrize("paste", [False, True])
@pytest.mark.parametrize("parts", [1, 2, 4])
def test_layered_flow_is_the_motions_own(parts, paste) -> None:
    motions = [layered(seed, parts, paste) for seed in range(4)]
    assert_what_each_says(motions)
    assert all(0.2 < motion.covisible().mean() < 0.9 for motion in motions)


def test_batches_of_any_depth_are_what_each_is_alone() -> None:
    motions = [layered(seed, parts) for seed, parts in enumerate((3, 0, 1, 4))]
    motions.append(path(np.random.default_rng(3), True))
    motions.append(build_op("Affine").sample(np.random.default_rng(0), FRAMES, motions[0].size))
    assert_what_each_says(motions)


def test_a_deformation_that_stands_still_has_no_flow() -> None:
    wave = Deformation([[0.2, 0.1]], [0.3], np.tile([[[1.5, -2.0]]], (3, 1, 1)))
    motion = Motion("still", (20, 24), np.tile(np.eye(3), (3, 1, 1)), deformation=wave)
    flow, covisible = flow_batch([motion])
    assert not flow.any() and covisible.all()


@pytest.mark.parametrize("strain", [0.0, 0.5, 0.9, 0.97])
def test_inverted_points_look_where_they_should(strain) -> None:
    """One wave reaches the strain it is allowed, where a pixel's neighbour comes nearest."""
    frequency = np.array([0.17, -0.11])
    along = frequency / np.linalg.norm(frequency)
    amplitude = strain * along / np.linalg.norm(frequency)
    wave = Deformation([frequency], [1.0], np.tile(amplitude, (2, 1, 1)))
    motion = Motion("wave", (60, 80), np.tile(np.eye(3), (2, 1, 1)), deformation=wave)
    u = torch.arange(80.0, dtype=torch.float64) + torch.full((1, 60, 1), 6.5, dtype=torch.float64)
    v = torch.arange(60.0, dtype=torch.float64)[None, :, None] - 4 + torch.zeros_like(u)
    x, y = Waves([motion], torch.device("cpu")).invert(1, u, v)
    found = torch.stack((x, y), -1)[0].numpy()
    looked = found + wave.at(1, found)
    error = np.abs(looked - torch.stack((u, v), -1)[0].numpy()).max()
    assert error / (1 - strain) < 1e-4, "pixels, by the least slope of x + d(x)"
