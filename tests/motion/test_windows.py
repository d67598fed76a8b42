import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmpmg.motion import SlidingWindow, ZoomInOut, render

SIZES = st.tuples(st.integers(1, 300), st.integers(1, 300))


def windows(motion):
    """Sides (T,) and top left corners (T, 2) as (x, y), as fractions of the image."""
    h = motion.homographies
    height, width = motion.size
    # Output edge -.5 shows the window's edge; source edge coordinates are pixel centre + .5.
    corners = (h[:, :2, 2] + h[:, [0, 1], [0, 1]] * -0.5 + 0.5) / (width, height)
    np.testing.assert_array_equal(h[:, 0, 0], h[:, 1, 1])
    return h[:, 0, 0], corners


def assert_inside(sides, corners):
    assert (corners >= -1e-9).all()
    assert (corners + sides[:, None] <= 1 + 1e-9).all()


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    size=SIZES,
    frames=st.integers(1, 20),
    path=st.sampled_from(["line", "walk"]),
    window=st.floats(0.01, 1.0),
    step=st.floats(0.0, 1.0),
)
def test_sliding_window_keeps_its_side_and_stays_inside(seed, size, frames, path, window, step):
    op = SlidingWindow(window=window, path=path, step=step)
    sides, corners = windows(op.sample(np.random.default_rng(seed), frames, size))
    np.testing.assert_array_equal(sides, window)
    assert_inside(sides, corners)


def test_a_line_is_straight_and_at_constant_speed():
    motion = SlidingWindow().sample(np.random.default_rng(4), 9, (40, 60))
    _, corners = windows(motion)
    steps = np.diff(corners, axis=0)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), atol=1e-12)
    assert np.abs(steps[0]).min() > 0


def test_a_walk_steps_no_further_than_told_and_turns():
    op = SlidingWindow(path="walk", step=0.03)
    _, corners = windows(op.sample(np.random.default_rng(4), 200, (40, 60)))
    steps = np.diff(corners, axis=0)
    assert 0.028 < np.abs(steps).max() <= 0.03 + 1e-12
    assert (steps > 0).any(axis=0).all()
    assert (steps < 0).any(axis=0).all()


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**32),
    size=SIZES,
    frames=st.integers(2, 20),
    measure=st.sampled_from(["side", "area"]),
    path=st.sampled_from(["nested", "concentric", "free"]),
    direction=st.sampled_from(["in", "out"]),
)
def test_zoom_is_monotone_and_inside_its_ranges(seed, size, frames, measure, path, direction):
    op = ZoomInOut(measure=measure, path=path, direction=direction)
    sides, corners = windows(op.sample(np.random.default_rng(seed), frames, size))
    assert_inside(sides, corners)
    if direction == "in":
        sides, corners = sides[::-1], corners[::-1]
    assert (np.diff(sides) > 0).all()
    small, large = sides[[0, -1]] ** (2 if measure == "area" else 1)
    assert 0.2 - 1e-9 <= small <= 0.45 + 1e-9
    assert 0.55 - 1e-9 <= large <= 0.95 + 1e-9
    if path == "nested":
        assert (np.diff(corners, axis=0) <= 1e-12).all()
        assert (np.diff(corners + sides[:, None], axis=0) >= -1e-12).all()
    if path == "concentric":
        centres = corners + sides[:, None] / 2
        np.testing.assert_allclose(centres, np.broadcast_to(centres[0], centres.shape))


def test_a_free_zoom_leaves_the_first_window():
    op, outside = ZoomInOut(path="free"), 0
    for seed in range(30):
        sides, corners = windows(op.sample(np.random.default_rng(seed), 4, (50, 50)))
        outside += (np.diff(corners * np.sign(np.diff(sides)[0]), axis=0) > 1e-9).any()
    assert outside > 3


def test_zooms_go_in_and_out_equally_often():
    sides = [
        windows(ZoomInOut().sample(np.random.default_rng(s), 2, (50, 50)))[0] for s in range(400)
    ]
    assert 160 < sum(bool(s[1] > s[0]) for s in sides) < 240


def test_the_ranges_are_used_to_their_ends():
    ends = np.array(
        [
            np.sort(windows(ZoomInOut().sample(np.random.default_rng(s), 2, (50, 50)))[0])
            for s in range(400)
        ]
    )
    np.testing.assert_allclose(ends.min(axis=0), (0.2, 0.55), atol=0.01)
    np.testing.assert_allclose(ends.max(axis=0), (0.45, 0.95), atol=0.01)


def test_a_full_window_is_the_image():
    image = np.random.default_rng(0).integers(0, 256, (13, 17, 3), dtype=np.uint8)
    motion = SlidingWindow(window=1.0).sample(np.random.default_rng(0), 3, (13, 17))
    np.testing.assert_array_equal(render(image, motion), np.stack([image] * 3))


def test_a_half_window_shows_each_pixel_twice_as_large():
    image = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
    motion = SlidingWindow(interpolation="nearest").sample(np.random.default_rng(0), 1, (12, 20))
    x, y = np.rint(windows(motion)[1][0] * (20, 12)).astype(int)
    # At a whole-pixel corner nearest sampling must repeat every source pixel 2 x 2.
    exact = motion.homographies.copy()
    exact[0, :2, 2] = (x - 0.25, y - 0.25)
    whole = type(motion).from_dict({**motion.to_dict(), "homographies": exact.tolist()})
    expected = image[y : y + 6, x : x + 10].repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(render(image, whole)[0], expected)


@pytest.mark.parametrize(
    ("op", "options", "told"),
    [
        (SlidingWindow, {"window": 0}, "window=0"),
        (SlidingWindow, {"window": 1.5}, "window=1.5"),
        (SlidingWindow, {"path": "curve"}, "line, walk"),
        (SlidingWindow, {"step": -1}, "step=-1"),
        (ZoomInOut, {"small": (0.4, 0.2)}, "small="),
        (ZoomInOut, {"small": (0.2, 0.8)}, "large="),
        (ZoomInOut, {"large": (0.5, 1.2)}, "large="),
        (ZoomInOut, {"large": 0.5}, "large=0.5"),
        (ZoomInOut, {"measure": "pixel"}, "side, area"),
        (ZoomInOut, {"direction": "up"}, "both, in, out"),
        (ZoomInOut, {"path": "line"}, "nested, concentric, free"),
    ],
)
def test_wrong_options_are_named(op, options, told):
    with pytest.raises(ValueError, match=told):
        op(**options)
