"""A GPU's best case: as many clips at a time as fit, ours and Hugging Face's each on its own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence

import torch

from mmpmg.evaluation.arithmetic import best_square, multiplying
from mmpmg.evaluation.step_measurement import WARMUP, step_arithmetic, step_sides, steps
from mmpmg.evaluation.step_models import StepSize, set_attention
from mmpmg.evaluation.timing import Side, alternate, device_clock, markdown_table, spread

HEAD = ["step", "mask", "whose", "largest batch", "clips/s (min to max)",
        "% of the best rate", "ratio"]  # fmt: skip
OURS, THEIRS = "ours", "HF sdpa"
LIMIT = 1024


def largest(fits: Callable[[int], bool], limit: int = LIMIT) -> int:
    """Find the largest number that fits, by doubling and then halving the interval.

    Args:
        fits: Whether a number fits; what is smaller than one that fits, fits too.
        limit: Largest number to try, >= 1.

    Returns:
        The number, to a sixteenth of it; 0 when not even 1 fits.
    """
    good, bad = 0, limit + 1
    number = 1
    while number < bad and fits(number):
        good, number = number, min(2 * number, limit) if number < limit else bad
    bad = min(bad, number)
    while bad - good > max(1, good // 16):
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    return good


def lone_step(size: StepSize, mask_ratio: float, device: str, dtype: torch.dtype, who: str) -> Side:
    """Make the step of one of the two models, the other one gone from the device."""
    ours, theirs, inputs = step_sides(size, mask_ratio, device)
    set_attention(theirs, "sdpa")
    our_step, their_step = steps(ours, theirs, inputs, device, dtype)
    (theirs if who == OURS else ours).to("meta")
    return our_step if who == OURS else their_step


def step_fits(size: StepSize, mask_ratio: float, device: str, dtype: torch.dtype, who: str) -> bool:
    """Try two steps (the second one with the optimizer's moments in memory)."""
    try:
        step = lone_step(size, mask_ratio, device, dtype, who)
        step(0)
        step(0)
    except torch.OutOfMemoryError:
        return False
    finally:
        step = None  # type: ignore[assignment]
        _free(device)
    return True


def benchmark_largest_batch(
    sizes: Sequence[StepSize],
    mask_ratio: float,
    device: str,
    dtype: torch.dtype,
    repeats: int,
    limit: int = LIMIT,
) -> str:
    """Compare clips a second, each model at the largest batch that fits: a Markdown table.

    The two cannot be in memory together, so they are not timed in turn, as elsewhere.

    Args:
        sizes: Architectures; their batch does not count.
        mask_ratio: In (0, 1).
        device: "cuda"; a CPU has no end of memory to find, but ``limit`` bounds it.
        dtype: Of the steps.
        repeats: Rounds.
        limit: Largest batch to try.
    """
    square, flops = multiplying([best_square(device, dtype)], device, dtype)
    clock = device_clock(device)
    best = flops / spread(alternate({"": square}, repeats, WARMUP, clock)[""]).median
    rows = []
    for size in sizes:
        one = step_arithmetic(size._replace(batch=1), mask_ratio)
        rates = {}
        for who, work in zip((OURS, THEIRS), one, strict=True):

            def fits(batch: int, size: StepSize = size, who: str = who) -> bool:
                return step_fits(size._replace(batch=batch), mask_ratio, device, dtype, who)

            batch = largest(fits, limit)
            name = f"ViT {size.arch}, {size.num_frames} x {size.side}²"
            if not batch:
                rows.append([name, f"{mask_ratio:g}", who, "0", "does not fit", "", ""])
                continue
            step = lone_step(size._replace(batch=batch), mask_ratio, device, dtype, who)
            times = alternate({"": step}, repeats, WARMUP, clock)[""]
            step = None  # type: ignore[assignment]
            _free(device)
            found = spread([batch / seconds for seconds in times])
            rates[who] = found.median
            ratio = f"{rates[OURS] / rates[THEIRS]:.2f}" if len(rates) == 2 else ""
            percent = f"{100 * found.median * work / best:.0f}"
            rows.append([name, f"{mask_ratio:g}", who, str(batch), str(found), percent, ratio])
    title = f"The largest batch that fits, {device}, {str(dtype)[6:]}, {repeats} rounds"
    note = f"Big squares: {best / 1e12:.1f} TFLOP/s."
    return f"### {title}\n\n{note}\n\n{markdown_table(HEAD, rows)}"


def _free(device: str) -> None:
    """Give a device's memory back: cycles of a model's closures hold it otherwise."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
