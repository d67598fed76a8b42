"""How fast and how large a pre-training step is, beside Hugging Face's VideoMAE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmpmg.evaluation.step_models import (
    StepInputs,
    StepSize,
    attention_of,
    build_ours,
    build_theirs,
    make_inputs,
    set_attention,
    training_step,
)
from mmpmg.evaluation.timing import (
    Side,
    alternate,
    device_clock,
    limited_threads,
    markdown_table,
    ratios,
    spread,
)

ATTENTIONS = ("sdpa", "eager")
WARMUP = 1
STEP_HEAD = ["step", "mask", "visible", "precision", "against", "ours, s", "theirs, s",
             "ratio (min to max)"]  # fmt: skip
PROFILE_HEAD = ["operation", "ours, ms", "calls", "HF, ms", "calls"]


def step_sides(size: StepSize, mask_ratio: float, device: str) -> tuple[Any, Any, StepInputs]:
    """Build both models and their common batch."""
    torch.manual_seed(0)
    ours, theirs = build_ours(size, mask_ratio).to(device), build_theirs(size).to(device)
    return ours.train(), theirs.train(), make_inputs(ours, size, device)


def step_losses(ours: Any, theirs: Any, inputs: StepInputs) -> list[Callable[[], Tensor]]:
    """Make the two losses, ours first. Hugging Face's uses whatever attention is set."""
    return [
        lambda: ours(inputs.ours, inputs.samples, mode="loss")["loss_pixel"],
        lambda: theirs(inputs.theirs, bool_masked_pos=inputs.mask).loss,
    ]


def steps(ours: Any, theirs: Any, inputs: StepInputs, device: str, dtype: torch.dtype) -> list[Any]:
    """Make the two steps, ours first."""
    losses = step_losses(ours, theirs, inputs)
    models = (ours, theirs)
    return [training_step(*pair, device, dtype) for pair in zip(models, losses, strict=True)]


class TimedSteps(NamedTuple):
    """What is timed: a step each of ours and of Hugging Face's with each attention."""

    sides: dict[str, Side]
    """Under "ours", "sdpa" and "eager"."""
    default: str
    """Which of the last two is Hugging Face's own choice."""
    visible: int
    """Visible tokens in a clip."""


def timed_steps(size: StepSize, mask_ratio: float, device: str, dtype: torch.dtype) -> TimedSteps:
    """Build both models and the steps to be timed."""
    ours, theirs, inputs = step_sides(size, mask_ratio, device)
    default = "/".join(sorted(attention_of(theirs)))
    our_step, their_step = steps(ours, theirs, inputs, device, dtype)

    def with_attention(name: str) -> Side:
        def step(number: int) -> None:
            set_attention(theirs, name)
            their_step(number)

        return step

    sides = {"ours": our_step, **{name: with_attention(name) for name in ATTENTIONS}}
    return TimedSteps(sides, default, int((~inputs.mask[0]).sum()))


def benchmark_step(
    sizes: Sequence[StepSize], mask_ratios: Sequence[float], device: str, threads: int, repeats: int
) -> str:
    """Compare forward, backward and AdamW: a Markdown table.

    Args:
        sizes: Architectures and batches.
        mask_ratios: In (0, 1).
        device: "cpu" (float32) or "cuda" (float32 and bfloat16).
        threads: CPU threads of both sides.
        repeats: Rounds.
    """
    dtypes = [torch.float32] + ([torch.bfloat16] if device == "cuda" else [])
    rows = []
    with limited_threads(threads):
        for size in sizes:
            for ratio in mask_ratios:
                for dtype in dtypes:
                    sides, default, visible = timed_steps(size, ratio, device, dtype)
                    timings = alternate(sides, repeats, WARMUP, device_clock(device))
                    for name in ATTENTIONS:
                        against = f"HF {name}" + (" (its default)" if name == default else "")
                        seconds = [f"{spread(timings[s]).median:.3f}" for s in ("ours", name)]
                        rows.append(
                            [str(size), f"{ratio:g}", str(visible), str(dtype)[6:], against,
                             *seconds, str(ratios(timings, "ours", name))]
                        )  # fmt: skip
    if device == "cpu":
        rows.append(["any, on a GPU", "", "", "bfloat16", "", "", "", "not run yet"])
    title = f"Pre-training step on {device}, {threads} CPU threads, {repeats} rounds"
    return f"### {title}\n\n{markdown_table(STEP_HEAD, rows)}"


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
