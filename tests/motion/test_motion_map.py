"""The map of where a clip moves, against the dense flow's maximum in every cell."""

from __future__ import annotations

import numpy as np
import pytest
from motion.layered_motions import waves
from reference.motion_map_reference import cell_maxima

from mmpmg.motion import Layer, Matte, Motion, build_op
from mmpmg.motion.deformation import Deformation
from mmpmg.motion.motion_map import motion_map

SIZE, FRAMES = (48, 64), 6
STILL = {"still": {"type": "Identity"}}


def draw(options, seed=0, frames=FRAMES, size=SIZE):
    return build_op(options).sample(np.random.default_rng(seed), frames, size)


def shifts(*steps, **options):
    """The whole frame moves by (dx, dy) from each frame to the next."""
    homographies = np.tile(np.eye(3), (len(steps) + 1, 1, 1))
    homographies[1:, :2, 2] = -np.cumsum(steps, axis=0)
    return Motion("shifts", SIZE, homographies, **options)


def half_a_pixel(motion):
    """How much the displacement changes over half a pixel along x and y, at most."""
    flow = motion.flow()
    return 0.5 * sum(np.linalg.norm(np.diff(flow, axis=a), axis=-1).max() for a in (1, 2)) + 1e-4


@pytest.mark.parametrize("pairs", ["within", "all"])
@pytest.mark.parametrize("cell", [4, 8, 16])
@pytest.mark.parametrize("family", ["SlidingWindow", "ZoomInOut"])
def test_a_zoom_has_the_largest_displacement_of_every_cell(family, cell, pairs):
    motion = draw(dict(type=family), seed=cell)
    expected, _ = cell_maxima(motion, 2, cell, pairs)
    found = motion_map(motion, 2, cell, pairs)
    assert found.shape == expected.shape and found.dtype == np.float32
    assert (found >= expected - 1e-4).all(), "the corners are the extremes"
    assert (found <= expected + half_a_pixel(motion)).all()
    assert expected.max() > 0.5


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("resampling", ["recursive", "composed"])
@pytest.mark.parametrize("family", ["Affine", "Perspective"])
def test_the_border_moves_nothing(family, resampling, seed):
    options = dict(type=family, resampling=resampling)
    options |= dict(rotation=(-20, 20)) if family == "Affine" else dict(whole_pixels=False)
    motion = draw(options, seed)
    expected, shown = cell_maxima(motion, bordered=True)
    found = motion_map(motion)
    within = half_a_pixel(motion)
    # A cell reaches half a pixel further than its pixels' centres, where image may begin or end.
    around = np.pad(shown, ((0, 0), (1, 1), (1, 1)))
    around = np.lib.stride_tricks.sliding_window_view(around, (1, 3, 3))[..., 0, :, :]
    assert (found[around.max((-2, -1)) == 0] == 0).all()
    for cells, tolerance in ((around.min((-2, -1)) == 1, within), (shown == 1, 16 * within)):
        assert cells.mean() > 0.1
        np.testing.assert_allclose(found[cells], expected[cells], atol=tolerance, rtol=0)


@pytest.mark.parametrize("corner", [(0, 0), (0, -1), (-1, 0), (-1, -1)])
def test_the_border_may_come_in_at_one_corner_of_the_frame(corner):
    """By hand: a shear that takes that corner out of the image and leaves the other three in it."""
    row, column = corner
    slant = 0.3 if column else -0.3
    start = np.eye(3)
    # Looks at x + slant * d, d pixels from the edge of the frame that stays.
    start[0, 1:] = (slant, 0.5 * slant) if row else (-slant, (SIZE[0] - 0.5) * slant)
    step = np.eye(3)
    step[1, 2] = -1
    found = motion_map(Motion("shear", SIZE, np.stack([start, start @ step])))[0]
    for other in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert found[other] == pytest.approx(float(other != corner))


@pytest.mark.parametrize("places", [(0, -44, 0, 5), (-44, 0, 0, 5)])
def test_what_left_the_frame_is_gone_in_recursive_resampling_only(places):
    homographies = np.tile(np.eye(3), (4, 1, 1))
    homographies[:, 0, 2] = -np.array(places)
    gone = motion_map(Motion("back", SIZE, homographies, resampling="recursive"))[1]
    kept = motion_map(Motion("back", SIZE, homographies))[1]
    assert (gone[:, :5] == 0).all() and (gone[:, 5:] == 5).all()
    assert (kept == 5).all()


