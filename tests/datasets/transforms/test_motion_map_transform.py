"""MotionMap in a pipeline: exact where the motion is known, estimated where it is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from mmaction.registry import TRANSFORMS
from mmengine.registry import init_default_scope

from mmpmg.datasets.klt_motion import PointTracker, klt_motion_map
from mmpmg.datasets.transforms import DenseFlow, MotionMap, PMGAug, PMGPipeline
from mmpmg.motion import build_op
from mmpmg.motion.motion_map import motion_map

SIZE = (48, 64)


def frames(count, seed=0):
    """A textured picture that moves two pixels to the right a frame."""
    rough = np.random.default_rng(seed).integers(0, 256, (16, 32, 3), dtype=np.uint8)
    wide = cv2.resize(rough, (SIZE[1] + 2 * count, SIZE[0]), interpolation=cv2.INTER_CUBIC)
    starts = [2 * (count - k) for k in range(count)]
    return [np.ascontiguousarray(wide[:, x : x + SIZE[1]]) for x in starts]


def zoom(seed=0, count=4):
    return build_op(dict(type="ZoomInOut")).sample(np.random.default_rng(seed), count, SIZE)


def test_a_real_clip_gets_the_map_of_its_points():
    clip = frames(4)
    results = MotionMap()(dict(imgs=list(clip), clip_len=4))
    np.testing.assert_array_equal(results["motion_map"], klt_motion_map(clip).astype(np.float16))
    assert results["motion_map"].shape == (2, 6, 8) and results["motion_map"].dtype == np.float16
    assert 1.9 < np.median(results["motion_map"]) < 2.1
    for before, after in zip(clip, results["imgs"], strict=True):
        assert before is after
    options = dict(frames=4, cell=16, pairs="all", subtract_camera=True)
    tracker = dict(shrink=2, window=7, levels=1, check_back=True)
    tracker |= dict(least_texture=3e-4, explained=0.8, noise=2.0)
    other = MotionMap(**options, **tracker)(dict(imgs=clip))["motion_map"]
    expected = klt_motion_map(clip, 4, 16, "all", PointTracker(**tracker), True)
    np.testing.assert_array_equal(other, expected.astype(np.float16))


@pytest.mark.parametrize("deferred", [False, True])
def test_behind_pmg_pipeline_it_is_exact_rendered_or_not(deferred):
    make = PMGPipeline(num_frames=4, deferred=deferred)
    results = make(dict(imgs=frames(1), sample_seed=3))
    motion = results["deferred_motion" if deferred else "motion"]
    found = MotionMap()(results)["motion_map"]
    np.testing.assert_array_equal(found, motion_map(motion).astype(np.float16))
    assert found.shape == (2, 6, 8) and found.any()


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("prob", [0.0, 1.0])
def test_behind_pmg_aug_real_clips_are_estimated_and_others_exact(prob, deferred):
    aug = PMGAug(prob=prob, deferred=deferred)
    results = aug(dict(imgs=frames(4), clip_len=4, sample_seed=1))
    found = MotionMap()(results)["motion_map"]
    motion = results["motions"][0]
    expected = klt_motion_map(frames(4)) if motion is None else motion_map(motion)
    assert (motion is None) == (prob == 0)
    np.testing.assert_array_equal(found, expected.astype(np.float16))


@pytest.mark.parametrize("make", [PMGPipeline(num_frames=4), PMGAug(prob=1.0)])
@pytest.mark.parametrize("read", [MotionMap(), DenseFlow()])
def test_a_clip_that_was_read_is_not_replaced(make, read):
    name = type(make).__name__
    results = read(dict(imgs=frames(4), clip_len=4, sample_seed=1))
    told = f"{name}: the results hold .* put {type(read).__name__} behind {name}"
    with pytest.raises(ValueError, match=told):
        make(results)
    read(make(dict(imgs=frames(4), clip_len=4, sample_seed=1)))


def test_clips_of_one_sample_are_apart():
    clips = frames(4, 1) + frames(4, 2)[::-1] + frames(4, 3)
    motion = zoom()
    results = dict(imgs=clips, clip_len=4, num_clips=3, motions=[None, motion, None])
    found = MotionMap()(results)["motion_map"]
    expected = [klt_motion_map(clips[:4]), motion_map(motion), klt_motion_map(clips[8:])]
    np.testing.assert_array_equal(found, np.stack(expected).astype(np.float16))


def test_a_mirrored_clip_has_the_mirrored_map():
    """Behind MMAction2's Flip, as its place is."""
    init_default_scope("mmaction")
    clip = frames(2)
    for frame in clip:
        frame[:, 40:] = 90  # nothing to see on the right
    plain = MotionMap()(dict(imgs=[frame.copy() for frame in clip]))["motion_map"]
    flip = TRANSFORMS.build(dict(type="Flip", flip_ratio=1.0))
    results = flip(dict(imgs=clip, modality="RGB", img_shape=SIZE))
    mirrored = TRANSFORMS.build(dict(type="MotionMap"))(results)["motion_map"]
    assert plain[..., :4].any() and not plain[..., 6:].any()
    assert not mirrored[..., :2].any()
    np.testing.assert_allclose(mirrored[..., :3:-1], plain[..., :4], atol=0.1)


