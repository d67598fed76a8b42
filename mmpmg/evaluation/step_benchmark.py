"""How fast a pre-training step is, beside Hugging Face's VideoMAE, and where its time goes."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from mmpmg.evaluation.step_measurement import ATTENTIONS, MeasuredStep, step_sides, steps
from mmpmg.evaluation.step_models import StepSize
from mmpmg.evaluation.timing import (
    Side,
    limited_threads,
    markdown_table,
    notes,
    ratios,
    spread,
)

STEP_HEAD = ["step", "mask", "visible", "precision", "against", "ours, s", "theirs, s",
             "ratio (min to max)"]  # fmt: skip
PROFILE_HEAD = ["operation", "ours, ms", "calls", "HF, ms", "calls"]


def step_table(measured: Sequence[MeasuredStep], device: str, threads: int) -> str:
    """Compare forward, backward and AdamW: a Markdown table.

    Args:
        measured: Steps.
        device: "cpu" or "cuda", on which they were measured.
        threads: CPU threads that they had.
    """
    rows, found = [], []
    for step in measured:
        for name in ATTENTIONS:
            against = f"HF {name}" + (" (its default)" if name == step.default else "")
            seconds = [f"{spread(step.times[s]).median:.3f}" for s in ("ours", name)]
            found.append(ratios(step.times, "ours", name))
            rows.append(
                [str(step.size), f"{step.mask_ratio:g}", str(step.visible), str(step.dtype)[6:],
                 against, *seconds, str(found[-1])]
            )  # fmt: skip
    if device == "cpu":
        rows.append(["any, on a GPU", "", "", "bfloat16", "", "", "", "not run yet"])
    title = f"Pre-training step on {device}, {threads} CPU threads, {found[0].rounds} rounds"
    return f"### {title}\n\n{markdown_table(STEP_HEAD, rows)}{notes(found)}"


def profile_step(
    size: StepSize, mask_ratio: float, device: str, threads: int, top: int = 12
) -> str:
    """Say where a float32 step's time goes: the longest operations by their own time.

    Args:
        size: Architecture and batch.
        mask_ratio: In (0, 1).
        device: "cpu" or "cuda".
        threads: CPU threads.
        top: Rows, those on which ours spends most.

    Returns:
        A Markdown table; Hugging Face's with its default attention.
    """
    ours, theirs, inputs = step_sides(size, mask_ratio, device)
    columns = []
    with limited_threads(threads):
        for step in steps(ours, theirs, inputs, device, torch.float32):
            step(0)
            columns.append(_operations(step, device))
    rows = []
    for name in sorted(columns[0], key=lambda name: -columns[0][name][0])[:top]:
        cells = [column.get(name, (0.0, 0)) for column in columns]
        rows.append([name, *(text for ms, n in cells for text in (f"{ms:.1f}", str(n)))])
    totals = [sum(ms for ms, _ in column.values()) for column in columns]
    rows.append(["all operations", f"{totals[0]:.1f}", "", f"{totals[1]:.1f}", ""])
    return (
        f"### Where a step goes: {size}, mask {mask_ratio:g}\n\n"
        f"{markdown_table(PROFILE_HEAD, rows)}"
    )


def _operations(step: Side, device: str) -> dict[str, tuple[float, int]]:
    """Profile one step: operation -> (own milliseconds, calls)."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device == "cuda":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities) as profiler:
        step(0)
    own = "self_device_time_total" if device == "cuda" else "self_cpu_time_total"
    return {e.key: (getattr(e, own) / 1000, e.count) for e in profiler.key_averages()}
