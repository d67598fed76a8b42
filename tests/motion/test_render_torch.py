"""Two renderers, one semantics: torch over a batch against OpenCV clip by clip."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from mmpmg.motion import OPS, Affine, CutMix, Motion, Paste, build_op, render
from mmpmg.motion.color_opencv import change_color as change_color_opencv
from mmpmg.motion.color_torch import ColorChanges
from mmpmg.motion.render_torch import render_batch

LEVELS = 2
ENTRIES = [
    *OPS,
    {"type": "Affine", "resampling": "composed"},
    {"type": "Affine", "border": (9, 80, 200)},
    {"type": "Affine", "border": "replicate", "rotation": (-40, 40)},
    {"type": "Perspective", "resampling": "composed", "distortion": 0.4},
    {"type": "Perspective", "whole_pixels": False},
    {"type": "ColorJitter", "resampling": "composed"},
    {"type": "SlidingWindow", "path": "walk"},
]


def picture(seed: int, size: tuple[int, int]) -> np.ndarray:
    """Edges and texture, as photographs have, and a flat patch."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(image, (3, 3), 0)
    image[: size[0] // 3, : size[1] // 3] = rng.integers(0, 256, 3)
    return image


def batch(images) -> torch.Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()


def both(motions, images, partners):
    """Return the clips of both renderers, (B, T, H, W, 3) int; several partners for each motion."""
    ours = render_batch(batch(images), motions, torch.stack([batch(each) for each in partners]))
    theirs = [render(*each) for each in zip(images, motions, partners)]
    return ours.permute(0, 2, 3, 4, 1).numpy().astype(int), np.stack(theirs).astype(int)


@pytest.mark.parametrize("entry", ENTRIES, ids=str)
def test_both_renderers_agree_within_two_levels(entry) -> None:
    size, count = (40, 52), 6
    op = build_op(entry)
    motions = [op.sample(np.random.default_rng(k), 16, size) for k in range(count)]
    images = [picture(k, size) for k in range(count)]
    partners = [[picture(100 + 3 * k + p, size) for p in range(3)] for k in range(count)]
    ours, theirs = both(motions, images, partners)
    assert np.abs(ours - theirs).max() <= LEVELS
    assert np.abs(ours - theirs).mean() <= 0.1
    if entry != "Identity":
        assert np.abs(theirs[:, -1] - theirs[:, 0]).mean() > 1, "the motion does something"


def test_a_batch_of_all_families_is_what_each_is_alone() -> None:
    size = (40, 48)
    motions = [
        build_op(entry).sample(np.random.default_rng(k), 8, size) for k, entry in enumerate(ENTRIES)
    ]
    images = batch([picture(k, size) for k in range(len(motions))])
    others = [batch([picture(m + k, size) for k in range(len(motions))]) for m in (50, 90)]
    partners = torch.stack(others, 1)
    together = render_batch(images, motions, partners)
    for k, motion in enumerate(motions):
        alone = render_batch(images[k : k + 1], [motion], partners[k : k + 1])
        assert torch.equal(together[k], alone[0]), motion.family


@pytest.mark.parametrize("resampling", ["recursive", "composed"])
def test_warp_and_colour_in_one_motion(resampling) -> None:
    size = (30, 30)
    warp = Affine(resampling=resampling).sample(np.random.default_rng(0), 5, size)
    motion = Motion(
        family="both", size=size, homographies=warp.homographies, resampling=resampling,
        color_ops=("contrast", "brightness", "contrast"),
        color=np.array([[1, 1, 1], [0.9, 1.1, 1], [0.8, 1.2, 1.1], [0.8, 1.2, 1.1], [1, 1, 0.5]]),
    )  # fmt: skip
    image = picture(3, size)
    ours, theirs = both([motion], [image], [[image]])
    assert np.abs(ours - theirs).max() <= LEVELS


def test_a_horizon_within_the_frame_shows_the_border_behind_it() -> None:
    size = (32, 32)
    homography = np.array([[1, 0, 0], [0, 1, 0], [0, -0.05, 1]])
    motion = Motion(
        family="tilt", size=size, homographies=np.stack([np.eye(3), homography]), border=(7, 8, 9)
    )
    image = picture(4, size)
    ours, theirs = both([motion], [image], [[image]])
    assert (ours[0, 1, 21:] == (7, 8, 9)).all(), "w = 1 - .05 y is not positive from y = 20 on"
    assert np.abs(ours - theirs).max() <= LEVELS


def test_a_paste_may_hang_over_the_rim() -> None:
    size = (12, 16)
    positions = np.array([[-5, -3], [0, 0], [13, 9], [20, 20]])
    motion = Motion(
        family="CutMix", size=size, homographies=np.tile(np.eye(3), (4, 1, 1)),
        paste=Paste(source=(4, 2, 8, 6), positions=positions),
    )  # fmt: skip
    ours, theirs = both([motion], [picture(1, size)], [[picture(2, size)]])
    np.testing.assert_array_equal(ours, theirs)
    assert (ours[0, 0] != ours[0, 3]).any() and (ours[0, 1] != ours[0, 2]).any()


@pytest.mark.parametrize("amount", [0.0, 0.1, 0.31, 0.5, 0.77, 0.99, 1.0, 1.6, -0.1])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation", "hue"])
def test_colour_steps_agree_to_the_bit(name, amount) -> None:
    levels = np.r_[np.arange(0, 256, 5), 255, 1].astype(np.uint8)  # all pairs, many ties, greys
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1)
    image = np.ascontiguousarray(grid.reshape(len(levels), -1, 3))
    expected = image.copy()
    change_color_opencv(expected, name, amount)
    change = ColorChanges([[name]], [np.array([[amount]])], torch.device("cpu"))
    got = change(batch([image]).float().unsqueeze(2), slice(0, 1))
    got = got[0, :, 0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(got, expected)


def test_mistakes_are_named() -> None:
    images = batch([picture(0, (8, 8))])
    motion = Affine().sample(np.random.default_rng(0), 4, (8, 8))
    with pytest.raises(ValueError, match="2 motions for 1 images"):
        render_batch(images, [motion, motion])
    with pytest.raises(ValueError, match=r"Affine was sampled for 4 frames of \(8, 8\)"):
        render_batch(batch([picture(0, (9, 8))]), [motion])
    with pytest.raises(ValueError, match=r"\(B, 3, H, W\) uint8"):
        render_batch(images.float(), [motion])
    pasted = CutMix().sample(np.random.default_rng(0), 4, (8, 8))
    with pytest.raises(
        ValueError, match=r"CutMix needs 1 more image beside the source.*\(B, 1, 3, H, W\)"
    ):
        render_batch(images, [pasted])
    with pytest.raises(ValueError, match="partners are"):
        render_batch(images, [pasted], images[:, None, :, :4])
