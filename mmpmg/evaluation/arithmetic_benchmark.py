"""How much of the machine's matrix-product rate a pre-training step reaches, and what it could."""

from __future__ import annotations

from collections.abc import Sequence

from mmpmg.evaluation.step_measurement import MeasuredStep
from mmpmg.evaluation.timing import Spread, markdown_table, notes, ratios, spread

GIGA = 1e9
HEAD = ["step", "mask", "precision", "GFLOP ours", "GFLOP HF", "ours, % of the best rate",
        "HF sdpa, %", "ratio measured", "ratio at the best rate",
        "at the rate of its shapes"]  # fmt: skip


def arithmetic_table(measured: Sequence[MeasuredStep], device: str, threads: int) -> str:
    """Set both steps against the machine's best matrix products: a Markdown table.

    The last two columns bound what any implementation of the same arithmetic can reach: the ratio
    to Hugging Face if our step were nothing but its additions and multiplications, at the rate of
    the best big squares, and at that of the step's own matrices.

    Args:
        measured: Steps; those without products are left out.
        device: "cpu" or "cuda", on which they were measured.
        threads: CPU threads that they had.
    """
    rows, rates, found = [], [], []
    for step in measured:
        if step.counted is None:
            continue
        times, counted, flops = step.times, step.counted, step.flops
        rates += [flops["square"] / seconds for seconds in times["square"]]
        found.append(ratios(times, "ours", "sdpa"))
        rows.append(
            [str(step.size), f"{step.mask_ratio:g}", str(step.dtype)[6:]]
            + [f"{count / GIGA:.0f}" for count in counted]
            + [
                _percent(count / flops["square"], times["square"], times[side]).text(".0f")
                for count, side in zip(counted, ("ours", "sdpa"), strict=True)
            ]
            + [str(found[-1])]
            + [
                _bound(flops[side] / counted.ours, times["sdpa"], times[side])
                for side in ("square", "shapes")
            ]
        )
    precision = rows[0][2]
    if device == "cpu":
        rows.append(["any, on a GPU", "", "bfloat16", *[""] * 6, "not run yet"])
    title = f"Arithmetic of a step on {device}, {threads} CPU threads, {found[0].rounds} rounds"
    best = spread([rate / GIGA for rate in rates])
    note = f"Big squares of {precision}: {best} GFLOP/s, measured between the steps."
    return f"### {title}\n\n{note}\n\n{markdown_table(HEAD, rows)}{notes(found)}"


def _percent(work: float, square: Sequence[float], step: Sequence[float]) -> Spread:
    """Rate of a step in percent of the squares' rate, round by round."""
    return spread([100 * work * a / b for a, b in zip(square, step, strict=True)])


def _bound(work: float, theirs: Sequence[float], products: Sequence[float]) -> str:
    """Ratio to a step, round by round, of nothing but our arithmetic at the products' rate."""
    return str(spread([work * a / b for a, b in zip(theirs, products, strict=True)]))
