"""Deformations, mattes and layers on the device against NumPy and OpenCV."""

from __future__ import annotations

from contextlib import nullcontext

import cv2
import numpy as np
import pytest
import torch
from motion.layered_motions import FRAMES, SIZE, layered, matte, path

from mmpmg.motion import OPS, Affine, Layer, Matte, Motion, build_op, render
from mmpmg.motion.flow_torch import flow_batch
from mmpmg.motion.matte_torch import draw_mattes
from mmpmg.motion.part_opencv import Part
from mmpmg.motion.render_torch import render_batch
from mmpmg.motion.waves_torch import Waves

CPU = torch.device("cpu")


def picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    image = cv2.GaussianBlur(rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8), (3, 3), 0)
    image[:12, :20] = rng.integers(0, 256, 3)
    return image


def planes(images) -> torch.Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


def agree(motions) -> None:
    images = [picture(k) for k in range(len(motions))]
    partners = [[picture(100 + 3 * k + p) for p in range(3)] for k in range(len(motions))]
    ours = render_batch(planes(images), motions, torch.stack([planes(each) for each in partners]))
    theirs = np.stack([render(*each) for each in zip(images, motions, partners)])
    difference = np.abs(ours.permute(0, 2, 3, 4, 1).numpy().astype(int) - theirs)
    assert difference.max() <= 2
    assert difference.mean() <= 0.1
    assert np.abs(theirs[:, -1].astype(int) - theirs[:, 0]).mean() > 1


def test_displacements_are_the_deformations_own() -> None:
    rng = np.random.default_rng(0)
    motions = [path(rng, deformed=k != 1) for k in range(4)]
    dx, dy = Waves(motions, CPU)(slice(2, 5))
    grid = np.stack(np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0])), -1).astype(float)
    for n, motion in enumerate(motions):
        for k in range(2, 5):
            expected = motion.deformation.at(k, grid) if motion.deformation else 0 * grid
            got = torch.stack((dx[n, k - 2], dy[n, k - 2]), -1).numpy()
            np.testing.assert_allclose(got, expected, atol=1e-10)


@pytest.mark.parametrize("outline", ["blob", "polygon", "both"])
def test_mattes_are_drawn_as_numpy_draws_them(outline) -> None:
    rng = np.random.default_rng(1)
    kinds = ("blob", "polygon") if outline == "both" else (outline,)
    mattes = [matte(rng, kinds[k % len(kinds)]) for k in range(12)]
    mattes.append(
        Matte(kinds[0], (20.0, 20.0), 9.0, (1.0, 1.0, 1.0) if outline == "polygon" else ())
    )
    drawn = draw_mattes(mattes, SIZE, CPU).numpy()
    expected = np.stack([each.raster(SIZE) for each in mattes]).astype(float)
    assert np.abs(drawn - expected).max() <= 1  # one level where two libraries round a tie
    assert (drawn != expected).mean() < 1e-3
    assert ((drawn > 0) & (drawn < 255)).any(axis=(1, 2)).all() and (drawn == 255).any()


@pytest.mark.parametrize(
    "options", [{}, {"border": (9, 80, 200)}, {"border": "replicate"}], ids=str
)
def test_deformed_clips_agree_within_two_levels(options) -> None:
    agree([path(np.random.default_rng(k), True, tilted=k % 2 == 1, **options) for k in range(6)])


@pytest.mark.parametrize("border", [(9, 80, 200), "replicate"])
def test_a_deformed_horizon_is_where_the_definition_puts_it(border) -> None:
    """Behind it there is border, in the background and in a part alike, pixel by pixel."""
    fill = np.array((0, 0, 0) if border == "replicate" else border)
    behind = 0
    for seed in range(3):
        rng = np.random.default_rng(seed)
        motion = path(rng, True, tilted=0.05, border=border)
        white = np.full((*SIZE, 3), 255, np.uint8)
        clips = (
            render(white, motion),
            render_batch(planes([white]), [motion])[0].permute(1, 2, 3, 0).numpy(),
        )
        grid = np.stack(np.meshgrid(np.arange(SIZE[1]), np.arange(SIZE[0])), -1).astype(float)
        for k in range(FRAMES):
            looked = grid + motion.deformation.at(k, grid)
            w = looked @ motion.homographies[k, 2, :2] + motion.homographies[k, 2, 2]
            behind += (w < -1e-3).sum()
            for clip in clips:
                assert (clip[k][w < -1e-3] == fill).all()
    assert behind > 1000


