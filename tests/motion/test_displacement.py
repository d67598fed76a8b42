"""What stands at x of frame k stands at x + flow of frame k + 1."""

import numpy as np
import pytest
from reference.motion_reference import bilinear, follow

from mmpmg.motion import OPS, Affine, CutMix, Motion, Paste, build_op, render

GEOMETRIC = {
    "slide": {"type": "SlidingWindow"},
    "walk": {"type": "SlidingWindow", "path": "walk", "step": 0.2},
    "zoom": {"type": "ZoomInOut"},
    "affine recursive": {"type": "Affine", "border": "replicate"},
    "affine composed": {"type": "Affine", "border": "replicate", "resampling": "composed"},
    "perspective recursive": {"type": "Perspective", "border": "replicate", "whole_pixels": False},
    "perspective composed": {
        "type": "Perspective",
        "whole_pixels": False,
        "distortion": 0.1,
        "border": "replicate",
        "resampling": "composed",
    },
}


def ramp(size):
    """Linear in x and y, so that bilinear sampling is exact up to rounding to 8 bits."""
    y, x = np.mgrid[: size[0], : size[1]] / (max(size) - 1)
    return np.rint(255 * np.stack([x, y, (x + y) / 2], axis=-1)).astype(np.uint8)


@pytest.mark.parametrize("size", [(48, 48), (37, 52), (31, 24)])
@pytest.mark.parametrize("name", GEOMETRIC)
def test_sampling_the_next_frame_along_the_flow_gives_this_frame(name, size):
    motion = build_op(GEOMETRIC[name]).sample(np.random.default_rng([3, *size]), 6, size)
    clip = render(ramp(size), motion)
    flow, seen = motion.flow(), motion.covisible()
    assert flow.shape == (5, *size, 2)
    assert flow.dtype == np.float32
    assert seen.mean() > 0.5
    errors = []
    for k, y, x in np.argwhere(seen)[::13]:
        u, v, w = motion.homographies[k] @ (x, y, 1.0)
        # Where the edge pixel is repeated the ramp has a kink, and bilinear sampling is not exact.
        if 1 <= u / w <= size[1] - 2 and 1 <= v / w <= size[0] - 2:
            there = (x, y) + flow[k, y, x]
            errors.append(np.abs(bilinear(clip[k + 1], *there, "replicate") - clip[k, y, x]).max())
    assert len(errors) > 100
    # The rounding of the image and of two frames, plus a recursive frame's round about the kink.
    assert np.quantile(errors, 0.99) <= 2.0
    assert np.mean(errors) <= 0.8
    moved = np.abs(clip[1:].astype(int) - clip[:-1])[seen].mean()
    assert np.mean(errors) < 0.5 * moved or moved < 1.0


@pytest.mark.parametrize("name", GEOMETRIC)
def test_flow_equals_following_each_pixel(name):
    size = (7, 9)
    motion = build_op(GEOMETRIC[name]).sample(np.random.default_rng(8), 4, size)
    flow, seen = motion.flow(), motion.covisible()
    for k in range(3):
        for y in range(size[0]):
            for x in range(size[1]):
                to = follow(motion.homographies[k], motion.homographies[k + 1], x, y)
                np.testing.assert_allclose((x, y) + flow[k, y, x], to, atol=1e-4)
                margin = min(*to, size[1] - 1 - to[0], size[0] - 1 - to[1])
                if abs(margin) > 2e-3:
                    assert seen[k, y, x] == (margin > 0)


@pytest.mark.parametrize("family", ["Identity", "FadeInOut", "ColorJitter"])
def test_colours_do_not_move(family):
    motion = OPS[family]().sample(np.random.default_rng(0), 5, (8, 11))
    assert (motion.flow() == 0).all()
    assert motion.covisible().all()


def test_one_frame_has_no_flow():
    motion = Affine().sample(np.random.default_rng(0), 1, (8, 11))
    assert motion.flow().shape == (0, 8, 11, 2)
    assert motion.covisible().shape == (0, 8, 11)


@pytest.mark.parametrize("size", [(16, 16), (15, 22)])
@pytest.mark.parametrize("seed", range(5))
def test_cutmix_flow_is_exact_where_covisible_and_only_there(size, seed):
    rng = np.random.default_rng(seed)
    motion = CutMix(path="walk", step=0.3).sample(rng, 6, size)
    # Every pixel of both images is unlike every other, so that equality means identity.
    ids = rng.permutation(2 * size[0] * size[1])
    ids = np.stack([ids // 256, ids % 256, np.zeros_like(ids)], axis=-1).astype(np.uint8)
    image, partner = ids.reshape(2, *size, 3)
    clip = render(image, motion, [partner])
    flow, seen = motion.flow(), motion.covisible()
    for k, y, x in np.ndindex(*seen.shape):
        dx, dy = flow[k, y, x].astype(int)
        if seen[k, y, x]:
            np.testing.assert_array_equal(clip[k + 1, y + dy, x + dx], clip[k, y, x])
        else:
            assert not (clip[k + 1] == clip[k, y, x]).all(axis=-1).any()


def test_background_next_to_a_paste_is_not_seen_through_it():
    shift = np.eye(3)
    shift[0, 2] = -0.5  # the background moves right by half a pixel
    motion = Motion(
        "x",
        (1, 8),
        np.stack([np.eye(3), shift]),
        paste=Paste((0, 0, 2, 1), np.array([[5, 0], [5, 0]])),
    )
    np.testing.assert_array_equal(motion.covisible()[0, 0], [1, 1, 1, 1, 0, 1, 1, 0])
    np.testing.assert_array_equal(motion.flow()[0, 0, :, 0], [0.5] * 5 + [0, 0] + [0.5])


def test_points_behind_the_horizon_are_not_seen():
    tilted = np.array([[1.0, 0, 0], [0, 1.0, 0], [-0.2, 0, 1.0]])
    motion = Motion("x", (3, 8), np.stack([tilted, np.eye(3)]))
    seen = motion.covisible()[0]
    assert np.isfinite(motion.flow()).all()
    assert not seen[:, 5:].any()
    assert seen[:, 0].all()
