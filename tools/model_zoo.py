#!/usr/bin/env python
"""Write the model zoo: metafiles, model-index.yml, the tables of docs/zoo.md and README.md.

They are made of the recipes, whose models are counted (a minute or two), of the papers' numbers in
mmpmg/evaluation and of zoo/records.yml, which people write. With --check nothing is written: each
fault is told in a sentence, with what mends it, and the exit status is 1.
"""

import argparse
import sys
from pathlib import Path

import mmpmg  # noqa: F401  (mends the stack before models are built)
from mmpmg.engine.command_line import run_command
from mmpmg.evaluation.progress import timed_progress
from mmpmg.evaluation.zoo.check import write_zoo, zoo_problems

ROOT = Path(__file__).resolve().parents[1]


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="look, and write nothing")
    parser.add_argument(
        "--count",
        nargs="*",
        metavar="RECIPE",
        help="count the models of these recipes alone, such as pmg/vit-b_shaders1k, and of those "
        "that the metafiles lack (no name: of these only); take the metafiles' word for the others",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="checkout (this one)")
    return parser.parse_args()


def main(options: argparse.Namespace) -> int:
    """Write, or check; the exit status."""
    say = timed_progress()
    if options.check:
        problems = zoo_problems(options.root, options.count, say)
        print("\n".join(problems) or "The zoo is in order.")
        return 1 if problems else 0
    changed = write_zoo(options.root, options.count, say)
    print("\n".join(f"written: {place}" for place in changed) or "Nothing has changed.")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main, parse_options()))
