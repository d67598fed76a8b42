"""What classical dense flow costs and how wrong it is, where the flow is known exactly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from mmpmg.datasets.flow_estimation import METHODS, Flow, Seen, consistent, estimate_flow
from mmpmg.evaluation.timing import limited_threads, markdown_table, spread
from mmpmg.motion import build_op, render
from mmpmg.synthesis import shader_image

FAMILIES = ("SlidingWindow", "ZoomInOut", "Affine", "Perspective", "SmoothDisplacement", "Layered")
HEAD = ["method", "median error, px", "90th percentile, px", "the same, consistent pixels",
        "consistent of covisible, %", "consistent of the others, %", "CPU ms a clip",
        "CPU ms a clip, with the way back"]  # fmt: skip
PARCELS = ("nothing", "float32, NumPy", "float16, NumPy", "float32, torch", "float16, torch")
PARCEL_HEAD = ["flow that travels with the clip", "MB a sample", "ms a sample"]


def known_clips(
    shape: tuple[int, int, int], count: int, families: Sequence[str] = FAMILIES
) -> list[tuple[list[np.ndarray], Flow, Seen]]:
    """Render shader images under motions of every family, with the exact flow.

    Args:
        shape: (T, H, W) of the clips.
        count: Of each family.
        families: Types of motion.

    Returns:
        Frames, flow (T-1, H, W, 2) and covisible (T-1, H, W) of each clip.
    """
    frames, height, width = shape
    side = max(height, width)
    clips = []
    for name in families:
        for number in range(count):
            stills = [shader_image(0, 7 * number + k, 0, side)[:height, :width] for k in range(4)]
            rng = np.random.default_rng((number, FAMILIES.index(name)))
            motion = build_op(dict(type=name)).sample(rng, frames, (height, width))
            clip = list(render(stills[0], motion, stills[1 : motion.num_images]))
            clips.append((clip, motion.flow(), motion.covisible()))
    return clips


def _row(method: str, clips: Sequence[tuple[list[np.ndarray], Flow, Seen]]) -> list[str]:
    errors, believed, others, forth_only, both = [], [], [], [], []
    for frames, exact, seen in clips:
        start = time.process_time()
        estimate_flow(frames, method)
        forth_only.append(1000 * (time.process_time() - start))
        start = time.process_time()
        forth, back = estimate_flow(frames, method, backward=True)
        assert back is not None
        agree = consistent(forth, back)
        both.append(1000 * (time.process_time() - start))
        errors.append(np.linalg.norm(forth - exact, axis=-1)[seen])
        believed.append(agree[seen])
        others.append(agree[~seen])
    error, belief = np.concatenate(errors), np.concatenate(believed)
    return [
        method,
        f"{np.median(error):.2f}",
        f"{np.quantile(error, 0.9):.2f}",
        f"{np.median(error[belief]):.2f}, {np.quantile(error[belief], 0.9):.2f}",
        f"{100 * belief.mean():.0f}",
        f"{100 * np.concatenate(others).mean():.0f}",
        spread(forth_only).text(".0f"),
        spread(both).text(".0f"),
    ]


class _Parcels(Dataset[dict[str, Any]]):
    """Clips with a flow in one form, so that nothing but their journey takes time."""

    def __init__(self, form: str, shape: tuple[int, int, int], count: int) -> None:
        self.count = count
        frames, height, width = shape
        self.sample: dict[str, Any] = dict(inputs=torch.zeros(3, *shape, dtype=torch.uint8))
        if form == "nothing":
            return
        kind, where = form.split(", ")
        flow = np.zeros((frames - 1, height, width, 2), kind)
        seen = np.zeros((frames - 1, height, width), bool)
        for key, array in (("flow", flow), ("covisible", seen)):
            self.sample[key] = torch.from_numpy(array) if where == "torch" else array

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        copies = {k: v.clone() if hasattr(v, "clone") else v.copy() for k, v in self.sample.items()}
        return copies

    @property
    def megabytes(self) -> float:
        """Of a sample."""
        return sum(value.nbytes for value in self.sample.values()) / 1e6


def _parcel_row(form: str, shape: tuple[int, int, int], count: int) -> list[str]:
    dataset = _Parcels(form, shape, count)
    loader = DataLoader(dataset, batch_size=4, num_workers=1, collate_fn=list)
    start, samples = 0.0, 0
    for number, batch in enumerate(loader):
        if number == 1:  # the first one waits for the worker to start
            start = time.perf_counter()
        elif number:
            samples += len(batch)
    elapsed = time.perf_counter() - start
    return [form, f"{dataset.megabytes:.1f}", f"{1000 * elapsed / samples:.1f}"]


def benchmark_flow(shape: tuple[int, int, int], repeats: int) -> str:
    """Measure ``DenseFlow``'s methods on pseudo-motion clips, on one thread, as Markdown.

    Args:
        shape: (T, H, W) of the clips; T at least 2.
        repeats: Clips of each family, >= 1.
    """
    with limited_threads(1):
        clips = known_clips(shape, repeats)
        rows = [_row(method, clips) for method in METHODS]
    parcels = [_parcel_row(form, shape, 16 * (repeats + 1)) for form in PARCELS]
    exact = np.concatenate([np.linalg.norm(flow, axis=-1)[seen] for _, flow, seen in clips])
    size = " x ".join(map(str, shape))
    return (
        f"### Dense flow, {size}, one thread, {len(clips)} clips\n\n"
        f"Shader images, {repeats} clips of each of {', '.join(FAMILIES)}. Length of the exact "
        f"displacements: median {np.median(exact):.1f} px, 90th percentile "
        f"{np.quantile(exact, 0.9):.1f} px. Errors are distances to the exact flow, over covisible "
        "pixels; a pixel is consistent where the flow back returns to it. Processor time: median "
        f"(least to greatest) of all clips.\n\n{markdown_table(HEAD, rows)}\n\n"
        "From a data worker to the trainer, on the clock, which other processes slow down:\n\n"
        f"{markdown_table(PARCEL_HEAD, parcels)}"
    )
