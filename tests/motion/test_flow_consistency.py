"""Sampling frame k + 1 at x + flow gives frame k wherever a point is covisible."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.motion_reference import displaced

from mmpmg.motion import Deformation, Layer, Matte, Motion, Paste, build_op, render
from mmpmg.motion.flow_torch import flow_batch

SIZE = (72, 90)
FAMILIES = {
    "slide": {"type": "SlidingWindow"},
    "zoom": {"type": "ZoomInOut"},
    "affine": {"type": "Affine", "border": "replicate", "rotation": (-6, 6)},
    "perspective": {"type": "Perspective", "border": "replicate", "whole_pixels": False},
    "cutmix": {"type": "CutMix"},
    "bent": {"type": "SmoothDisplacement"},
    "layered": {"type": "Layered"},
    "layered, rigid": {"type": "Layered", "deform": 0.0, "parts": (4, 6)},
    "layered, all bent": {
        "type": "Layered",
        "deform": 1.0,
        "background": {"bent": {"type": "SmoothDisplacement"}},
    },
}


def picture(seed):
    """Waves longer than 24 pixels: bilinear sampling errs by 2 levels; no two places are alike."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    picture = np.zeros((*SIZE, 3))
    for _ in range(4):
        length, heading, phase = rng.uniform(24, 50), *rng.uniform(0, 2 * np.pi, 2)
        wave = np.sin((np.cos(heading) * x + np.sin(heading) * y) * 2 * np.pi / length + phase)
        picture += wave[..., None] * rng.uniform(-30, 30, 3)
    return np.clip(np.rint(128 + picture), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", FAMILIES)
@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 10**6))
def test_the_next_frame_along_the_flow_is_this_frame(name, seed):
    motion = build_op(FAMILIES[name]).sample(np.random.default_rng(seed), 5, SIZE)
    clip = render(picture(seed), motion, [picture(seed + 1), picture(seed + 2)])
    flow, seen = motion.flow(), motion.covisible()
    assert flow.dtype == np.float32 and flow.shape == (4, *SIZE, 2)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    along, still = [], []
    for k in range(4):
        u, v = (flow[k] + np.stack([x, y], axis=-1)).transpose(2, 0, 1)
        fetched = cv2.remap(
            clip[k + 1].astype(np.float32), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        now = clip[k].astype(np.float32)
        along.append(np.abs(fetched - now).max(axis=-1)[seen[k]])
        still.append(np.abs(clip[k + 1] - now).max(axis=-1)[seen[k]])
    errors, unmoved = np.concatenate(along), np.concatenate(still)
    assert len(errors) > 0.2 * seen.size
    # Rounding of the images and of both frames, and bilinear sampling, twice; where the edge pixel
    # is repeated the picture has a kink.
    assert errors.mean() <= 1.2
    assert np.quantile(errors, 0.99) <= 4
    assert errors.max() <= 10
    assert errors.mean() < 0.5 * unmoved.mean() or unmoved.mean() < 1.5


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_what_is_not_covisible_is_hidden_mixed_or_gone(seed):
    """Nothing is called unseen without a reason: each is checked point by point."""
    motion = build_op("Layered").sample(np.random.default_rng(seed), 3, SIZE)
    flow, seen = motion.flow(), motion.covisible()
    rng = np.random.default_rng(seed)
    unseen = np.argwhere(~seen)
    for k, y, x in unseen[rng.permutation(len(unseen))[:40]]:
        u, v = (x, y) + flow[k, y, x]
        if not (0 <= u <= SIZE[1] - 1 and 0 <= v <= SIZE[0] - 1):
            continue
        near = [(k, x, y)]
        near += [
            (k + 1, a, b) for a in (np.floor(u), np.ceil(u)) for b in (np.floor(v), np.ceil(v))
        ]
        weights = np.array([_weights(motion, *point) for point in near])
        # Somebody's share changes within the pixel's place and the four around its next one.
        assert (np.ptp(weights, axis=0) > 1e-4).any() or ((weights > 0) & (weights < 1)).any()


def _weights(motion, frame, x, y):
    """How much of a pixel each layer, and the background, give."""
    left, weights = 1.0, []
    for layer in reversed(motion.layers):
        at = displaced(layer.motion.deformation, frame, x, y)
        u, v, _ = layer.motion.homographies[frame] @ (*at, 1.0)
        # Between pixels the matte is interpolated: a rim reaches a pixel further than alpha's.
        a, b = np.meshgrid((-1, 0, 1), (-1, 0, 1))
        weights.append(left * layer.matte.alpha(u + a, v + b).mean())
        left -= weights[-1]
    return [*weights, left]


def test_a_part_has_its_own_flow_and_hides_what_lies_below():
    still = np.tile(np.eye(3), (2, 1, 1))
    jump = still.copy()
    jump[1, 0, 2] = -6.0  # six pixels to the right
    disc = Matte("blob", (12.0, 12.0), 5.0, softness=1.0)
    background = Motion("x", (24, 40), still, layers=(Layer(disc, Motion("part", (24, 40), jump)),))
    flow, seen = background.flow()[0], background.covisible()[0]
    np.testing.assert_array_equal(flow[12, 12], (6, 0))
    np.testing.assert_array_equal(flow[12, 30], (0, 0))
    assert seen[12, 12] and seen[12, 30]
    assert not seen[12, 22], "the part moves over it"
    assert not seen[12, 17] and not seen[12, 7], "the soft rim is nobody's"


def test_a_pixel_moves_with_the_part_from_an_alpha_of_one_half_on():
    """On a wide rim, here and on the device: half of it moves with the part, half does not."""
    jump = np.tile(np.eye(3), (2, 1, 1))
    jump[1, 0, 2] = -3.0
    wide = Matte("blob", (20.0, 20.0), 10.0, softness=12.0)
    layer = Layer(wide, Motion("part", (40, 40), jump))
    motion = Motion("x", (40, 40), np.tile(np.eye(3), (2, 1, 1)), layers=(layer,))
    y, x = np.mgrid[:40, :40]
    alpha = wide.alpha(x, y)
    clear = np.abs(alpha - 0.5) > 0.01
    for flow in (motion.flow()[0], flow_batch([motion])[0][0, 0].numpy()):
        np.testing.assert_array_equal(flow[clear, 0], np.where(alpha >= 0.5, 3.0, 0.0)[clear])
    for low, high in ((0.3, 0.49), (0.51, 0.7)):
        assert ((alpha > low) & (alpha < high)).any()


def test_the_paste_lies_over_the_parts():
    still = np.tile(np.eye(3), (2, 1, 1))
    disc = Matte("blob", (12.0, 12.0), 5.0)
    layers = (Layer(disc, Motion("part", (24, 40), still)),)
    paste = Paste((0, 0, 6, 6), np.array([[10, 10], [12, 10]]))
    motion = Motion("x", (24, 40), still, paste=paste, layers=layers)
    flow, seen = motion.flow()[0], motion.covisible()[0]
    np.testing.assert_array_equal(flow[12, 12], (2, 0))
    assert seen[12, 12]
    np.testing.assert_array_equal(flow[8, 12], (0, 0))
    assert seen[8, 12] and not seen[12, 16]


def test_a_wave_that_swells_moves_what_stood_still():
    """Against the definition: both frames show the same point of the image."""
    still = np.tile(np.eye(3), (2, 1, 1))
    waves = Deformation(
        np.array([[0.2, 0.1]]), np.array([0.3]), np.array([[[0.0, 0.0]], [[2.0, -3.0]]])
    )
    motion = Motion("x", (16, 18), still, deformation=waves)
    flow = motion.flow()[0]
    for y in range(16):
        for x in range(18):
            dx, dy = flow[y, x].tolist()
            np.testing.assert_allclose(displaced(waves, 1, x + dx, y + dy), (x, y), atol=1e-4)
    assert np.abs(flow).max() > 1.5


def test_standing_waves_that_do_not_change_have_no_flow():
    still = np.tile(np.eye(3), (3, 1, 1))
    waves = Deformation(np.array([[0.2, 0.1]]), np.array([0.3]), np.full((3, 1, 2), 2.0))
    motion = Motion("x", (16, 18), still, deformation=waves)
    assert (motion.flow() == 0).all()
    assert motion.covisible().all()
