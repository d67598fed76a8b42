#!/usr/bin/env python
"""Speed and memory: rendering, data workers, training steps against Hugging Face's, big indices."""

import argparse
import sys

import mmpmg  # noqa: F401  (mends the stack before MMAction2 is imported)
from mmpmg.evaluation.benchmark import PARTS, SIZES, BenchmarkOptions, run_benchmark
from mmpmg.evaluation.step_models import DECODERS


def parse_options() -> BenchmarkOptions:
    """Read the command line."""
    default = BenchmarkOptions()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"{' and/or '.join(PARTS)} (all)")
    parser.add_argument(
        "--repeats", type=int, default=0, help="timed rounds (0: as each part says)"
    )
    parser.add_argument("--threads", type=int, default=0, help="CPU threads of a step (all cores)")
    parser.add_argument(
        "--size", dest="sizes", nargs="+", default=default.sizes, metavar="ARCH:FRAMES:SIDE:BATCH",
        help=f"steps to time (CPU: {' '.join(SIZES['cpu'])}, GPU: {' '.join(SIZES['cuda'])}); "
        f"ARCH is one of {', '.join(DECODERS)}",
    )  # fmt: skip
    parser.add_argument(
        "--mask-ratio",
        dest="mask_ratios",
        nargs="+",
        type=float,
        default=default.mask_ratios,
        help="of the steps",
    )
    parser.add_argument(
        "--clip", nargs=3, type=int, default=default.clip, metavar=("T", "H", "W"),
        help="frames and pixels of rendered clips",
    )  # fmt: skip
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="of the steps")
    parser.add_argument("--profile", action="store_true", help="say where the steps' time goes")
    parser.add_argument("--files", type=int, default=default.files, help="files of the index")
    return BenchmarkOptions(**vars(parser.parse_args()))


if __name__ == "__main__":
    run_benchmark(parse_options(), sys.argv[1:], lambda text: print(text, flush=True))
