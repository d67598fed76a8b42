"""What motion maps cost, how well KLT finds the exact regions, and how much of a clip moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mmpmg.datasets.klt_motion import PointTracker, klt_motion_map
from mmpmg.evaluation.timing import limited_threads, markdown_table, spread
from mmpmg.motion import Motion, build_op, render
from mmpmg.motion.motion_map import PAIRS, motion_map
from mmpmg.synthesis import shader_image

Map: TypeAlias = npt.NDArray[np.float32]

STILL = {"still": {"type": "Identity"}}
FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "SlidingWindow": {"type": "SlidingWindow"},
    "ZoomInOut": {"type": "ZoomInOut"},
    "Affine": {"type": "Affine"},
    "Perspective": {"type": "Perspective"},
    "CutMix": {"type": "CutMix"},
    "SmoothDisplacement": {"type": "SmoothDisplacement"},
    "Layered": {"type": "Layered"},
    "Layered, still background": {"type": "Layered", "background": STILL},
}
"""Name -> op; the last shows parts that move where nothing else does, as from a fixed camera."""
THRESHOLDS = (0.25, 0.5, 1.0, 2.0)
TOLD = (0.5, 1.0)
"""Pixels per frame from which on a cell moves, of the overlaps."""
TRACKERS: Mapping[str, PointTracker] = {
    "window 13, levels 2 (default)": PointTracker(),
    "the same, explained=inf": PointTracker(explained=np.inf),
    "the same, check_back": PointTracker(check_back=True),
    "the same, levels 3": PointTracker(levels=3),
    "window 7, levels 2": PointTracker(window=7),
    "window 9, levels 2": PointTracker(window=9),
    "window 15, levels 2": PointTracker(window=15),
    "shrink 2, window 9, levels 2": PointTracker(shrink=2, window=9),
    "shrink 2, window 13, levels 2": PointTracker(shrink=2),
}
DRAWS = 20
"""Motions of each family for every clip of it that is rendered: maps are cheap."""


def _draws(shape: tuple[int, int, int], count: int) -> dict[str, list[Motion]]:
    frames, height, width = shape
    return {
        name: [
            build_op(dict(options)).sample(np.random.default_rng(k), frames, (height, width))
            for k in range(count)
        ]
        for name, options in FAMILIES.items()
    }


def _timed(make: Callable[[], Map], spent: list[float]) -> Map:
    start = time.process_time()
    made = make()
    spent.append(1000 * (time.process_time() - start))
    return made


def moving_shares(maps: Sequence[Map], thresholds: Sequence[float] = THRESHOLDS) -> list[float]:
    """Return the share of cells that move at least so many pixels per frame, over all maps."""
    cells = np.concatenate([found.ravel() for found in maps])
    return [float((cells >= threshold).mean()) for threshold in thresholds]


def overlap(found: Sequence[Map], exact: Sequence[Map], threshold: float) -> tuple[float, float]:
    """Compare regions over all clips together.

    Args:
        found: Estimated maps.
        exact: The same clips' exact ones.
        threshold: Pixels per frame, from which on a cell moves.

    Returns:
        Intersection over union, and the share of the found cells that do move; 1 where there are
        none.
    """
    ours, theirs = (
        np.concatenate([m.ravel() for m in maps]) >= threshold for maps in (found, exact)
    )
    both, either = (ours & theirs).sum(), (ours | theirs).sum()
    return (
        float(both / either) if either else 1.0,
        float(both / ours.sum()) if ours.any() else 1.0,
    )


def _exact_table(draws: Mapping[str, Sequence[Motion]]) -> str:
    rows = []
    for name, motions in draws.items():
        times: dict[str, list[float]] = {pairs: [] for pairs in PAIRS}
        maps = []
        for motion in motions:
            maps.append(_timed(partial(motion_map, motion), times["within"]))
            _timed(partial(motion_map, motion, pairs="all"), times["all"])
        shares = [f"{100 * share:.0f}" for share in moving_shares(maps)]
        rows.append([name, *(spread(times[p]).text(".2f") for p in PAIRS), *shares])
    head = ["motion", "ms a map, 8 pairs of 16 frames", 'ms, pairs="all"']
    return markdown_table(head + [f"moving, {t:g} px, %" for t in THRESHOLDS], rows)


def _estimate_tables(draws: Mapping[str, Sequence[Motion]], count: int) -> str:
    clips: dict[str, list[tuple[list[np.ndarray], Map]]] = {}
    for name, motions in draws.items():
        clips[name] = []
        for number, motion in enumerate(motions[:count]):
            height, width = motion.size
            stills = [
                shader_image(0, 7 * number + k, 0, max(motion.size))[:height, :width]
                for k in range(motion.num_images)
            ]
            frames = list(render(stills[0], motion, stills[1:]))
            clips[name].append((frames, motion_map(motion)))
    rows, families = [], []
    for name, tracker in TRACKERS.items():
        spent: list[float] = []
        pooled: list[Map] = []
        cells = [name]
        for family in clips.values():
            found = [
                _timed(partial(klt_motion_map, frames, tracker=tracker), spent)
                for frames, _ in family
            ]
            pooled += found
            values = overlap(found, [exact for _, exact in family], TOLD[0])
            cells.append(", ".join(f"{100 * value:.0f}" for value in values))
        known = [exact for family in clips.values() for _, exact in family]
        sums = [f"{100 * v:.0f}" for t in TOLD for v in overlap(pooled, known, t)]
        rows.append([name, spread(spent).text(".0f"), *sums])
        families.append(cells)
    head = ["KLT", "CPU ms a clip"]
    for threshold in TOLD:
        head += [f"IoU at {threshold:g} px, %", f"right of the found at {threshold:g} px, %"]
    return (
        f"{markdown_table(head, rows)}\n\n"
        f"IoU and right of the found at {TOLD[0]:g} px, by family, %:\n\n"
        f"{markdown_table(['KLT', *clips], families)}"
    )


def benchmark_motion_maps(shape: tuple[int, int, int], repeats: int) -> str:
    """Measure exact maps and KLT's on pseudo-motion clips, on one thread, as Markdown.

    Args:
        shape: (T, H, W) of the clips: T even, sides multiples of 8.
        repeats: Rendered clips of each family, >= 1.
    """
    with limited_threads(1):
        draws = _draws(shape, DRAWS * repeats)
        exact = _exact_table(draws)
        estimated = _estimate_tables(draws, repeats)
    size = " x ".join(map(str, shape))
    return (
        f"### Motion maps, {size}, cells of 2 x 8 x 8, one thread\n\n"
        f"Exact, {DRAWS * repeats} motions of each family. Processor time: median (least to "
        f"greatest). A cell moves from the threshold on, in pixels per frame.\n\n{exact}\n\n"
        f"KLT against the exact maps, shader images, {repeats} clips of each family; IoU: the "
        "cells that move in both over those that move in one; right: those of the found that do "
        f"move.\n\n{estimated}"
    )
