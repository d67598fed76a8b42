"""One measurement of the pre-training step, beside Hugging Face's and plain matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmpmg.evaluation.arithmetic import (
    Product,
    best_square,
    block_products,
    count_flops,
    multiplying,
)
from mmpmg.evaluation.progress import Say, silent
from mmpmg.evaluation.step_models import (
    DECODER_DEPTH,
    DECODERS,
    StepInputs,
    StepSize,
    attention_of,
    build_ours,
    build_theirs,
    make_inputs,
    set_attention,
    training_step,
)
from mmpmg.evaluation.timing import Side, Timings, alternate, device_clock, limited_threads
from mmpmg.models.backbones.masked_vit import ARCHITECTURES

ATTENTIONS = ("sdpa", "eager")
WARMUP = 1


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


class MeasuredStep(NamedTuple):
    """Seconds of a step's sides, round by round, in turn."""

    size: StepSize
    mask_ratio: float
    dtype: torch.dtype
    default: str
    """Hugging Face's own choice of attention."""
    visible: int
    """Visible tokens in a clip."""
    times: Timings
    """Under "ours", "sdpa" and "eager"; with products also "square" and "shapes"."""
    counted: Arithmetic | None
    """Of the step; None without products."""
    flops: dict[str, int]
    """Additions and multiplications of "square" and "shapes"."""


def measure_steps(
    sizes: Sequence[StepSize],
    mask_ratios: Sequence[float],
    device: str,
    threads: int,
    repeats: int,
    with_products: bool,
    say: Say = silent,
) -> list[MeasuredStep]:
    """Time forward, backward and AdamW of both models in turn, once for all tables.

    Args:
        sizes: Architectures and batches.
        mask_ratios: In (0, 1).
        device: "cpu" (float32) or "cuda" (float32 and bfloat16).
        threads: CPU threads of all sides.
        repeats: Rounds, >= 1.
        with_products: Also time, in the same rounds, matrix products: big squares, and the shapes
            of the step; in the last precision only, which is the one that is trained in.
        say: Told what is measured next.
    """
    dtypes = [torch.float32] + ([torch.bfloat16] if device == "cuda" else [])
    measured = []
    with limited_threads(threads):
        best = best_square(device, dtypes[-1]) if with_products else None
        for size in sizes:
            for ratio in mask_ratios:
                for dtype in dtypes:
                    say(f"step, {size}, mask {ratio:g}, {str(dtype)[6:]}")
                    sides, default, visible = timed_steps(size, ratio, device, dtype)
                    counted, flops = None, {}
                    if best is not None and dtype is dtypes[-1]:
                        counted = step_arithmetic(size, ratio)
                        for name, products in (
                            ("square", [best]),
                            ("shapes", own_products(size, visible)),
                        ):
                            sides[name], flops[name] = multiplying(products, device, dtype)
                    times = alternate(sides, repeats, WARMUP, device_clock(device))
                    measured.append(
                        MeasuredStep(size, ratio, dtype, default, visible, times, counted, flops)
                    )
    return measured