def test_a_part_that_reaches_behind_the_horizon_is_laid_wherever_it_shows() -> None:
    """A part cut to its own box against the same part cut from the whole frame, and the device."""
    across = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        shape = matte(rng, ("blob", "polygon")[seed % 2])
        part = path(rng, seed % 4 < 3, tilted=0.05, border="replicate")
        layer = Layer(shape, part)
        still = Motion("still", SIZE, np.tile(np.eye(3), (FRAMES, 1, 1)), layers=(layer,))
        alphas = Part(layer, None).alphas()
        levels = np.repeat(shape.raster(SIZE)[..., None], 3, axis=2)
        flat = Motion(
            "flat", SIZE, part.homographies, border=(0, 0, 0), deformation=part.deformation
        )
        whole = render(levels, flat)[..., 0]
        assert np.abs(alphas.astype(int) - whole).max() <= 1
        image, other = picture(seed), picture(seed + 50)
        ours = render_batch(planes([image]), [still], planes([other])[:, None])
        difference = np.abs(
            ours[0].permute(1, 2, 3, 0).numpy().astype(int) - render(image, still, [other])
        )
        assert (difference > 2).mean() < 1e-3
        corners = np.array(shape.box())[[[0, 1], [2, 1], [0, 3], [2, 3]]]
        seen = np.linalg.inv(part.homographies) @ np.c_[corners, np.ones(4)].T
        cut = (seen[:, 2] <= 0).any(axis=1) & (whole >= 128).any(axis=(1, 2))
        across += cut.sum()
    assert across > 0, "a shape that shows in part and whose box reaches behind the horizon"


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_layered_clips_agree_within_two_levels(parts) -> None:
    agree([layered(seed, parts) for seed in range(6)])


def test_a_paste_lies_over_the_layers() -> None:
    agree([layered(seed, 3, paste=seed % 2 == 0) for seed in range(4)])


def test_batches_of_any_depth_and_kind_are_what_each_is_alone() -> None:
    motions = [layered(seed, parts) for seed, parts in enumerate((3, 0, 1, 4))]
    motions += [Affine().sample(np.random.default_rng(0), FRAMES, SIZE), layered(9, 2, paste=True)]
    images = planes([picture(k) for k in range(len(motions))])
    partners = torch.stack(
        [planes([picture(50 + k), picture(80 + k), picture(5)]) for k in range(6)]
    )
    together = render_batch(images, motions, partners)
    agree(motions)
    for k in range(len(motions)):
        alone = render_batch(images[k : k + 1], motions[k : k + 1], partners[k : k + 1])
        assert (together[k].int() - alone[0].int()).abs().max() <= 1, k


def test_bf16_and_tf32_do_not_reach_the_points() -> None:
    motions = [layered(seed, 2) for seed in range(3)]
    images = planes([picture(k) for k in range(3)])
    partners = torch.stack([planes([picture(50 + k), picture(80 + k)]) for k in range(3)])
    plain, flow = render_batch(images, motions, partners), flow_batch(motions)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(render_batch(images, motions, partners), plain)
        assert torch.equal(flow_batch(motions)[0], flow)


def test_missing_images_are_named() -> None:
    motion = layered(0, 3)
    images = planes([picture(0)])
    with pytest.raises(ValueError, match=r"needs 2 more images .*\(B, 2, 3, H, W\)"):
        render_batch(images, [motion])
    with pytest.raises(ValueError, match=r"P >= 2"):
        render_batch(images, [motion], images[:, None])


def test_nothing_is_asked_of_the_device(monkeypatch) -> None:
    """On "meta" tensors have no values: whoever reads one (item, a boolean index) is found out."""
    monkeypatch.setattr(torch, "autocast", lambda *args, **kwargs: nullcontext())  # has no "meta"
    motions = [layered(seed, seed % 4, paste=seed % 2 == 0) for seed in range(4)]
    motions += [build_op(name).sample(np.random.default_rng(0), FRAMES, SIZE) for name in OPS]
    images = torch.empty(len(motions), 3, *SIZE, dtype=torch.uint8, device="meta")
    partners = images[:, None].expand(-1, 3, -1, -1, -1)
    with pytest.raises(RuntimeError, match="meta"):
        images.sum().item()
    assert render_batch(images, motions, partners).shape == (len(motions), 3, FRAMES, *SIZE)
    flow, covisible = flow_batch(motions, "meta")
    assert flow.is_meta and covisible.is_meta
