#!/usr/bin/env python
"""Pre-train a tiny model on generated images, draw what it learned, export and load it."""

import argparse
import os
from pathlib import Path

# Before torch is loaded: on busy cores, threads that spin while they wait cost a multiple.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipe)
from mmpmg.engine.command_line import run_command
from mmpmg.engine.demo import run_demo

CONFIGS = Path(__file__).parent.parent / "configs"


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--out", default="work_dirs/demo", help="folder for all that is made")
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Run it in the folder that was named."""
    run_demo(
        str(CONFIGS / "pmg/vit-toy_generated_demo.py"),
        str(CONFIGS / "finetune/vit-toy_gestures.py"),
        options.out,
    )


if __name__ == "__main__":
    run_command(main, parse_options())
