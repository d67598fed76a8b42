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


def noisy(frames, sigma=2.0):
    rng = np.random.default_rng(0)
    return [
        np.clip(np.rint(frame + rng.normal(0, sigma, frame.shape)), 0, 255).astype(np.uint8)
        for frame in frames
    ]


@pytest.mark.parametrize("blur", [None, 9.0, 15.0])
def test_noise_does_not_move_what_is_smooth_and_stands_still(blur):
    """A grey wall (None) or a picture out of focus, seen by a sensor."""
    still = np.full((*SIZE, 3), 128, np.uint8)
    if blur is not None:
        still = cv2.GaussianBlur(pan(0, 0, 1)[0], (0, 0), blur)
    clip = noisy([still] * 4)
    without = klt_motion_map(clip, tracker=PointTracker(noise=0.0)) >= 0.5
    assert without.mean() > 0.5, "or there is nothing to mend"
    assert (klt_motion_map(clip) >= 0.5).mean() < 0.05


def test_noise_hides_no_motion_of_what_has_texture():
    clip = noisy(pan(3, 0))
    assert ((klt_motion_map(clip) >= 0.5)[:, 2:-2, 2:-2]).mean() > 0.98
    beside = noisy([np.full((*SIZE, 3), 128, np.uint8)] * 4)
    for frame, moving in zip(beside, clip, strict=True):
        frame[:, 64:] = moving[:, 64:]
    found = klt_motion_map(beside) >= 0.5
    assert found[:, 2:-2, 10:-2].mean() > 0.98 and found[..., :6].mean() < 0.03


def test_the_third_largest_of_nine_is_the_most_that_a_cell_may_have():
    lengths = np.zeros((5, 5), np.float32)
    lengths[1:4, 1:4] = np.reshape([1, 2, 3, 4, 99, 5, 6, 7, 8], (3, 3))
    assert _mend(lengths)[2, 2] == 7


def test_what_returns_is_measured_in_pixels_of_the_full_frame(monkeypatch):
    """Half a small pixel off is two pixels of the frame where that is four times as large."""
    tracker = PointTracker(shrink=4, check_back=True, explained=np.inf, noise=0.0)
    found = {}
    for off in (0.2, 0.5):
        shifts = iter([1.0, off - 1.0])

        def track(self, a, b, points, shifts=shifts):
            moved = points + np.float32([next(shifts), 0])
            return moved, np.ones(len(points), bool), np.zeros(len(points), np.float32)

        monkeypatch.setattr(PointTracker, "_track", track)
        frame = np.zeros((24, 32), np.uint8)
        found[off] = tracker.follow(frame, frame, grid_points(12, 16, 8))[1]
    assert found[0.2].all() and not found[0.5].any()


def test_the_cameras_motion_is_that_of_the_points_that_were_found(monkeypatch):
    def follow(self, before, after, points):
        moved = np.tile(np.float32([50, 50]), (len(points), 1))
        found = np.arange(len(points)) % 3 == 0
        moved[found] = (3, 4)
        return moved, found

    monkeypatch.setattr(PointTracker, "follow", follow)
    assert not klt_motion_map(pan(0, 0, 2), subtract_camera=True).any()


def test_every_option_of_the_tracker_counts():
    frames = pan(6, 2, 2)
    for frame in frames:
        frame[:, :64] = cv2.GaussianBlur(frame, (0, 0), 6)[:, :64]  # faint
    points = grid_points(12, 16, 8)

    def found(**options):
        tracker = PointTracker(**options)
        return tracker.follow(*map(tracker.prepare, frames), points)[1].reshape(12, 16)

    faint, clear = found()[:, :6].mean(), found()[:, 10:-2].mean()
    assert faint > 0.3 and clear > 0.9
    strict = found(least_texture=3e-3)
    assert strict[:, :6].mean() < 0.5 * faint and strict[:, 10:-2].mean() > 0.9
    near = PointTracker(levels=0, window=7, explained=np.inf)
    far = PointTracker(levels=3, window=7, explained=np.inf)
    shifted = pan(14, 0, 2)
    right = [
        np.abs(t.follow(*map(t.prepare, shifted), points)[0] - (14, 0)).max(1) < 1
        for t in (near, far)
    ]
    # Coarse levels are needed for far motion.
    assert right[0].mean() < 0.25 and right[1].mean() > 0.5


def test_by_default_what_stands_still_beside_motion_is_dropped():
    frames = pan(0, 0, 4)
    for k, frame in enumerate(frames):
        frame[32:64, 40 + 6 * k : 72 + 6 * k] = texture(32, 32, 1)
    still = np.ones((12, 16), bool)
    still[4:8, 4:13] = False
    wrong = [
        (klt_motion_map(frames, tracker=tracker) >= 0.5)[:, still].mean()
        for tracker in (PointTracker(explained=np.inf), PointTracker(), None)
    ]
    assert wrong[1] == wrong[2] < 0.7 * wrong[0]


def test_shrinking_keeps_points_where_they_are(monkeypatch):
    """Pixel centres at integers: the middle of the first four pixels is small pixel 0."""
    seen = []

    def track(self, a, b, points):
        seen.append(points[:, 0].copy())
        return points, np.zeros(len(points), bool), np.zeros(len(points), np.float32)

    monkeypatch.setattr(PointTracker, "_track", track)
    frame = np.zeros((24, 32), np.uint8)
    PointTracker(shrink=4).follow(frame, frame, np.float32([[1.5, 1.5], [5.5, 9.5]]))
    np.testing.assert_allclose(seen[0], [[0, 0], [1, 2]])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (dict(noise=-1.0), "noise=-1"),
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
