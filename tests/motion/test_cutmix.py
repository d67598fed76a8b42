import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.motion_reference import paste_over

from mmpmg.motion import CutMix, render


@pytest.mark.parametrize("path", ["line", "walk"])
@pytest.mark.parametrize("size", [(16, 16), (15, 22)])
def test_the_clip_is_the_image_with_the_partners_window_bit_for_bit(size, path):
    rng = np.random.default_rng(0)
    image, partner = rng.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    motion = CutMix(path=path).sample(rng, 5, size)
    clip = render(image, motion, [partner])
    for k in range(5):
        position = motion.paste.positions[k]
        expected = paste_over(image, partner, motion.paste.source, position)
        np.testing.assert_array_equal(clip[k], expected)


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 2**32),
    size=st.tuples(st.integers(1, 200), st.integers(1, 200)),
    window=st.floats(0.01, 1.0),
    path=st.sampled_from(["line", "walk"]),
)
def test_both_rectangles_are_inside_their_images(seed, size, window, path):
    op = CutMix(window=window, path=path, step=0.5)
    paste = op.sample(np.random.default_rng(seed), 6, size).paste
    x, y, w, h = paste.source
    assert abs(w - window * size[1]) <= 1
    assert abs(h - window * size[0]) <= 1
    assert x + w <= size[1]
    assert y + h <= size[0]
    assert (paste.positions >= 0).all()
    assert (paste.positions + np.array([w, h]) <= (size[1], size[0])).all()


def test_windows_of_112_pixels_reach_every_side_of_224():
    pastes = [CutMix().sample(np.random.default_rng(s), 2, (224, 224)).paste for s in range(300)]
    assert {p.source[2:] for p in pastes} == {(112, 112)}
    for points in ([p.source[:2] for p in pastes], np.concatenate([p.positions for p in pastes])):
        assert (np.min(points, axis=0) <= 3).all()
        assert (np.max(points, axis=0) >= 109).all()


def test_a_line_is_straight_up_to_half_a_pixel():
    positions = CutMix().sample(np.random.default_rng(2), 16, (224, 224)).paste.positions
    straight = np.linspace(positions[0], positions[-1], 16)
    assert np.abs(positions - straight).max() <= 1.0
    assert np.abs(positions[-1] - positions[0]).max() > 5


@pytest.mark.parametrize(
    ("options", "told"),
    [({"window": 0}, "window=0"), ({"path": "zigzag"}, "line, walk"), ({"step": 3}, "step=3")],
)
def test_wrong_options_are_named(options, told):
    with pytest.raises(ValueError, match=told):
        CutMix(**options)
