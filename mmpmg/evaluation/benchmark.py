"""The benchmark as a whole: what was asked for, in one Markdown text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from mmpmg.evaluation.archive_benchmark import benchmark_archives
from mmpmg.evaluation.finetune_benchmark import benchmark_finetune
from mmpmg.evaluation.index_benchmark import benchmark_index
from mmpmg.evaluation.machine import describe_machine, usable_cores
from mmpmg.evaluation.render_benchmark import benchmark_render
from mmpmg.evaluation.step_benchmark import benchmark_memory, benchmark_step, profile_step
from mmpmg.evaluation.step_models import StepSize
from mmpmg.evaluation.synthesis_benchmark import benchmark_images

PARTS = ("render", "step", "finetune", "index", "archives", "images")
MEMORY_RATIOS = (0.5, 0.75, 0.9)


@dataclass(frozen=True)
class BenchmarkOptions:
    """What to measure.

    Attributes:
        parts: Of ``PARTS``; all of them when empty.
        repeats: Timed rounds, >= 1.
        threads: CPU threads of the step; 0 for all cores. Rendering and images always have one.
        sizes: Steps, as ``arch:frames:side:batch``.
        mask_ratios: Mask ratios of the steps, in (0, 1).
        clip: (T, H, W) of the rendered clips.
        device: "cpu" or "cuda", of the step.
        profile: Also say where the steps' time goes.
        files: Image files of the index, and members of the big archives.
    """

    parts: Sequence[str] = ()
    repeats: int = 10
    threads: int = 0
    sizes: Sequence[str] = ("small:16:112:4", "base:16:224:1")
    mask_ratios: Sequence[float] = (0.75, 0.9)
    clip: Sequence[int] = field(default=(16, 224, 224))
    device: str = "cpu"
    profile: bool = False
    files: int = 1_000_000


def run_benchmark(
    options: BenchmarkOptions, arguments: Sequence[str], show: Callable[[str], object] = print
) -> None:
    """Measure, and show each table as soon as it is there.

    Args:
        options: What to measure.
        arguments: The command line, for the record.
        show: Gets one piece of Markdown at a time.

    Raises:
        ValueError: Unknown part or size, or no such device.
    """
    parts = options.parts or PARTS
    unknown = sorted(set(parts) - set(PARTS))
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: no such part; there are {', '.join(PARTS)}")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ValueError("--device cuda, but torch sees no GPU; use --device cpu")
    sizes = [StepSize.parse(text) for text in options.sizes]
    threads = options.threads or usable_cores()
    frames, height, width = options.clip

    show(describe_machine(arguments, options.device))
    if "render" in parts:
        show("\n" + benchmark_render(frames, (height, width), options.repeats))
    if "index" in parts:
        show("\n" + benchmark_index(options.files))
    if "archives" in parts:
        show("\n" + benchmark_archives(options.files, options.repeats))
    if "images" in parts:
        show("\n" + benchmark_images(options.repeats))
    if "finetune" in parts:
        show("\n" + benchmark_finetune(sizes, options.device, threads, options.repeats))
    if "step" in parts:
        step = benchmark_step(sizes, options.mask_ratios, options.device, threads, options.repeats)
        show("\n" + step)
        show("\n" + benchmark_memory(sizes, MEMORY_RATIOS, options.device))
        if options.profile:
            for size in sizes:
                for ratio in options.mask_ratios:
                    show("\n" + profile_step(size, ratio, options.device, threads))