def test_an_infinite_speed_is_a_number_in_half_precision():
    fast = build_op(dict(type="SlidingWindow", window=0.001)).sample(
        np.random.default_rng(0), 4, SIZE
    )
    found = MotionMap()(dict(imgs=frames(4), motion=fast))["motion_map"]
    assert np.isfinite(found).all() and found.max() > 1000


@pytest.mark.parametrize(
    ("results", "told"),
    [
        (dict(imgs=frames(5), clip_len=5), r"5 frames .*frames=2; change SampleFrames\.clip_len"),
        (dict(imgs=frames(5), clip_len=2), r"5 frames are no whole number of clips"),
        (dict(imgs=frames(1)), r"1 frames .*behind PMGPipeline.*motion_map=, not motion="),
        (dict(imgs=[f[:44] for f in frames(2)]), r"\(44, 64\) .*put a Resize or a crop"),
        (dict(imgs=[f[:4] for f in frames(2)]), r"\(4, 64\)"),
        (dict(imgs=[]), "must be a list.*a list"),
        (dict(), "must be a list.*NoneType"),
        (dict(imgs=np.zeros((1, 3, 4, *SIZE), np.uint8)), r"a uint8 array of shape \(1, 3"),
        (dict(imgs=[f.astype(np.float32) for f in frames(2)]), "a float32 array"),
        (dict(imgs=[f[..., :2] for f in frames(2)]), r"shape \(48, 64, 2\)"),
        (dict(imgs=[frames(1)[0], frames(1)[0][:40]]), "frames of several sizes"),
        (dict(imgs=[f[:, :56] for f in frames(4)], motion=zoom()), r"\(48, 56\).*before those"),
        (dict(imgs=frames(8), clip_len=4, motion=zoom()), "1 motions for 2 clips"),
    ],
)
def test_what_cannot_be_used_is_named(results, told):
    with pytest.raises(ValueError, match=f"MotionMap: .*{told}"):
        MotionMap()(results)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (dict(frames=1), "frames=1 is not a whole number"),
        (dict(cell=0), "cell=0"),
        (dict(pairs="each"), "pairs='each' is unknown; choose one of within, all"),
        (dict(window=10), "window=10 must be odd"),
        (dict(noise=-1), "noise=-1"),
        (dict(subtract_camera="no"), "subtract_camera='no'"),
    ],
)
def test_options_are_checked(options, told):
    with pytest.raises(ValueError, match=f"MotionMap: {told}"):
        MotionMap(**options)
    assert "check_back=False, subtract_camera=False)" in repr(MotionMap())
