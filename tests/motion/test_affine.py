import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmpmg.motion import Affine, render
from mmpmg.motion.affine import affine_matrix


def steps(motion):
    """(T-1, 3, 3): a point of frame k → frame k + 1."""
    return np.linalg.inv(motion.warp_steps()[1:])


@pytest.mark.parametrize(
    ("rotation", "translation", "scale", "shear"),
    [
        (10.0, (0, 0), 1.0, (0.0, 0.0)),
        (0.0, (3, -2), 1.0, (0.0, 0.0)),
        (0.0, (0, 0), 0.7, (0.0, 0.0)),
        (0.0, (0, 0), 1.0, (20.0, 0.0)),
        (0.0, (0, 0), 1.0, (0.0, -15.0)),
        (-33.0, (2, 5), 1.2, (8.0, -11.0)),
    ],
)
@pytest.mark.parametrize("size", [(32, 32), (27, 40)])
def test_one_step_looks_like_torchvision(size, rotation, translation, scale, shear):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchvision.transforms.v2.functional")
    interpolation = pytest.importorskip("torchvision.transforms").InterpolationMode.BILINEAR
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    theirs = functional.affine(
        torch.from_numpy(image).permute(2, 0, 1),
        angle=rotation,
        translate=list(translation),
        scale=scale,
        shear=list(shear),
        interpolation=interpolation,
    )
    op = Affine(resampling="composed")
    motion = op.sample(np.random.default_rng(0), 1, size)
    matrix = np.linalg.inv(affine_matrix(size, rotation, translation, scale, shear))
    one = type(motion).from_dict({**motion.to_dict(), "homographies": [matrix.tolist()]})
    ours = render(image, one)[0]
    difference = np.abs(ours.astype(int) - theirs.permute(1, 2, 0).numpy())
    assert difference.max() <= 1


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), height=st.integers(1, 300), width=st.integers(1, 300))
def test_parameters_stay_in_the_ranges_of_the_supplement(seed, height, width):
    motion = Affine().sample(np.random.default_rng(seed), 3, (height, width))
    for step in steps(motion):
        # linear = scale * turn @ slant_x: the first column is the turned unit vector.
        scale, angle = np.hypot(*step[:2, 0]), math.degrees(math.atan2(step[1, 0], step[0, 0]))
        assert 0.9999 - 1e-9 <= scale <= 1.0001 + 1e-9
        assert abs(angle) <= 15 + 1e-6
        first, second = step[:2, 0] / scale, step[:2, 1] / scale
        assert abs(math.degrees(math.atan(first @ second))) <= 1 + 1e-6
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        shift = step[:2, :2] @ centre + step[:2, 2] - centre
        assert (np.abs(shift) <= np.rint(0.01 * np.array([width, height])) + 1e-6).all()
        np.testing.assert_allclose(shift, np.rint(shift), atol=1e-6)


def test_every_frame_repeats_the_same_step():
    motion = Affine().sample(np.random.default_rng(1), 16, (64, 64))
    all_steps = steps(motion)
    np.testing.assert_allclose(all_steps, np.broadcast_to(all_steps[0], all_steps.shape), atol=1e-8)
    np.testing.assert_array_equal(motion.homographies[0], np.eye(3))


def test_rotation_accumulates_to_225_degrees():
    op = Affine(rotation=(15, 15), shear=(0, 0), scale=(1, 1), translation=(0, 0))
    last = op.sample(np.random.default_rng(0), 16, (64, 64)).homographies[-1]
    assert math.degrees(math.atan2(-last[1, 0], last[0, 0])) % 360 == pytest.approx(225)


def test_shifts_can_be_continuous():
    op = Affine(rotation=(0, 0), scale=(1, 1), shear=(0, 0), whole_pixels=False)
    shifts = [
        -op.sample(np.random.default_rng(s), 2, (50, 100)).homographies[1, :2, 2]
        for s in range(300)
    ]
    np.testing.assert_allclose(np.max(shifts, axis=0), (1.0, 0.5), rtol=0.05)
    np.testing.assert_allclose(np.min(shifts, axis=0), (-1.0, -0.5), rtol=0.05)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rotation": 15}, r"rotation=15 is not a range"),
        ({"rotation": (15, -15)}, "rotation="),
        ({"translation": (-2, 2)}, r"translation=.*\[-1, 1\]"),
        ({"scale": (0, 1)}, "scale="),
        ({"shear": (-90, 90)}, "shear="),
        ({"shear_y": ("a", "b")}, "shear_y="),
        ({"whole_pixels": "no"}, "True or False"),
        ({"resampling": "once"}, "recursive, composed"),
        ({"border": "black"}, "border='black'"),
        ({"border": (1, 2)}, "border="),
        ({"interpolation": "cubic"}, "bilinear, nearest"),
    ],
)
def test_wrong_options_are_named(options, told):
    with pytest.raises(ValueError, match=told):
        Affine(**options)
