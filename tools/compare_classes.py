#!/usr/bin/env python
"""Accuracy of every class, two or three runs side by side, sorted by difference."""

import argparse
from pathlib import Path

import mmpmg  # noqa: F401  (mends the stack before torch reads a file)
from mmpmg.engine.command_line import run_command
from mmpmg.evaluation.per_class import compare_classes, read_class_names
from mmpmg.visualization.class_bars import draw_class_bars


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--run", nargs=2, action="append", required=True, metavar=("NAME", "DUMP"),
        help="name of a run and its predictions (tools/test.py --dump); two or three times. "
        "Classes are sorted by the lead of the last over the first",
    )  # fmt: skip
    parser.add_argument("--ann-file", help="the test set's list, to check the dumps against")
    parser.add_argument("--classes", help="file with the classes' names, one a line")
    parser.add_argument("--out", default="classes.png", help="picture: .png, .svg or .pdf")
    parser.add_argument("--csv", help="table (the picture's name, with .csv)")
    return parser.parse_args()


def main(options: argparse.Namespace) -> None:
    """Compare, draw, and name the files."""
    runs = [name for name, _ in options.run]
    if len(set(runs)) < len(runs):
        raise SystemExit(f"error: --run: the names {', '.join(runs)} must be all different")
    names = read_class_names(options.classes) if options.classes else None
    comparison = compare_classes(dict(options.run), options.ann_file, names)
    table = comparison.write_csv(options.csv or Path(options.out).with_suffix(".csv"))
    picture = draw_class_bars(
        options.out, comparison.runs, comparison.classes, comparison.accuracy, comparison.overall
    )
    print(f"wrote {picture}\nwrote {table}")


if __name__ == "__main__":
    run_command(main, parse_options())
