"""How fast clips are rendered: OpenCV against what one would write in torch, on one core."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mmpmg.evaluation.timing import (
    FEW_ROUNDS,
    FEW_ROUNDS_HINT,
    Timings,
    alternate,
    limited_threads,
    markdown_table,
    ratios,
)
from mmpmg.motion import OPS, Motion, render
from mmpmg.motion.render_opencv import Image

WARPING = ("SlidingWindow", "ZoomInOut", "Affine", "Perspective")
COLORING = ("FadeInOut", "ColorJitter")
BEYOND = ("SmoothDisplacement", "Layered")
HEAD = ["motion", "against", "ours, clips/s", "theirs, clips/s", "ratio of these",
        "ratio of a round, median (min to max)", "aim"]  # fmt: skip
AIM = 5.0
NOTE = (
    "Clips a second are those of all rounds together. Every round has another motion, and some "
    "cost much more than others, so the ratio of these speeds is not the median of the rounds' "
    f"ratios; the aim is at least {AIM:g} in the median."
)

Renderer: TypeAlias = Callable[[Image, Motion, Sequence[Image]], Any]


def sampling_grid(motion: Motion, homography: np.ndarray, frame: int) -> Tensor:
    """Where ``grid_sample(align_corners=True)`` must look: (1, H, W, 2) in [-1, 1]."""
    height, width = motion.size
    # [-1, 1] to pixels; conjugated with it, the homography acts on grid_sample's own coordinates.
    pixels = np.array([[(width - 1) / 2, 0, (width - 1) / 2],
                       [0, (height - 1) / 2, (height - 1) / 2],
                       [0, 0, 1]])  # fmt: skip
    matrix = np.linalg.inv(pixels) @ homography @ pixels
    if motion.deformation is not None:
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        places = torch.stack((x, y), -1).float()
        waves, phases, amplitudes = (
            torch.tensor(numbers, dtype=torch.float32)
            for numbers in (
                motion.deformation.frequencies,
                motion.deformation.phases,
                motion.deformation.amplitudes[frame],
            )
        )
        places = places + torch.sin(places @ waves.T + phases) @ amplitudes
        points = torch.cat((places, torch.ones(height, width, 1)), -1)
        points = points @ torch.from_numpy((np.linalg.inv(pixels) @ homography).T).float()
        return (points[..., :2] / points[..., 2:]).unsqueeze(0)
    if (homography[2] == (0, 0, 1)).all():
        theta = torch.from_numpy(matrix[None, :2].astype(np.float32))
        return F.affine_grid(theta, [1, 3, height, width], align_corners=True)
    x = torch.linspace(-1, 1, width).expand(height, width)
    y = torch.linspace(-1, 1, height).unsqueeze(1).expand(height, width)
    points = torch.stack((x, y, torch.ones_like(x)), -1) @ torch.from_numpy(matrix.T).float()
    # Behind the horizon nothing is seen: 2 is outside the image.
    seen = torch.where(points[..., 2:] > 0, points[..., :2] / points[..., 2:], 2.0)
    return seen.unsqueeze(0)


def grid_sample_loop(image: Image, motion: Motion, partners: Sequence[Image] = ()) -> Tensor:
    """Render a warping motion frame by frame with torch's ``grid_sample``.

    Args:
        image: (H, W, 3) uint8.
        motion: A motion without colour changes or paste; composed, it may show no border but black.
        partners: (H, W, 3) uint8 each, what layers are cut from.

    Returns:
        (T, H, W, 3) uint8, as ``mmpmg.motion.render`` does up to rounding.
    """
    recursive = motion.resampling == "recursive"
    # [H, W, C] -> [1, C, H, W]
    source = torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0).float()
    parts = [
        np.dstack((partners[layer.image], layer.matte.raster(motion.size)))
        for layer in motion.layers
    ]
    cut = [torch.from_numpy(part).permute(2, 0, 1).unsqueeze(0).float() for part in parts]
    frames, frame = [], source
    for k, homography in enumerate(motion.warp_steps() if recursive else motion.homographies):
        grid = sampling_grid(motion, homography, k)
        frame = F.grid_sample(frame if recursive else source, grid, align_corners=True)
        for layer, part in zip(motion.layers, cut, strict=True):
            grid = sampling_grid(layer.motion, layer.motion.homographies[k], k)
            shown = F.grid_sample(part, grid, align_corners=True)
            frame = torch.lerp(frame, shown[:, :3], shown[:, 3:] / 255)
        frames.append(frame)
    # T x [1, C, H, W] -> [T, H, W, C]
    return torch.cat(frames).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def torchvision_loop(image: Image, motion: Motion, partners: Sequence[Image] = ()) -> Tensor:
    """Render a colour motion frame by frame with torchvision's v2 ops on 8-bit tensors.

    Args:
        image: (H, W, 3) uint8.
        motion: A motion without warp, layers or paste.
        partners: Of no use.

    Returns:
        (T, H, W, 3) uint8.
    """
    from torchvision.transforms.v2 import functional as v2

    steps = {
        "brightness": v2.adjust_brightness,
        "contrast": v2.adjust_contrast,
        "saturation": v2.adjust_saturation,
        # A shift in turns; torchvision takes the half circle on either side.
        "hue": lambda frame, turns: v2.adjust_hue(frame, (turns + 0.5) % 1.0 - 0.5),
    }
    recursive = motion.resampling == "recursive"
    source = torch.from_numpy(image).permute(2, 0, 1)
    frames, frame = [], source
    for amounts in motion.color_steps() if recursive else motion.color:
        frame = frame if recursive else source
        for name, amount in zip(motion.color_ops, amounts.tolist(), strict=True):
            frame = steps[name](frame, amount)
        frames.append(frame)
    return torch.stack(frames).permute(0, 2, 3, 1).contiguous()


def noise_image(size: tuple[int, int], seed: int = 0) -> Image:
    """Make a smooth random (H, W, 3) uint8 image: edges everywhere, no two pixels alike."""
    levels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(levels, (7, 7), 0))


def benchmark_render(num_frames: int, size: tuple[int, int], repeats: int) -> str:
    """Compare rendering speeds, one thread on both sides, every round with another motion.

    Args:
        num_frames: T.
        size: (H, W) in pixels.
        repeats: Rounds.

    Returns:
        A Markdown table, one row a motion.
    """
    try:
        import torchvision  # noqa: F401

        missing = None
    except Exception as error:  # a broken torchvision fails in many ways
        missing = type(error).__name__
    rows = []
    for family in (*WARPING, *COLORING, *BEYOND):
        warps = family not in COLORING
        against = "grid_sample" if warps else "torchvision v2"
        if not warps and missing:
            absent = f"not measured (torchvision: {missing})"
            rows.append([family, against, "", "", "", absent, ""])
            continue
        baseline = grid_sample_loop if warps else torchvision_loop
        rows.append([family, against, *_row(family, baseline, num_frames, size, repeats)])
    title = f"Rendering {num_frames} x {size[0]} x {size[1]}, one thread, {repeats} rounds"
    hint = "" if repeats >= FEW_ROUNDS else f"\n\n{FEW_ROUNDS_HINT}"
    return f"### {title}\n\n{NOTE}\n\n{markdown_table(HEAD, rows)}{hint}"


def _row(
    family: str, baseline: Renderer, num_frames: int, size: tuple[int, int], repeats: int
) -> list[str]:
    image, partners = noise_image(size), [noise_image(size, seed) for seed in (1, 2)]
    op = OPS[family]()
    motions = [op.sample(np.random.default_rng(k), num_frames, size) for k in range(repeats)]
    with limited_threads(1), torch.inference_mode():
        timings = alternate(
            {
                "ours": lambda k: render(image, motions[k], partners),
                "theirs": lambda k: baseline(image, motions[k], partners),
            },
            repeats,
        )
    return compare(timings)


def compare(timings: Timings) -> list[str]:
    """Fill the cells of a row from "ours, clips/s" on.

    Args:
        timings: Seconds of each round, under "ours" and "theirs".
    """
    speeds = [len(timings[side]) / sum(timings[side]) for side in ("ours", "theirs")]
    found = ratios(timings, "ours", "theirs")
    verdict = "met" if found.median >= AIM else "missed"
    return [
        *(f"{speed:.1f}" for speed in speeds), f"{speeds[0] / speeds[1]:.2f}", str(found), verdict
    ]  # fmt: skip
