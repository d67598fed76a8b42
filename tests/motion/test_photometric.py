from itertools import permutations

import numpy as np
import pytest

from mmpmg.motion import ColorJitter, FadeInOut, render

SIZE = (12, 15)
IMAGE = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize("direction", ["in", "out"])
def test_a_fade_is_linear_between_the_image_and_black(direction):
    motion = FadeInOut(direction=direction).sample(np.random.default_rng(0), 6, SIZE)
    clip = render(IMAGE, motion).astype(float)
    if direction == "in":
        clip = clip[::-1]
    np.testing.assert_array_equal(clip[0], IMAGE)
    assert (clip[-1] == 0).all()
    for k in range(6):
        np.testing.assert_allclose(clip[k], IMAGE * (1 - k / 5), atol=0.51)


def test_a_fade_can_stop_above_black():
    motion = FadeInOut(darkest=0.25, direction="out").sample(np.random.default_rng(0), 4, SIZE)
    np.testing.assert_allclose(render(IMAGE, motion)[-1], IMAGE * 0.25, atol=0.51)


def test_fades_go_in_and_out_equally_often():
    starts = [FadeInOut().sample(np.random.default_rng(s), 2, SIZE).color[0, 0] for s in range(400)]
    assert 160 < sum(starts) < 240


def table(op, num_frames=3, seeds=400):
    """Name → the change from frame 0 to frame 1, over many draws."""
    drawn = {}
    for seed in range(seeds):
        motion = op.sample(np.random.default_rng(seed), num_frames, SIZE)
        for name, column in zip(motion.color_ops, motion.color.T, strict=True):
            drawn.setdefault(name, []).append(column)
    return {name: np.array(columns) for name, columns in drawn.items()}


def test_jitter_draws_from_the_ranges_of_torchvisions_class():
    for name, columns in table(ColorJitter()).items():
        middle = 0.0 if name == "hue" else 1.0
        strength = {"brightness": 0.2, "contrast": 0.3, "saturation": 0.2, "hue": 0.1}[name]
        np.testing.assert_array_equal(columns[:, 0], middle)
        assert columns[:, 1].min() == pytest.approx(middle - strength, abs=0.01)
        assert columns[:, 1].max() == pytest.approx(middle + strength, abs=0.01)
        steady = columns[:, 1] * 2 if name == "hue" else columns[:, 1] ** 2
        np.testing.assert_allclose(columns[:, 2], steady)


def test_jitter_read_literally_draws_factors_below_the_strength():
    for name, columns in table(ColorJitter(reading="factor")).items():
        strength = {"brightness": 0.2, "contrast": 0.3, "saturation": 0.2, "hue": 0.1}[name]
        assert 0 <= columns[:, 1].min() < 0.01
        assert columns[:, 1].max() == pytest.approx(strength, abs=0.01)


def test_every_order_of_the_four_steps_is_drawn():
    orders = {ColorJitter().sample(np.random.default_rng(s), 2, SIZE).color_ops for s in range(400)}
    assert orders == set(permutations(["brightness", "contrast", "saturation", "hue"]))


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_recursive_and_composed_agree_where_nothing_saturates(name):
    strengths = {"brightness": 0.0, "contrast": 0.0, "saturation": 0.0, "hue": 0.0, name: 0.1}
    soft = (IMAGE // 4 + 80).astype(np.uint8)
    clips = [
        render(
            soft,
            ColorJitter(**strengths, resampling=mode).sample(np.random.default_rng(1), 6, SIZE),
        )
        for mode in ("recursive", "composed")
    ]
    assert np.abs(clips[0].astype(int) - clips[1]).max() <= 4
    assert np.abs(clips[1][-1].astype(int) - soft).max() >= 8


def test_frame_0_of_a_jitter_is_the_image():
    motion = ColorJitter().sample(np.random.default_rng(0), 3, SIZE)
    np.testing.assert_array_equal(render(IMAGE, motion)[0], IMAGE)


@pytest.mark.parametrize(
    ("op", "options", "told"),
    [
        (FadeInOut, {"darkest": 2}, "darkest=2"),
        (FadeInOut, {"direction": "inout"}, "both, in, out"),
        (ColorJitter, {"brightness": -0.1}, "brightness=-0.1"),
        (ColorJitter, {"contrast": (0, 0.3)}, "contrast="),
        (ColorJitter, {"hue": 0.6}, r"hue=0.6 is not a number in \[0, 0.5\]"),
        (ColorJitter, {"reading": "literal"}, "strength, factor"),
        (ColorJitter, {"resampling": "each"}, "recursive, composed"),
    ],
)
def test_wrong_options_are_named(op, options, told):
    with pytest.raises(ValueError, match=told):
        op(**options)
