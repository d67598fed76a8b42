"""KLT's motion map: known shifts, textureless frames, and the exact map of pseudo-motion clips."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mmpmg.datasets.klt_motion import PointTracker, _mend, grid_points, klt_motion_map
from mmpmg.motion import build_op, render
from mmpmg.motion.motion_map import motion_map
from mmpmg.synthesis import shader_image

SIZE = (96, 128)
STILL = {"still": {"type": "Identity"}}


def texture(height, width, seed=0):
    rough = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3), np.uint8)
    return cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)


def pan(dx, dy, count=4):
    """The picture moves by (dx, dy) whole pixels from each frame to the next."""
    margin = 32
    wide = texture(SIZE[0] + 2 * margin, SIZE[1] + 2 * margin)
    frames = []
    for k in range(count):
        y, x = margin - k * dy, margin - k * dx
        frames.append(np.ascontiguousarray(wide[y : y + SIZE[0], x : x + SIZE[1]]))
    return frames


@pytest.mark.parametrize("shift", [(3, 0), (-2, 4), (6, 2)])
@pytest.mark.parametrize("tracker", [PointTracker(), PointTracker(shrink=2)])
def test_a_pan_moves_every_cell_by_its_length(shift, tracker):
    found = klt_motion_map(pan(*shift), tracker=tracker)
    assert found.shape == (2, 12, 16) and found.dtype == np.float32
    inner = found[:, 2:-2, 2:-2]  # at the rim the picture leaves
    np.testing.assert_allclose(np.median(inner), np.hypot(*shift), atol=0.1)
    assert (np.abs(inner - np.hypot(*shift)) < 0.25).mean() > 0.95


def test_displacements_are_in_pixels_of_the_full_frame_and_point_where_things_went():
    frames = pan(4, -2, 2)
    points = grid_points(12, 16, 8)
    np.testing.assert_array_equal(points[[0, 1, 16]], [[3.5, 3.5], [11.5, 3.5], [3.5, 11.5]])
    for tracker in (PointTracker(), PointTracker(shrink=2)):
        moved, found = tracker.follow(*map(tracker.prepare, frames), points)
        np.testing.assert_allclose(np.median(moved[found], axis=0), (4, -2), atol=0.1)
        assert found.mean() > 0.8


def test_what_has_no_texture_or_stands_still_moves_nowhere():
    plain = [np.full((*SIZE, 3), level, np.uint8) for level in (40, 60, 80, 100)]
    assert not klt_motion_map(plain).any()
    assert not klt_motion_map([pan(0, 0, 1)[0]] * 4).any()
    half = pan(4, 0)
    for frame in half:
        frame[:, :64] = 128
    found = klt_motion_map(half)
    assert not found[..., :6].any() and np.median(found[..., 10:14]) > 3.5


def test_grey_frames_and_pairs_between_slots():
    frames = pan(3, 1, 2) + pan(0, 2, 2)
    found = klt_motion_map(frames)
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    np.testing.assert_array_equal(klt_motion_map(grey), found)
    everything = klt_motion_map(frames, pairs="all")
    assert (everything >= found).all() and (everything[0] > found[0]).any()
    np.testing.assert_array_equal(everything[1], found[1])


def test_single_strays_and_gaps_are_mended_and_small_parts_stay():
    lengths = np.zeros((8, 8), np.float32)
    lengths[1, 1] = 9  # alone
    lengths[1:3, 5:7] = 2  # a part of four cells
    lengths[4:8, :4] = 3
    expected = lengths.copy()
    expected[1, 1] = 0
    lengths[6, 1] = 0  # a gap
    lengths[5, 2] = 50  # a point that went astray among others
    np.testing.assert_array_equal(_mend(lengths), expected)


def test_the_camera_can_be_taken_away():
    frames = pan(4, 1)
    for k, frame in enumerate(frames):  # something that moves against the pan
        frame[32:64, 40 - 3 * k : 72 - 3 * k] = texture(32, 32, 1)
    with_it = klt_motion_map(frames)
    without = klt_motion_map(frames, subtract_camera=True)
    elsewhere = np.ones((12, 16), bool)
    elsewhere[3:9, 2:11] = False
    elsewhere[[0, 1, -1, -2]], elsewhere[:, [0, 1, -1, -2]] = False, False
    assert np.median(with_it[:, elsewhere]) > 3.9
    assert np.quantile(without[:, elsewhere], 0.9) < 0.2
    assert np.median(without[0, 5:7, 6:8]) == pytest.approx(np.hypot(7, 1), abs=0.3)


def test_points_that_do_not_return_can_be_dropped():
    frames = pan(0, 0, 2)
    frames[1][32:64, 40:88] = texture(32, 48, 5)  # something new covers what was there
    points = grid_points(12, 16, 8)
    covered = np.zeros((12, 16), bool)
    covered[5:7, 6:10] = True
    kept = []
    for back in (False, True):
        tracker = PointTracker(check_back=back, explained=np.inf)
        _, found = tracker.follow(*map(tracker.prepare, frames), points)
        kept.append(found.reshape(12, 16)[covered].mean())
    assert kept[1] < 0.5 < kept[0]


def known(options, seed):
    stills = [shader_image(0, 5 * seed + k, 0, 112) for k in range(4)]
    motion = build_op(options).sample(np.random.default_rng(seed), 8, (112, 112))
    return list(render(stills[0], motion, stills[1 : motion.num_images])), motion_map(motion)


@pytest.mark.parametrize(
    ("options", "least"),
    [
        (dict(type="ZoomInOut"), 0.8),
        (dict(type="Affine"), 0.8),
        (dict(type="Perspective", whole_pixels=False), 0.75),
        (dict(type="Layered"), 0.8),
        (dict(type="Layered", background=STILL), 0.5),
    ],
    ids=["zoom", "affine", "perspective", "layered", "still background"],
)
def test_its_regions_and_the_exact_ones_agree(options, least):
    """Issue 7: overlap (IoU) of what moves by at least half a pixel a frame, shader images."""
    both = either = 0
    for seed in range(4):
        frames, exact = known(options, seed)
        found, exact = klt_motion_map(frames) >= 0.5, exact >= 0.5
        both, either = both + (found & exact).sum(), either + (found | exact).sum()
    assert either > 100 and both / either > least


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (dict(window=8), "window=8 must be odd"),
        (dict(window=99), "window=99 is not a whole number in"),
        (dict(shrink=0), "shrink=0"),
        (dict(levels=9), "levels=9"),
        (dict(explained=0.0), "explained=0.0"),
        (dict(least_texture=-1.0), "least_texture=-1"),
        (dict(check_back=1), "check_back=1 must be True or False"),
    ],
)
def test_options_are_checked(options, told):
    with pytest.raises(ValueError, match=f"MotionMap: {told}"):
        PointTracker(**options)


def test_a_clip_must_fit_its_grid():
    with pytest.raises(ValueError, match="3 frames .*frames=2; change SampleFrames.clip_len"):
        klt_motion_map(pan(1, 0, 3))
    with pytest.raises(ValueError, match=r"\(96, 128\) .*cell=20"):
        klt_motion_map(pan(1, 0), cell=20)
