import numpy as np
import pytest

from mmpmg.motion import (
    Affine,
    ColorJitter,
    CutMix,
    FadeInOut,
    Identity,
    Layered,
    MotionSampler,
    Perspective,
    SlidingWindow,
    SmoothDisplacement,
    ZoomInOut,
    compose,
    render,
)

SIZE = (24, 30)


def shift(x, y, resampling="recursive"):
    """A shift by whole pixels, of x columns and y rows per frame."""
    op = Affine(rotation=(0, 0), scale=(1, 1), shear=(0, 0), resampling=resampling)
    motion = op.sample(np.random.default_rng(0), 4, SIZE)
    homographies = motion.homographies.copy()
    homographies[:, 0, 2], homographies[:, 1, 2] = -x * np.arange(4), -y * np.arange(4)
    return type(motion).from_dict({**motion.to_dict(), "homographies": homographies.tolist()})


def noise(seed):
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def test_shifts_add_up():
    both = compose([shift(2, 0), shift(-1, 3)])
    assert both.resampling == "composed"
    assert both.family == "Affine+Affine"
    np.testing.assert_array_equal(render(noise(0), both), render(noise(0), shift(1, 3)))
    np.testing.assert_array_equal(both.flow()[..., 0], 1.0)
    np.testing.assert_array_equal(both.flow()[..., 1], 3.0)


def test_the_second_motion_acts_on_the_first_ones_frames():
    zoom = ZoomInOut().sample(np.random.default_rng(1), 4, SIZE)
    turn = Affine(border="replicate", interpolation="bilinear").sample(
        np.random.default_rng(2), 4, SIZE
    )
    point = np.array([11.0, 7.0, 1.0])
    together = compose([zoom, turn]).homographies[3] @ point
    in_first = turn.homographies[3] @ point
    np.testing.assert_allclose(together, zoom.homographies[3] @ (in_first / in_first[2]))


def test_colour_and_geometry_go_together():
    zoom = ZoomInOut(direction="in").sample(np.random.default_rng(1), 4, SIZE)
    fade = FadeInOut(direction="out").sample(np.random.default_rng(1), 4, SIZE)
    both = render(noise(0), compose([zoom, fade])).astype(float)
    alone = render(noise(0), zoom)
    for k, gain in enumerate([1, 2 / 3, 1 / 3, 0]):
        np.testing.assert_allclose(both[k], alone[k] * gain, atol=0.51)


def test_a_paste_comes_last_and_stays_sharp():
    jitter = ColorJitter().sample(np.random.default_rng(1), 4, SIZE)
    paste = CutMix().sample(np.random.default_rng(1), 4, SIZE)
    clip = render(noise(0), compose([jitter, paste]), [noise(1)])
    x, y, w, h = paste.paste.source
    left, top = paste.paste.positions[2]
    np.testing.assert_array_equal(
        clip[2, top : top + h, left : left + w], noise(1)[y : y + h, x : x + w]
    )
    with pytest.raises(ValueError, match="CutMix pastes a rectangle and must come last"):
        compose([paste, jitter])


def test_identity_is_neutral():
    turn = Affine(resampling="composed", border=7).sample(np.random.default_rng(3), 4, SIZE)
    still = Identity().sample(np.random.default_rng(0), 4, SIZE)
    for motions in ([still, turn], [turn, still]):
        both = compose(motions)
        assert both.border == (7, 7, 7)
        np.testing.assert_array_equal(render(noise(0), both), render(noise(0), turn))
    assert compose([turn]) is turn
    np.testing.assert_array_equal(render(noise(0), compose([still, still]))[3], noise(0))


