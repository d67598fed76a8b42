#!/usr/bin/env python
"""Speed and memory: rendering, workers, steps (beside Hugging Face's), flow, masks, tokenizers."""

import argparse
import sys
from typing import Any

# Named here and not read from the package: a wrong option must not wait for torch to be loaded.
MINUTES = {
    "render": "1",
    "deferred": "2",
    "data-wait": "not timed",
    "preprocess": "3",
    "step": "not timed",
    "arithmetic": "not timed; with step in the same call one measurement",
    "gains": "not timed",
    "memory": "not timed",
    "finetune": "over 4",
    "index": "over 4",
    "archives": "not timed",
    "images": "not timed",
    "flow": "not timed",
    "motion-map": "1",
    "masking": "not timed",
    "tokenizer": "over 4",
}
"""Part -> minutes, timed with ``--threads 1`` on two cores of an AMD EPYC at a load of 6 to 9."""
GPU_PARTS = ("preprocess", "step", "arithmetic", "gains", "finetune", "masking", "tokenizer")
SIZES = {
    "cpu": ("small:16:112:4", "base:16:224:1"),
    "cuda": ("small:16:112:64", "base:16:224:32"),
}
ARCHS = ("tiny", "small", "base", "large", "huge")
PATCH, TUBELET = 16, 2


def make_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    listed = "\n".join(f"  {name:<11}{minutes}" for name, minutes in MINUTES.items())
    parser = argparse.ArgumentParser(
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=(
            f"parts, and their minutes on two busy cores (less on free ones):\n{listed}\n"
            "Under a minute each there: preprocess, step, arithmetic, gains and finetune with\n"
            "--size tiny:16:64:1 --mask-ratio 0.9 --repeats 5 --threads 1; memory takes one.\n"
            f"No part named: all of them; with --device cuda {', '.join(GPU_PARTS)}.\n"
            "Tables go to stdout, progress to stderr."
        ),
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help="what to measure, listed below (default: all)"
    )
    parser.add_argument(
        "--repeats", type=int, default=0, help="timed rounds (default: as each part says)"
    )
    parser.add_argument(
        "--threads", type=int, default=0, help="CPU threads of a step (default: all cores)"
    )
    parser.add_argument(
        "--size", dest="sizes", nargs="+", default=(), metavar="ARCH:FRAMES:SIDE:BATCH",
        help=f"steps to time (default: {' '.join(SIZES['cpu'])}, on a GPU "
        f"{' '.join(SIZES['cuda'])}); ARCH is one of {', '.join(ARCHS)}",
    )  # fmt: skip
    parser.add_argument(
        "--mask-ratio", dest="mask_ratios", nargs="+", type=float, default=(0.75, 0.9),
        help="of the steps, in (0, 1) (default: 0.75 0.9)",
    )  # fmt: skip
    parser.add_argument(
        "--clip", nargs=3, type=int, default=(16, 224, 224), metavar=("T", "H", "W"),
        help="frames and pixels of rendered clips (default: 16 224 224)",
    )  # fmt: skip
    parser.add_argument(
        "--device", choices=["cpu", "cuda"], default="cpu", help="of the steps (default: cpu)"
    )
    parser.add_argument("--profile", action="store_true", help="say where the steps' time goes")
    parser.add_argument(
        "--files", type=int, default=1_000_000, help="files of the index (default: 1000000)"
    )
    return parser


def parse_options(arguments: list[str] | None = None) -> dict[str, Any]:
    """Read the command line; what cannot be measured ends with one line and status 2."""
    parser = make_parser()
    options = vars(parser.parse_args(arguments))
    unknown = [part for part in options["parts"] if part not in MINUTES]
    if unknown:
        parser.error(f"{', '.join(unknown)}: no such part; there are {', '.join(MINUTES)}")
    for name, least in (("repeats", 0), ("threads", 0), ("files", 1)):
        if options[name] < least:
            by_default = " (0: the default)" if least == 0 else ""
            parser.error(f"--{name} {options[name]}: must be {least} or more{by_default}")
    if min(options["clip"]) < 1 or options["clip"][0] < 2:
        given = " ".join(map(str, options["clip"]))
        parser.error(f"--clip {given}: T must be 2 or more, H and W 1 or more")
    for ratio in options["mask_ratios"]:
        if not 0 < ratio < 1:
            parser.error(f"--mask-ratio {ratio:g}: must lie between 0 and 1, e.g. 0.75")
    for size in options["sizes"] or SIZES[options["device"]]:
        places = _places(parser, size)
        for ratio in options["mask_ratios"]:
            if not int(ratio * places):
                parser.error(
                    f"--mask-ratio {ratio:g} masks none of the {places} places of --size {size}; "
                    f"give {1 / places:.4g} or more, or a larger side"
                )
    return options


def _places(parser: argparse.ArgumentParser, size: str) -> int:
    """Check a size and return the patches of a frame."""
    arch, *numbers = size.split(":")
    if arch not in ARCHS or len(numbers) != 3 or not all(n.isdecimal() for n in numbers):
        parser.error(
            f"--size {size}: is not ARCH:FRAMES:SIDE:BATCH with ARCH one of {', '.join(ARCHS)}, "
            "e.g. small:16:112:4"
        )
    frames, side, batch = map(int, numbers)
    for name, value, step in (("FRAMES", frames, TUBELET), ("SIDE", side, PATCH)):
        if value < step or value % step:
            parser.error(f"--size {size}: {name} {value} must be a multiple of {step}")
    if batch < 1:
        parser.error(f"--size {size}: BATCH must be 1 or more")
    return (side // PATCH) ** 2


def main() -> None:
    """Measure what the command line asks for."""
    options = parse_options()
    print("loading torch and MMAction2 ...", file=sys.stderr, flush=True)
    import torch

    if options["device"] == "cuda" and not torch.cuda.is_available():
        make_parser().error("--device cuda: torch sees no GPU; use --device cpu")
    import mmpmg  # noqa: F401  (mends the stack before MMAction2 is imported)
    from mmpmg.engine.command_line import run_command
    from mmpmg.evaluation.benchmark import BenchmarkOptions, run_benchmark
    from mmpmg.evaluation.progress import timed_progress

    def measure(chosen: BenchmarkOptions) -> None:
        run_benchmark(chosen, sys.argv[1:], lambda text: print(text, flush=True), timed_progress())

    run_command(measure, BenchmarkOptions(**options))


if __name__ == "__main__":
    main()
