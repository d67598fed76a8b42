"""How much of the machine's matrix-product rate a pre-training step reaches, and what it could."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from mmpmg.evaluation.arithmetic import (
    Product,
    best_square,
    block_products,
    count_flops,
    multiplying,
)
from mmpmg.evaluation.step_benchmark import WARMUP, step_losses, step_sides, timed_steps
from mmpmg.evaluation.step_models import DECODER_DEPTH, DECODERS, StepSize
from mmpmg.evaluation.timing import (
    alternate,
    device_clock,
    limited_threads,
    markdown_table,
    ratios,
    spread,
)
from mmpmg.models.backbones.masked_vit import ARCHITECTURES

GIGA = 1e9
HEAD = ["step", "mask", "precision", "GFLOP ours", "GFLOP HF", "ours, % of the best rate",
        "HF sdpa, %", "ratio measured", "ratio at the best rate",
        "at the rate of its shapes"]  # fmt: skip


class Arithmetic(NamedTuple):
    """Additions and multiplications of a step."""

    ours: int
    theirs: int


def step_arithmetic(size: StepSize, mask_ratio: float) -> Arithmetic:
    """Count both steps' arithmetic, on one clip on the CPU, for the whole batch."""
    ours, theirs, inputs = step_sides(size._replace(batch=1), mask_ratio, "cpu")
    counts = [count_flops(loss) for loss in step_losses(ours, theirs, inputs)]
    return Arithmetic(*(size.batch * count for count in counts))


def own_products(size: StepSize, visible: int) -> list[Product]:
    """List the linear layers' products, of encoder and decoder blocks in their proportion."""
    width, depth, _ = ARCHITECTURES[size.arch]
    tokens = size.num_frames // 2 * (size.side // 16) ** 2
    share = max(1, round(depth / DECODER_DEPTH))
    decoder = block_products(tokens, DECODERS[size.arch][0], 1, size.batch)
    return block_products(visible, width, share, size.batch) + decoder


def benchmark_arithmetic(
    sizes: Sequence[StepSize],
    mask_ratios: Sequence[float],
    device: str,
    threads: int,
    repeats: int,
) -> str:
    """Set both steps against the machine's best matrix products: a Markdown table.

    The last two columns bound what any implementation of the same arithmetic can reach: the ratio
    to Hugging Face if our step were nothing but its additions and multiplications, at the rate of
    the best big squares, and at that of the step's own matrices.

    Args:
        sizes: Architectures and batches.
        mask_ratios: In (0, 1).
        device: "cpu" (float32) or "cuda" (bfloat16).
        threads: CPU threads.
        repeats: Rounds.
    """
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    rows, rates = [], []
    with limited_threads(threads):
        square, square_flops = multiplying([best_square(device, dtype)], device, dtype)
        for size in sizes:
            for mask_ratio in mask_ratios:
                counted = step_arithmetic(size, mask_ratio)
                sides, _, visible = timed_steps(size, mask_ratio, device, dtype)
                shapes, shape_flops = multiplying(own_products(size, visible), device, dtype)
                sides = {"ours": sides["ours"], "sdpa": sides["sdpa"]}
                sides |= {"square": square, "shapes": shapes}
                times = alternate(sides, repeats, WARMUP, device_clock(device))
                rates += [square_flops / seconds for seconds in times["square"]]
                rows.append(
                    [str(size), f"{mask_ratio:g}", str(dtype)[6:]]
                    + [f"{count / GIGA:.0f}" for count in counted]
                    + [
                        _percent(count / square_flops, times["square"], times[side])
                        for count, side in zip(counted, ("ours", "sdpa"), strict=True)
                    ]
                    + [str(ratios(times, "ours", "sdpa"))]
                    + [
                        _bound(flops / counted.ours, times["sdpa"], times[side])
                        for flops, side in ((square_flops, "square"), (shape_flops, "shapes"))
                    ]
                )
    if device == "cpu":
        rows.append(["any, on a GPU", "", "bfloat16", *[""] * 6, "not run yet"])
    title = f"Arithmetic of a step on {device}, {threads} CPU threads, {repeats} rounds"
    best = spread([rate / GIGA for rate in rates])
    note = f"Big squares of {str(dtype)[6:]}: {best} GFLOP/s, measured between the steps."
    return f"### {title}\n\n{note}\n\n{markdown_table(HEAD, rows)}"


def _percent(work: float, square: Sequence[float], step: Sequence[float]) -> str:
    """Rate of a step in percent of the squares' rate, round by round."""
    found = spread([100 * work * a / b for a, b in zip(square, step, strict=True)])
    return f"{found.median:.0f} ({found.lowest:.0f} to {found.highest:.0f})"


def _bound(work: float, theirs: Sequence[float], products: Sequence[float]) -> str:
    """Ratio to a step, round by round, of nothing but our arithmetic at the products' rate."""
    return str(spread([work * a / b for a, b in zip(theirs, products, strict=True)]))