@pytest.mark.parametrize(
    ("direction", "rim"),
    [
        ((1, 0), np.s_[:, 0]),
        ((-1, 0), np.s_[:, -1]),
        ((0, 1), np.s_[0]),
        ((0, -1), np.s_[-1]),
    ],
    ids=["right", "left", "down", "up"],
)
@pytest.mark.parametrize(("moved", "speed"), [(7.6, 1.0), (8.4, 0.0)])
def test_a_cell_of_the_rim_moves_while_the_image_reaches_into_it(direction, rim, moved, speed):
    """By hand: cells of 8 pixels, and an image that ends half a pixel beyond its last centre."""
    homographies = np.tile(np.eye(3), (2, 1, 1))
    homographies[:, :2, 2] = -np.outer((moved, moved + 1), direction)
    expected = np.ones((6, 8))
    expected[rim] = speed
    np.testing.assert_allclose(motion_map(Motion("pan", SIZE, homographies))[0], expected)


@pytest.mark.parametrize("family", ["Identity", "FadeInOut", "ColorJitter"])
def test_what_moves_nothing_is_exactly_zero(family):
    assert not motion_map(draw(dict(type=family))).any()


def test_a_picture_that_is_held_askew_is_exactly_zero():
    askew = draw(dict(type="Affine"), 2).homographies[-1:]  # whose inverse is off by a rounding
    assert not motion_map(Motion("held", SIZE, askew.repeat(2, axis=0), border="replicate")).any()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("window", [0.1, 0.5])
def test_a_pasted_rectangle_moves_the_cells_that_it_touches(window, seed):
    motion = draw(dict(type="CutMix", window=window), seed)
    expected, _ = cell_maxima(motion)
    assert expected.any()
    np.testing.assert_allclose(motion_map(motion), expected, atol=1e-5)


def test_a_paste_hides_what_it_covers():
    options = {name: getattr(draw(dict(type="CutMix")), name) for name in ("paste",)}
    moving = shifts(*[(3, 0)] * (FRAMES - 1), border="replicate", **options)
    expected, _ = cell_maxima(moving)
    found = motion_map(moving)
    inner = np.s_[:, :, 2:]  # on the left the border comes in
    np.testing.assert_allclose(found[inner], expected[inner], atol=1e-5)
    assert len(np.unique(expected[inner].round(3))) > 1


@pytest.mark.parametrize("seed", range(3))
def test_a_bent_image_is_found_at_the_corners(seed):
    motion = draw(dict(type="SmoothDisplacement"), seed, 4, (96, 96))
    expected, _ = cell_maxima(motion)
    off = np.abs(motion_map(motion) - expected)
    # A wave of 29 pixels may have its crest inside a cell of 8.
    assert off.max() < half_a_pixel(motion) + 0.1 * expected.max()
    assert off.mean() < 0.1 and expected.max() > 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "options",
    [
        dict(type="Layered"),
        dict(type="Layered", background=STILL, deform=0.0, parts=(1, 2)),
        dict(type="Layered", background=STILL, deform=1.0),
    ],
    ids=["default", "rigid", "bent"],
)
def test_parts_move_the_cells_where_they_are_seen(options, seed):
    motion = draw(options, seed, 4)
    expected, _ = cell_maxima(motion)
    found = motion_map(motion)
    within = half_a_pixel(build_motionless_rim(motion))
    assert (found >= expected - 0.1 * expected.max() - within).all()
    if "background" in options:
        np.testing.assert_array_equal(found > 0, expected > 0)
    # Where a part's rim crosses a cell, the part counts as if it filled it: a little more.
    assert np.median(np.abs(found - expected)) < 0.05 * expected.max() + within
    assert (found - expected).max() < 0.5 * expected.max() + within


def build_motionless_rim(motion):
    """The motion without its parts: their rims are steps of the flow, not its slope."""
    names = ("family", "size", "homographies", "border", "deformation")
    return Motion(**{name: getattr(motion, name) for name in names})


