#!/usr/bin/env python
"""Evaluate a checkpoint with a recipe."""

import argparse
import os

# Before torch is loaded: on busy cores, threads that spin while they wait cost a multiple.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipe)
from mmpmg.engine.command_line import run_command
from mmpmg.engine.launch import add_shared_options
from mmpmg.engine.training import test


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    add_shared_options(parser)
    parser.add_argument("checkpoint", help="checkpoint file; none: fresh weights")
    parser.add_argument("--dump", help="pickle file for the predictions")
    return parser.parse_args()


if __name__ == "__main__":
    run_command(test, parse_options())
