#!/usr/bin/env python
"""Write one HTML page about some runs: accuracies, the paper's numbers, curves, pictures."""

import argparse

import mmpmg  # noqa: F401  (mends the stack before MMEngine reads the recipes)
from mmpmg.engine.command_line import run_command
from mmpmg.evaluation.report import write_report


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "runs", nargs="+", metavar="WORK_DIR", help="work dirs, or NAME=WORK_DIR, of any runs"
    )
    parser.add_argument("--out", default="report.html", help="page to write (report.html)")
    parser.add_argument("--classes", help="file with the classes' names, one a line")
    parser.add_argument("--pictures", nargs="+", default=[], help="pictures to show besides")
    parser.add_argument("--title", default="Pseudo-motion pre-training: runs", help="its heading")
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Write, and say what is wrong with the runs."""
    problems = write_report(
        options.runs, options.out, options.classes, options.pictures, options.title
    )
    for problem in problems:
        print(f"note: {problem}")
    print(f"wrote {options.out}")


if __name__ == "__main__":
    run_command(main, parse_options())
