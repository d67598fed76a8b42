"""The flow of a batch on its device is what each motion says of itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mmpmg.motion import OPS, Motion, Paste, build_op
from mmpmg.motion.flow_torch import flow_batch

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
        np.testing.assert_allclose(flow[b].numpy(), motion.flow(), atol=TOLERANCE, rtol=1e-6)
        np.testing.assert_array_equal(covisible[b].numpy(), motion.covisible())


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