def square_over(part, background):
    """A square that fills pixels 16 to 32 moves ``part`` pixels right, all else ``background``."""
    square = Matte("polygon", (24.0, 24.0), 8.2 * 2**0.5, (1.0,) * 4, angle=np.pi / 4, softness=0.5)
    ways = np.tile(np.eye(3), (2, 2, 1, 1))
    ways[0, 1, 0, 2], ways[1, 1, 0, 2] = -part, -background
    layer = Layer(square, Motion("part", SIZE, ways[0], border="replicate"))
    return Motion("background", SIZE, ways[1], border="replicate", layers=(layer,))


def test_a_square_part_over_a_still_image():
    """By hand: 16 pixels wide, it moves 3 to the right a frame, over cells of 8."""
    expected = np.zeros((1, 6, 8))
    expected[0, 2:5, 2:5] = 3.0
    motion = square_over(3.0, 0.0)
    np.testing.assert_allclose(motion_map(motion), expected, atol=1e-6)
    assert (cell_maxima(motion)[0] > 0).tolist() == (expected > 0).tolist()


def test_a_still_part_hides_the_image_that_moves_behind_it():
    """By hand: it covers 2 x 2 cells, and of the next ones a row and a column of pixels."""
    expected = np.full((1, 6, 8), 3.0)
    expected[0, 2:4, 2:4] = 0.0
    np.testing.assert_allclose(motion_map(square_over(0.0, 3.0)), expected, atol=1e-6)


def test_nothing_moves_behind_the_horizon():
    """By hand: (x, y) goes to (x, y) / (1 - x / 40), and from x = 40 on to nowhere."""
    homographies = np.tile(np.eye(3), (2, 1, 1))
    homographies[1, 2, 0] = 1 / 40
    found = motion_map(Motion("tilt", SIZE, homographies, border="replicate"))[0]
    assert (found[:, 6:] == 0).all(), "both corners are behind it"
    corner = np.hypot(23.5, 7.5) * (1 / (1 - 23.5 / 40) - 1)
    assert found[0, 2] == pytest.approx(corner, rel=1e-5)
    assert (found[:, 5] > 1000).all(), "one corner is half a pixel before it"


def test_the_border_is_where_the_bent_image_ends():
    """A wave so long that all of the frame looks 20 pixels to the right: border from x = 44 on."""
    still = np.tile(np.eye(3), (2, 1, 1))
    amplitudes = np.array([[[20.0, 0.0]], [[19.0, 0.0]]])
    wave = Deformation(np.array([[1e-6, 0.0]]), np.array([np.pi / 2]), amplitudes)
    found = motion_map(Motion("bent", SIZE, still, deformation=wave))[0]
    assert (found[:, 6:] == 0).all()
    np.testing.assert_allclose(found[:, :5], 1.0, atol=1e-3)


def test_pairs_within_a_slot_and_between_slots():
    motion = shifts((0, 0), (4, 3), (0, 0), border="replicate")
    assert not motion_map(motion).any(), "it moves between the slots only"
    between = motion_map(motion, pairs="all")
    assert (between[0] == 5).all() and not between[1].any()
    whole = motion_map(motion, frames=4)
    assert whole.shape == (1, 6, 8) and (whole == 5).all()


def test_a_bent_part_needs_its_own_corners_only():
    rng = np.random.default_rng(0)
    still = np.tile(np.eye(3), (6, 1, 1))
    size = (48, 64)
    bent = Motion("part", size, still, border="replicate", deformation=waves(rng))
    matte = Matte("blob", (30.0, 24.0), 10.0)
    motion = Motion("still", size, still, layers=(Layer(matte, bent),))
    expected, _ = cell_maxima(motion)
    found = motion_map(motion)
    np.testing.assert_array_equal(found > 0, expected > 0)
    assert (found >= 0.6 * expected).all() and 0 < (expected > 0).mean() < 0.5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (dict(frames=4), r"6 frames .*frames=4; change SampleFrames.clip_len"),
        (dict(frames=8), "6 frames"),
        (dict(cell=12), r"\(48, 64\).*cell=12 pixels; put a Resize or a crop"),
        (dict(cell=128), "cell=128"),
        (dict(pairs="some"), "pairs='some' is unknown; choose one of within, all"),
    ],
)
def test_a_clip_must_fit_its_grid(change, told):
    with pytest.raises(ValueError, match=f"MotionMap: .*{told}"):
        motion_map(draw(dict(type="Identity")), **change)
