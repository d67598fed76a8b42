import cv2
import numpy as np
import pytest
from reference import motion_reference

from mmpmg.motion import OPS, Affine, CutMix, Motion, build_op, render

#: OpenCV 4 quantises positions to 1/32 pixel, which on noise is worth four levels.
TOLERANCE = 1.01 if int(cv2.__version__.split(".")[0]) >= 5 else 5.0


def noise(seed, size):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


@pytest.mark.parametrize("size", [(12, 12), (11, 16)])
@pytest.mark.parametrize(
    "entry",
    [
        *(family for family in OPS if family not in ("Perspective", "Layered")),
        {"type": "Perspective", "whole_pixels": False},
        {"type": "Affine", "resampling": "composed", "border": (9, 80, 200)},
        {"type": "Affine", "border": "replicate", "rotation": (40, 50)},
        {"type": "Perspective", "resampling": "composed", "distortion": 0.4},
        {"type": "ColorJitter", "resampling": "composed"},
    ],
    ids=str,
)
def test_a_clip_is_what_loops_over_pixels_give(entry, size):
    """Each frame is checked against a loop that starts where the renderer started it."""
    image, partners = noise(0, size), [noise(1, size), noise(2, size)]
    motion = build_op(entry).sample(np.random.default_rng(2), 4, size)
    clip = render(image, motion, partners)
    assert clip.shape == (4, *size, 3)
    assert clip.dtype == np.uint8
    h, color = motion.homographies, motion.color
    for k in range(4):
        source, step, change = image, h[k], color[k]
        if motion.resampling == "recursive" and k:
            source, step = clip[k - 1], np.linalg.inv(h[k - 1]) @ h[k]
            change = [
                new - old if name == "hue" else new / old
                for name, new, old in zip(motion.color_ops, color[k], color[k - 1], strict=True)
            ]
        frame = motion_reference.warp(source, step, motion.border, motion.deformation, k)
        for name, amount in zip(motion.color_ops, change, strict=True):
            frame = motion_reference.change_color(np.rint(frame), name, amount)
        if motion.paste is not None:
            position = motion.paste.positions[k]
            frame = motion_reference.paste_over(frame, partners[0], motion.paste.source, position)
        tolerance = 4.0 if motion.color_ops else TOLERANCE
        assert np.abs(clip[k] - frame).max() <= tolerance
        assert np.abs(clip[k] - frame).mean() <= 0.5


@pytest.mark.parametrize("family", OPS)
def test_the_same_seed_gives_the_same_clip_and_another_seed_another(family):
    size = (40, 44)
    image, partners = noise(0, size), [noise(1, size), noise(2, size)]

    def clip(seed):
        return render(image, OPS[family]().sample(np.random.default_rng(seed), 5, size), partners)

    np.testing.assert_array_equal(clip(7), clip(7))
    others = [np.array_equal(clip(7), clip(seed)) for seed in range(8, 14)]
    assert all(others) if family == "Identity" else not all(others)


@pytest.mark.parametrize("family", OPS)
def test_rendering_changes_neither_its_input_nor_global_state(family):
    size = (40, 42)
    image, partners = noise(0, size), [noise(1, size), noise(2, size)]
    # The legacy state is the global one that must stay untouched.
    before, threads = np.random.get_state()[1].copy(), cv2.getNumThreads()  # noqa: NPY002
    motion = OPS[family]().sample(np.random.default_rng(0), 4, size)
    clip = render(image, motion, partners)
    clip += 1
    np.testing.assert_array_equal(image, noise(0, size))
    np.testing.assert_array_equal(partners[0], noise(1, size))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    assert cv2.getNumThreads() == threads


@pytest.mark.parametrize("family", ["Identity", "Affine", "Perspective", "ColorJitter"])
def test_frame_0_of_the_recursive_families_is_the_image(family):
    motion = OPS[family]().sample(np.random.default_rng(0), 3, (40, 41))
    np.testing.assert_array_equal(render(noise(0, (40, 41)), motion)[0], noise(0, (40, 41)))


@pytest.mark.parametrize("fraction", [0.1, -0.2])
@pytest.mark.parametrize("border", [0, (5, 6, 7), "replicate"])
def test_recursive_and_composed_agree_for_whole_pixel_shifts(fraction, border):
    clips = [
        render(
            noise(0, (20, 31)),
            Affine(
                rotation=(0, 0),
                scale=(1, 1),
                shear=(0, 0),
                translation=(fraction, fraction),
                border=border,
                resampling=mode,
            ).sample(np.random.default_rng(0), 7, (20, 31)),
        )
        for mode in ("recursive", "composed")
    ]
    np.testing.assert_array_equal(*clips)
    assert (clips[0][1] != clips[0][0]).any()


def test_what_left_a_recursive_frame_is_gone():
    out_and_back = np.tile(np.eye(3), (3, 1, 1))
    out_and_back[1, 0, 2] = 6.0
    image = noise(0, (8, 10))
    recursive, composed = (
        render(image, Motion("x", (8, 10), out_and_back, resampling=mode))
        for mode in ("recursive", "composed")
    )
    np.testing.assert_array_equal(composed[2], image)
    assert (recursive[2][:, :6] == 0).all()
    np.testing.assert_array_equal(recursive[2][:, 6:], image[:, 6:])


@pytest.mark.parametrize("border", [(3, 4, 5), "replicate"])
def test_behind_the_horizon_there_is_border(border):
    tilted = np.array([[[1.0, 0, 0], [0, 1.0, 0], [-0.2, 0.01, 1.0]]])
    image = np.full((6, 12, 3), 200, dtype=np.uint8)
    frame = render(image, Motion("x", (6, 12), tilted, border=border))[0]
    fill = (0, 0, 0) if border == "replicate" else border
    assert (frame[:, 6:] == fill).all()
    assert (frame[:, 0] == 200).all()


@pytest.mark.parametrize("family", [f for f in OPS if f not in ("Perspective", "Layered")])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_tiny_images_move_too(family, size):
    motion = OPS[family]().sample(np.random.default_rng(0), 2, size)
    assert render(noise(0, size), motion, [noise(1, size)]).shape == (2, *size, 3)


def test_a_view_renders_like_its_copy():
    big = noise(0, (40, 50))
    view = big[5:25, 10:40][:, ::-1]
    motion = Affine().sample(np.random.default_rng(0), 4, (20, 30))
    np.testing.assert_array_equal(render(view, motion), render(view.copy(), motion))


@pytest.mark.parametrize(
    ("image", "partners", "told"),
    [
        (noise(0, (9, 8)), [noise(0, (8, 8))], "sampled for"),
        (noise(0, (8, 8)), [noise(0, (9, 8))], "partner 0 has shape"),
        (noise(0, (8, 8)), noise(0, (8, 8)), "got one array"),
        (noise(0, (8, 8)), [], "needs 1 other image beside"),
        (noise(0, (8, 8)).astype(np.float32), [noise(0, (8, 8))], "float32"),
        (noise(0, (8, 8))[..., 0], [noise(0, (8, 8))], r"uint8 \(8, 8\)"),
        ([1, 2], [noise(0, (8, 8))], "list"),
    ],
)
def test_images_that_do_not_fit_are_refused(image, partners, told):
    motion = CutMix().sample(np.random.default_rng(0), 3, (8, 8))
    with pytest.raises(ValueError, match=told):
        render(image, motion, partners)
