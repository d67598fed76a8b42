import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmpmg.motion import Affine, Perspective, render
from mmpmg.motion.perspective import homography_from_corners


def corners(size):
    height, width = size
    ends = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
    return np.array(ends, dtype=float)


def moved_corners(motion):
    """Where one step takes the corners, in torchvision's coordinates (pixel centres at .5)."""
    points = np.c_[corners(motion.size) - 0.5, np.ones(4)]
    out = points @ np.linalg.inv(motion.homographies[1]).T
    return out[:, :2] / out[:, 2:] + 0.5


@pytest.mark.parametrize("size", [(64, 64), (41, 90)])
@pytest.mark.parametrize("seed", range(4))
def test_one_step_looks_like_torchvision(size, seed):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    interpolation = pytest.importorskip("torchvision.transforms").InterpolationMode.BILINEAR
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    motion = Perspective(distortion=0.3).sample(np.random.default_rng(seed), 2, size)
    theirs = functional.perspective(
        torch.from_numpy(image).permute(2, 0, 1),
        corners(size).astype(int).tolist(),
        np.rint(moved_corners(motion)).astype(int).tolist(),
        interpolation=interpolation,
    )
    difference = np.abs(render(image, motion)[1].astype(int) - theirs.permute(1, 2, 0).numpy())
    assert difference.max() <= 2
    assert difference.mean() < 0.1


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(2, 300),
    width=st.integers(2, 300),
    distortion=st.floats(0.0, 0.99),
    whole_pixels=st.booleans(),
)
def test_corners_move_inwards_by_at_most_half_the_distortion(
    seed, height, width, distortion, whole_pixels
):
    if whole_pixels and 0 < distortion * (max(height, width) // 2) < 1:
        whole_pixels = False
    op = Perspective(distortion=distortion, whole_pixels=whole_pixels)
    motion = op.sample(np.random.default_rng(seed), 2, (height, width))
    inwards = (moved_corners(motion) - corners((height, width))) * [
        [1, 1],
        [-1, 1],
        [-1, -1],
        [1, -1],
    ]
    assert (inwards >= -1e-5).all()
    assert (inwards <= distortion * np.array([width, height]) / 2 + 1e-5).all()
    if whole_pixels:
        np.testing.assert_allclose(inwards, np.rint(inwards), atol=1e-4)


def test_default_reaches_five_pixels_of_224():
    drawn = [
        np.abs(
            moved_corners(Perspective().sample(np.random.default_rng(s), 2, (224, 224)))
            - corners((224, 224))
        )
        for s in range(40)
    ]
    counts = np.bincount(np.rint(drawn).astype(int).ravel())
    assert len(counts) == 6
    assert counts.min() > 0.6 * counts.mean()


def test_every_frame_repeats_the_same_step():
    motion = Perspective().sample(np.random.default_rng(1), 8, (60, 70))
    steps = motion.warp_steps()[1:]
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(motion.homographies[0], np.eye(3))


def test_homography_from_corners_maps_the_corners():
    rng = np.random.default_rng(0)
    points = corners((30, 50))
    images = points + rng.uniform(-5, 5, size=(4, 2))
    out = np.c_[points, np.ones(4)] @ homography_from_corners(points, images).T
    np.testing.assert_allclose(out[:, :2] / out[:, 2:], images, atol=1e-9)


def test_an_image_of_one_row_is_refused():
    with pytest.raises(ValueError, match="1 x 20 pixels"):
        Perspective().sample(np.random.default_rng(0), 4, (1, 20))


def test_a_distortion_that_rounds_to_nothing_is_refused():
    with pytest.raises(ValueError, match=r"24 x 38 pixels.*whole_pixels=False"):
        Perspective().sample(np.random.default_rng(0), 4, (24, 38))
    finer = Perspective(whole_pixels=False).sample(np.random.default_rng(0), 4, (24, 38))
    assert np.abs(finer.flow()).max() > 0.1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"distortion": 1.0}, r"distortion=1.0 is not a number in \[0, 0.99\]"),
        ({"distortion": True}, "distortion=True"),
        ({"border": -1}, "border=-1"),
        ({"resampling": None}, "recursive, composed"),
    ],
)
def test_wrong_options_are_named(options, told):
    with pytest.raises(ValueError, match=told):
        Perspective(**options)


@pytest.mark.parametrize(
    ("op", "num_frames", "told"),
    [
        (Perspective(distortion=0.99, whole_pixels=False), 64, "Perspective: distortion=0.99"),
        (Affine(scale=(0.01, 0.01)), 200, r"Affine: scale=\(0.01, 0.01\)"),
    ],
)
def test_steps_that_leave_the_numbers_are_told_by_the_option_they_come_from(op, num_frames, told):
    with pytest.raises(ValueError, match=rf"{told} is too much for num_frames={num_frames}"):
        op.sample(np.random.default_rng(0), num_frames, (64, 64))