def test_a_repeated_edge_is_not_dropped_where_it_shows():
    out = Affine(rotation=(9, 9), border="replicate").sample(np.random.default_rng(0), 4, SIZE)
    filled = Affine(rotation=(9, 9), border=7).sample(np.random.default_rng(1), 4, SIZE)
    for motions in ([out, filled], [filled, out]):
        with pytest.raises(ValueError, match=r"border: .*'replicate'"):
            compose(motions)
    with pytest.raises(ValueError, match=r"border: .*'replicate'"):
        MotionSampler([{"type": "Affine", "border": "replicate"}, "Affine"], "compose")
    assert compose([out, out]).border == "replicate"


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (24, 30)])
@pytest.mark.parametrize("op", [ZoomInOut(), SlidingWindow(), SmoothDisplacement()], ids=repr)
def test_windows_fit_any_border(op, size):
    filled = Affine(border=7).sample(np.random.default_rng(1), 4, size)
    for seed in range(40):
        window = op.sample(np.random.default_rng(seed), 4, size)
        assert compose([filled, window]).border == (7, 7, 7)


def test_a_deformation_acts_on_the_clip_made_before():
    """Composed once, against rendering the homographies first and each frame's waves then."""
    zoom = ZoomInOut().sample(np.random.default_rng(0), 4, SIZE)
    bent = SmoothDisplacement().sample(np.random.default_rng(1), 4, SIZE)
    fade = FadeInOut().sample(np.random.default_rng(2), 4, SIZE)
    both = compose([zoom, bent, fade])
    assert both.family == "ZoomInOut+SmoothDisplacement+FadeInOut"
    pixels = np.stack(np.meshgrid(np.arange(30.0), np.arange(24.0)), axis=-1).reshape(-1, 2)
    for k in range(4):
        looked = np.c_[pixels + bent.deformation.at(k, pixels), np.ones(len(pixels))]
        between = bent.homographies[k] @ looked.T
        expected = zoom.homographies[k] @ between
        ours = (
            both.homographies[k]
            @ np.c_[pixels + both.deformation.at(k, pixels), np.ones(len(pixels))].T
        )
        np.testing.assert_allclose(ours[:2] / ours[2], expected[:2] / expected[2], atol=1e-9)
    np.testing.assert_array_equal(both.color, fade.color)


def test_what_comes_before_layers_moves_their_background_alone():
    turn = Affine(rotation=(9, 9), border="replicate").sample(np.random.default_rng(0), 4, SIZE)
    layered = Layered(parts=(2, 2)).sample(np.random.default_rng(1), 4, SIZE)
    both = compose([turn, layered])
    assert both.layers == layered.layers
    assert both.num_images == 3
    np.testing.assert_allclose(both.homographies, turn.homographies @ layered.homographies)
    clip, black = render(noise(0), both, [noise(1), noise(2)]), np.zeros((*SIZE, 3), np.uint8)
    alone = render(black, layered, [noise(1), noise(2)])
    covered = render(black, layered, [black + 255] * 2) == 255
    assert covered.any()
    np.testing.assert_array_equal(clip[covered], alone[covered])


@pytest.mark.parametrize(
    ("motions", "told"),
    [
        ([], "no motion given"),
        ([(Identity(), 4, SIZE), (Affine(), 5, SIZE)], r"num_frames: \[4, 5\]"),
        ([(Identity(), 4, SIZE), (Affine(), 4, (9, 9))], "size"),
        (
            [(Affine(border=1), 4, SIZE), (Perspective(border=2, whole_pixels=False), 4, SIZE)],
            "border",
        ),
        ([(Affine(), 4, SIZE), (ZoomInOut(interpolation="nearest"), 4, SIZE)], "interpolation"),
        ([(Layered(), 4, SIZE), (FadeInOut(), 4, SIZE)], "Layered lays parts .* after FadeInOut"),
        (
            [(SmoothDisplacement(), 4, SIZE), (FadeInOut(), 4, SIZE), (Affine(), 4, SIZE)],
            "SmoothDisplacement deforms, and Affine cannot warp the result; put SmoothDisplacement",
        ),
    ],
)
def test_what_does_not_fit_is_refused(motions, told):
    drawn = [op.sample(np.random.default_rng(5), *shape) for op, *shape in motions]
    with pytest.raises(ValueError, match=told):
        compose(drawn)
