"""The benchmark as a whole: what was asked for, in one Markdown text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from mmpmg.evaluation.archive_benchmark import benchmark_archives
from mmpmg.evaluation.arithmetic_benchmark import arithmetic_table
from mmpmg.evaluation.data_wait_benchmark import benchmark_data_wait
from mmpmg.evaluation.finetune_benchmark import benchmark_finetune
from mmpmg.evaluation.flow_benchmark import benchmark_flow
from mmpmg.evaluation.gains_benchmark import benchmark_gains
from mmpmg.evaluation.index_benchmark import benchmark_index
from mmpmg.evaluation.largest_batch import benchmark_largest_batch
from mmpmg.evaluation.machine import describe_machine, usable_cores
from mmpmg.evaluation.masking_benchmark import benchmark_masking
from mmpmg.evaluation.memory_benchmark import benchmark_memory
from mmpmg.evaluation.motion_map_benchmark import benchmark_motion_maps
from mmpmg.evaluation.preprocess_benchmark import benchmark_preprocess
from mmpmg.evaluation.progress import Say, silent
from mmpmg.evaluation.render_benchmark import benchmark_render
from mmpmg.evaluation.step_benchmark import profile_step, step_table
from mmpmg.evaluation.step_measurement import measure_steps
from mmpmg.evaluation.step_models import StepSize
from mmpmg.evaluation.synthesis_benchmark import benchmark_images
from mmpmg.evaluation.tokenizer_benchmark import benchmark_tokenizer
from mmpmg.evaluation.worker_benchmark import benchmark_worker

GAINS_RATIO = 0.75  # PMG's
SIZES = {
    "cpu": ("small:16:112:4", "base:16:224:1"),
    "cuda": ("small:16:112:64", "base:16:224:32"),
}


@dataclass(frozen=True)
class BenchmarkOptions:
    """What to measure.

    Attributes:
        parts: Of ``PARTS``; all of them when empty.
        repeats: Timed rounds, >= 1; 0 for each part's own number, which keeps it below some four
            minutes.
        threads: CPU threads of the step; 0 for all cores. Rendering and images always have one.
        sizes: Steps, as ``arch:frames:side:batch``; none: those of ``SIZES`` for the device.
        mask_ratios: Mask ratios of the steps, in (0, 1).
        clip: (T, H, W) of the rendered clips, and of those whose flow is estimated.
        device: "cpu" or "cuda", of the step.
        profile: Also say where the steps' time goes.
        files: Image files of the index, and members of the big archives.
    """

    parts: Sequence[str] = ()
    repeats: int = 0
    threads: int = 0
    sizes: Sequence[str] = ()
    mask_ratios: Sequence[float] = (0.75, 0.9)
    clip: Sequence[int] = field(default=(16, 224, 224))
    device: str = "cpu"
    profile: bool = False
    files: int = 1_000_000

    def steps(self) -> list[StepSize]:
        """Return the sizes of the steps.

        Raises:
            ValueError: One of them is no size.
        """
        return [StepSize.parse(text) for text in self.sizes or SIZES[self.device]]

    @property
    def dtype(self) -> torch.dtype:
        """What the device trains in: bfloat16 on a GPU, float32 on a CPU."""
        return torch.bfloat16 if self.device == "cuda" else torch.float32

    @property
    def cores(self) -> int:
        """CPU threads of the step."""
        return self.threads or usable_cores()


Measure = Callable[[BenchmarkOptions, int, Say], str]


def _render(options: BenchmarkOptions, repeats: int, say: Say) -> str:
    frames, height, width = options.clip
    return benchmark_render(frames, (height, width), repeats)


def _flow(options: BenchmarkOptions, repeats: int, say: Say) -> str:
    frames, height, width = options.clip
    return benchmark_flow((frames, height, width), repeats)


def _motion_map(options: BenchmarkOptions, repeats: int, say: Say) -> str:
    frames, height, width = options.clip
    return benchmark_motion_maps((frames, height, width), repeats)


def _step(options: BenchmarkOptions, repeats: int, say: Say) -> str:
    """Measure the steps once for both tables: figures of one step that differ help nobody."""
    sizes, ratios, device = options.steps(), options.mask_ratios, options.device
    with_products = "arithmetic" in options.parts
    measured = measure_steps(sizes, ratios, device, options.cores, repeats, with_products, say)
    tables = []
    if "step" in options.parts:
        tables.append(step_table(measured, device, options.cores))
        if device == "cuda":
            tables += [
                benchmark_largest_batch(sizes[-1:], ratio, device, options.dtype, repeats)
                for ratio in ratios
            ]
    if with_products:
        tables.append(arithmetic_table(measured, device, options.cores))
    if options.profile and "step" in options.parts:
        tables += [
            profile_step(size, ratio, device, options.cores) for size in sizes for ratio in ratios
        ]
    return "\n\n".join(tables)


PARTS: Mapping[str, tuple[int, Measure]] = {
    "render": (20, _render),
    "deferred": (10, lambda o, n, say: benchmark_worker(n)),
    "data-wait": (1, lambda o, n, say: benchmark_data_wait()),
    "preprocess": (
        5,
        lambda o, n, say: benchmark_preprocess(o.steps(), o.device, o.cores, n, o.dtype),
    ),
    "step": (5, _step),
    "arithmetic": (5, _step),
    "gains": (
        10,
        # Of the first size on a CPU: eleven steps of ViT-B a round take too long there.
        lambda o, n, say: benchmark_gains(
            o.steps()[: None if o.device == "cuda" else 1],
            GAINS_RATIO,
            o.device,
            o.cores,
            n,
            o.dtype,
        ),
    ),
    "memory": (1, lambda o, n, say: benchmark_memory(o.steps(), o.mask_ratios, say)),
    "finetune": (5, lambda o, n, say: benchmark_finetune(o.steps(), o.device, o.cores, n)),
    "index": (1, lambda o, n, say: benchmark_index(o.files)),
    "archives": (10, lambda o, n, say: benchmark_archives(o.files, n)),
    "images": (10, lambda o, n, say: benchmark_images(n)),
    "flow": (2, _flow),
    "motion-map": (2, _motion_map),
    "masking": (
        5,
        lambda o, n, say: benchmark_masking(o.steps(), o.device, o.cores, n, o.dtype),
    ),
    "tokenizer": (
        5,
        lambda o, n, say: benchmark_tokenizer(o.device, o.cores, n, o.dtype, say=say),
    ),
}
"""Name -> (its own number of rounds, what measures it)."""
GPU_PARTS = ("preprocess", "step", "arithmetic", "gains", "finetune", "masking", "tokenizer")
"""What ``--device cuda`` measures when no part is named: the rest has nothing to do with it."""


def run_benchmark(
    options: BenchmarkOptions,
    arguments: Sequence[str],
    show: Callable[[str], object] = print,
    say: Say = silent,
) -> None:
    """Measure, and show each table as soon as it is there.

    Args:
        options: What to measure.
        arguments: The command line, for the record.
        show: Gets one piece of Markdown at a time.
        say: Gets a line on what is measured next.

    Raises:
        ValueError: Unknown part or size, or no such device.
    """
    parts = options.parts or (GPU_PARTS if options.device == "cuda" else tuple(PARTS))
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such part; there are {', '.join(PARTS)}")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda, but torch sees no GPU; use --device cpu")
    options.steps()  # raises before anything is measured

    show(describe_machine(arguments, options.device))
    options = replace(options, parts=parts)
    done: list[Measure] = []
    for name, (repeats, measure) in PARTS.items():
        if name in parts and measure not in done:  # two parts may be one measurement
            done.append(measure)
            say(f"{name} ...")
            show("\n" + measure(options, options.repeats or repeats, say))
    say("done")
