#!/usr/bin/env python
"""Extract one vector for every video, or clip, of a folder or list into an .npz or .parquet file.

The same command goes on where a run was stopped. Unreadable videos are named and skipped.
"""

import argparse
import os
import sys

# Before torch is loaded: on busy cores, threads that spin while they wait cost a multiple.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipe)
from mmpmg.engine.feature_extraction import (
    ExtractionError,
    ExtractionOptions,
    InterruptedExtraction,
    extract_features,
)
from mmpmg.engine.recipe_changes import RecipeChanges


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("config", help="recipe that tests on videos, e.g. one of configs/finetune")
    parser.add_argument("checkpoint", help="fine-tuned, an encoder.pth, or a pre-training's")
    parser.add_argument("videos", help="folder, list (`path label` or `path` a line), or video")
    parser.add_argument("--out", required=True, help="file to write, .npz or .parquet")
    parser.add_argument("--root", default="", help="folder that a list's relative paths start from")
    parser.add_argument("--clips", type=int, help="clips of each video (as the recipe tests)")
    parser.add_argument("--crops", type=int, help="crops of each clip: 1, 3, 10 (as the recipe)")
    parser.add_argument(
        "--pool", default="video", help="video: one vector a video (default); clip: one a clip"
    )
    parser.add_argument(
        "--batch-size", type=int, default=16, help="views (clips x crops) of a forward pass (16)"
    )
    parser.add_argument("--workers", type=int, default=4, help="processes that decode (4)")
    parser.add_argument("--device", help="cuda, cuda:1, cpu (a GPU if there is one)")
    parser.add_argument("--precision", default="fp32", help="fp32 (default), bf16 or fp16")
    parser.add_argument(
        "--shard", default="0/1", metavar="I/N", help="only part I of N, 0/N to N-1/N"
    )
    parser.add_argument(
        "--max-bad-share", type=float, default=0.01, help="unreadable videos to bear (.01)"
    )
    parser.add_argument(
        "--cfg-options", nargs="+", action=RecipeChanges, help="changes to the recipe"
    )
    return parser.parse_args()


def main() -> None:
    """Extract; exit with 1 when that fails, 130 when it is stopped."""
    try:
        extract_features(ExtractionOptions(**vars(parse_options())))
    except ExtractionError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, InterruptedExtraction) else 1)


if __name__ == "__main__":
    main()
