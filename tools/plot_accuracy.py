#!/usr/bin/env python
"""Draw accuracy over epochs, images or videos per class, from the logs of several runs."""

import argparse

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipes)
from mmpmg.engine.command_line import run_command
from mmpmg.evaluation.accuracy_axes import AXES
from mmpmg.evaluation.accuracy_plot import plot_accuracy


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "runs",
        nargs="+",
        metavar="WORK_DIR",
        help="work dirs, or NAME=WORK_DIR, of fine-tuning runs",
    )
    parser.add_argument("--axis", choices=list(AXES), required=True, help="what changes")
    parser.add_argument(
        "--value", nargs="+", default=[], metavar="NAME=NUMBER",
        help="place of a run on the axis, where its config does not tell, or tells otherwise",
    )  # fmt: skip
    parser.add_argument("--out", default="accuracy.png", help="picture: .png, .svg or .pdf")
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Draw, and say which runs are left out."""
    path, left_out = plot_accuracy(options.runs, options.axis, options.value, options.out)
    for sentence in left_out:
        print(f"left out: {sentence}")
    print(f"wrote {path}")


if __name__ == "__main__":
    run_command(main, parse_options())
