"""Clips of a background and parts: rendering, replay, ranges."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import layer_reference, motion_reference

from mmpmg.motion import CutMix, Layer, Layered, Matte, Motion, Paste, render
from mmpmg.motion.part_opencv import Part

SIZE = (24, 29)


def noise(seed, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def part(**changes):
    """A disc in the middle that goes one pixel to the right in every frame."""
    shift = np.tile(np.eye(3), (3, 1, 1))
    shift[:, 0, 2] = (0, -1, -2)
    values = {"family": "part", "size": SIZE, "homographies": shift, "border": "replicate"}
    return Motion(**{**values, **changes})


DISC = Matte("blob", (12.0, 12.0), 6.0)


@pytest.mark.parametrize("deform", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(2))
def test_a_clip_is_what_loops_over_pixels_give(seed, deform):
    op = Layered(parts=(2, 3), part_size=(0.3, 0.8), deform=deform, velocity=(0.1, 0.6))
    motion = op.sample(np.random.default_rng(seed), 3, SIZE)
    image, *partners = (noise(i) for i in range(3))
    clip = render(image, motion, partners)
    for k in range(3):
        below = motion_reference.warp(image, motion.homographies[k], motion.border)
        frame = np.rint(below)
        for layer in motion.layers:
            frame = np.rint(layer_reference.lay(frame, layer, partners[layer.image], k))
        # A level of the warp, of the matte (256 steps of up to 255 levels) and of each rounding.
        assert np.abs(clip[k] - frame).max() <= 2.0 + len(motion.layers)
        assert np.abs(clip[k] - frame).mean() <= 0.3
        assert np.abs(clip[k] - below).max() > 50, "there are parts to see"


def test_a_part_changes_colour_and_the_frame_below_does_not():
    fading = part(color_ops=("brightness",), color=np.array([[1.0], [0.5], [0.0]]))
    still = Motion("x", SIZE, np.tile(np.eye(3), (3, 1, 1)), layers=(Layer(DISC, fading),))
    white = np.full((*SIZE, 3), 255, np.uint8)
    clip = render(white, still, [white])
    for k, level in enumerate((255, 128, 0)):
        assert (clip[k, 12, 12 + k] == level).all()
        assert (clip[k, 0] == 255).all()


def test_composition_rounds_to_the_nearest_level_for_every_alpha_and_level():
    """One layer of every alpha over two grounds, against whole-number arithmetic."""
    clear = Matte("blob", (12.3, 11.6), 4.0, softness=8.0)
    alphas = clear.raster(SIZE).astype(int)
    still = part(homographies=np.tile(np.eye(3), (1, 1, 1)))
    motion = replace(still, layers=(Layer(clear, still),))
    image, partner = noise(1), noise(2)
    a = alphas[..., None]
    exact = (2 * (a * partner + (255 - a) * image.astype(int)) + 255) // 510
    np.testing.assert_array_equal(render(image, motion, [partner])[0], exact)
    assert len(np.unique(alphas)) > 30


@pytest.mark.parametrize("height", range(1, 6))
@pytest.mark.parametrize("width", range(1, 6))
def test_a_part_is_laid_wherever_a_few_of_its_pixels_show(height, width):
    """The frame shows a corner of the part alone, so many rows and columns of it."""
    shift = np.eye(3)[None].copy()
    shift[0, :2, 2] = (6 + width - SIZE[1], 6 + height - SIZE[0])
    opaque = Matte("polygon", (12.0, 12.0), 8.0, (1.0,) * 4, angle=np.pi / 4, softness=0.5)
    moved = part(homographies=shift, color_ops=("hue",), color=np.array([[0.3]]))
    still = Motion("x", SIZE, np.eye(3)[None], layers=(Layer(opaque, moved),))
    image, partner = noise(1), noise(2)
    (top, left), frame = Part(still.layers[0], None).cut(0)[0], image.astype(float)
    assert (top.stop - top.start, left.stop - left.start) == (height, width)
    for y, x in np.ndindex(*SIZE):
        u, v = x + int(shift[0, 0, 2]), y + int(shift[0, 1, 2])
        if 0 <= u < SIZE[1] and 0 <= v < SIZE[0]:
            a = np.rint(255 * layer_reference.alpha(opaque, (u, v))) / 255
            color = motion_reference.change_color(partner[v : v + 1, u : u + 1], "hue", 0.3)[0, 0]
            frame[y, x] = a * color + (1 - a) * frame[y, x]
    assert np.abs(render(image, still, [partner])[0] - frame).max() <= 2


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (16, 400), (20, 18)])
def test_the_largest_parts_fit_the_smallest_images(size):
    op = Layered(part_size=(0.95, 0.95), softness=(0.0, 0.2))
    for seed in range(60):
        for layer in op.sample(np.random.default_rng(seed), 2, size).layers:
            x0, y0, x1, y1 = layer.matte.box()
            assert max(x1 - x0, y1 - y0) == pytest.approx(
                min(0.95 * min(size), min(size) - 1), abs=1e-4
            )


def test_the_images_are_the_source_the_pastes_and_then_the_parts():
    motion = Motion(
        "x",
        SIZE,
        np.tile(np.eye(3), (3, 1, 1)),
        paste=Paste((0, 0, 3, 3), np.zeros((3, 2))),
        layers=(Layer(DISC, part(), 1), Layer(DISC, part(), 0), Layer(DISC, part(), 1)),
    )
    assert motion.num_images == 4
    assert [motion.layer_partner(layer) for layer in motion.layers] == [2, 1, 2]
    grounds = [np.full((*SIZE, 3), level, np.uint8) for level in (10, 20, 30, 40)]
    clip = render(grounds[0], motion, grounds[1:])
    assert (clip[:, 20, 25] == 10).all()
    assert (clip[:, :3, :3] == 20).all()
    assert (clip[0, 12, 12] == 40).all()
    assert motion.layers[1].image == 0 and not (clip == 30).any(), "hidden below the third"
    with pytest.raises(ValueError, match="needs 3 other images beside the source, got 2"):
        render(grounds[0], motion, grounds[1:3])


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_replay_through_json_is_bit_for_bit(seed):
    size = (40, 48)
    op = Layered(images=3)
    motion = op.sample(np.random.default_rng(seed), 5, size)
    assert op.sample(np.random.default_rng(seed), 5, size) == motion
    restored = Motion.from_dict(json.loads(json.dumps(motion.to_dict())))
    assert restored == motion and hash(restored) == hash(motion)
    images = [noise(i, size) for i in range(4)]
    np.testing.assert_array_equal(
        render(images[0], restored, images[1:]), render(images[0], motion, images[1:])
    )


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.sampled_from([(16, 16), (64, 80), (112, 90)]))
def test_parts_keep_to_their_options(seed, size):
    op = Layered(parts=(2, 5), images=2, part_size=(0.3, 0.5), deform=0.5, growth=(0.5, 2.0))
    motion = op.sample(np.random.default_rng(seed), 16, size)
    assert op.num_partners == 2
    assert motion.num_images == 3
    assert 2 <= len(motion.layers) <= 5
    side = min(size)
    for layer in motion.layers:
        x0, y0, x1, y1 = layer.matte.box()
        assert 0.3 * side - 1e-6 <= max(x1 - x0, y1 - y0) <= 0.5 * side + 1e-6
        steps = np.linalg.inv(layer.motion.homographies)
        scale = np.sqrt(np.linalg.det(steps[:, :2, :2]))
        assert 0.5 - 1e-9 <= scale[-1] / scale[0] <= 2 + 1e-9
        x, y = (steps @ (*layer.matte.centre, 1.0))[:, :2].T
        # Constant acceleration of at most 3 sides per clip squared: 15 steps to a clip.
        bent = np.hypot(np.diff(x, 2), np.diff(y, 2)) * 15**2 / side
        np.testing.assert_allclose(bent, bent[0], atol=1e-6)
        assert bent[0] <= 3 + 1e-6


def test_seeds_bring_all_kinds():
    op = Layered()
    layers = [
        layer
        for seed in range(60)
        for layer in op.sample(np.random.default_rng(seed), 4, (64, 64)).layers
    ]
    assert {layer.matte.outline for layer in layers} == {"blob", "polygon"}
    deformed = np.mean([layer.motion.deformation is not None for layer in layers])
    assert 0.35 < deformed < 0.65
    assert {layer.image for layer in layers} == {0, 1}
    sizes = [layer.motion.homographies[:, 0, 0] for layer in layers]
    assert np.std([s[-1] for s in sizes]) > 0.1


def test_growth_is_the_factor_by_which_a_part_grows():
    op = Layered(
        parts=(1, 1), part_size=(0.3, 0.3), growth=(2, 2), deform=0, velocity=(0, 0),
        acceleration=(0, 0),
    )  # fmt: skip
    for seed in range(5):
        motion = op.sample(np.random.default_rng(seed), 5, (64, 64))
        steps = np.linalg.inv(motion.layers[0].motion.homographies)  # part to frame
        sizes = np.sqrt(np.linalg.det(steps[:, :2, :2]))
        np.testing.assert_allclose(sizes / sizes[0], 2.0 ** (np.arange(5) / 4))
        areas = Part(motion.layers[0], None).alphas().astype(float).sum(axis=(1, 2))
        assert areas[-1] > areas[0]


def test_the_background_moves_by_the_set_named():
    op = Layered(background={"a": {"type": "Affine"}, "z": {"type": "ZoomInOut", "weight": 0}})
    motion = op.sample(np.random.default_rng(0), 4, (32, 32))
    assert motion.family == "Layered"
    assert motion.resampling == "composed"
    assert motion.homographies[3, 0, 1] != 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"parts": (0, 3)}, r"parts=\(0, 3\)"),
        ({"parts": (2.5, 3)}, r"parts=\(2.5, 3\)"),
        ({"images": 0}, "images=0"),
        ({"part_size": (0.3, 1.2)}, "part_size="),
        ({"outlines": "blob"}, "list of kinds"),
        ({"outlines": ["disc"]}, "blob, polygon"),
        ({"deform": 2}, "deform=2"),
        ({"growth": (0.0, 1.0)}, "growth="),
        ({"background": {"c": {"type": "CutMix"}}}, "not CutMix or Layered"),
        ({"background": {"c": {"type": "Affin"}}}, "background: ops: c"),
    ],
)
def test_wrong_options_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        Layered(**options)


def test_an_image_without_room_for_parts_is_refused():
    with pytest.raises(ValueError, match=r"at least 16 x 16"):
        Layered().sample(np.random.default_rng(0), 4, (15, 40))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Layer(DISC, part(resampling="recursive")), "composed"),
        (lambda: Layer(DISC, part(paste=Paste((0, 0, 1, 1), np.zeros((3, 2))))), "no paste"),
        (lambda: Layer(DISC, part(layers=(Layer(DISC, part()),))), "no layers"),
        (
            lambda: Layer(DISC, part(color_ops=("contrast",), color=np.ones((3, 1)))),
            "cannot change its contrast; choose from brightness",
        ),
        (lambda: Layer(replace(DISC, centre=(2.0, 12.0)), part()), "reaches out"),
        (lambda: Layer(DISC, part(), -1), "image=-1"),
        (lambda: part(resampling="recursive", layers=(Layer(DISC, part()),)), "composed"),
        (lambda: part(layers=(Layer(DISC, part(), 1),)), r"images \[1\]; number them from 0"),
        (
            lambda: replace(
                CutMix().sample(np.random.default_rng(0), 2, SIZE), layers=(Layer(DISC, part()),)
            ),
            "moves for 3 frames",
        ),
    ],
)
def test_layers_that_cannot_be_rendered_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()
