#!/usr/bin/env python
"""Pre-train or fine-tune with a recipe."""

import argparse
import os

# Before torch is loaded: on busy cores, threads that spin while they wait cost a multiple.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipe)
from mmpmg.engine.command_line import run_command
from mmpmg.engine.launch import add_shared_options
from mmpmg.engine.training import train


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    add_shared_options(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        help="go on from the latest checkpoint in the work_dir, or from the one named",
    )
    parser.add_argument(
        "--amp", action="store_true", help="bf16 on a GPU where the recipe has none"
    )
    parser.add_argument("--no-validate", action="store_true", help="do not validate while training")
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="scale the learning rate by (batch size x processes) / auto_scale_lr.base_batch_size",
    )
    parser.add_argument("--seed", type=int, help="random seed (recipes: 0)")
    parser.add_argument(
        "--diff-rank-seed", action="store_true", help="a different global seed on every rank"
    )
    parser.add_argument(
        "--deterministic", action="store_true", help="deterministic algorithms, slower"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(train, parse_options())
