#!/usr/bin/env python
"""Run, go on with, or tabulate a study: a declared grid of pre-trainings and fine-tunings.

    tools/study.py motion-families --size cpu            runs what is missing, then writes the table
    tools/study.py motion-families --seconds 500         the same in slices; call it again
    tools/study.py motion-families --plan                what is there, and how long the rest takes

Call it at once on several machines that share --out: they share the work. Exit status: 0 when all
cells are done, 75 when some are left, 1 when some have failed or nothing could be run.
"""

import time

BEGAN = time.monotonic()  # a slice begins before the imports, which take seconds

import argparse  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import mmpmg  # noqa: E402, F401  (mends the stack before recipes are read)
from mmpmg.evaluation.study.command import StudyOptions, study  # noqa: E402
from mmpmg.evaluation.study.errors import InterruptedStudy, StudyError  # noqa: E402


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("study", help="declaration: a file, or the name of one in studies/")
    parser.add_argument("--size", help="one of its sizes (the first one)")
    parser.add_argument("--out", type=Path, default=Path("work_dirs/study"), help="folder for runs")
    parser.add_argument("--seconds", type=float, help="end in good order before so many")
    parser.add_argument("--arms", nargs="+", help="only these (all)")
    parser.add_argument("--seeds", type=int, nargs="+", help="only these (all)")
    parser.add_argument("--folds", type=int, nargs="+", help="only these (all)")
    parser.add_argument(
        "--parallel", type=int, help="cells at a time (1 on a GPU, else cores / threads of a cell)"
    )
    parser.add_argument(
        "--save-every", type=float, default=20.0, help="seconds of work that a kill may cost (20)"
    )
    parser.add_argument("--retry-failed", action="store_true", help="run failed cells again")
    parser.add_argument("--plan", action="store_true", help="list the cells, and run nothing")
    parser.add_argument("--table", action="store_true", help="write the table, and run nothing")
    parser.add_argument(
        "--publish", type=Path, nargs="*", metavar="CSV",
        help="keep results (those of --out, or of these tables of several machines) in "
        "studies/results beside those already there, and renew the study's page in docs/studies; "
        "run nothing",
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    """Do it; a mistake is a sentence."""
    try:
        sys.exit(study(StudyOptions(**vars(parse_options()), began=BEGAN)))
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(130 if isinstance(error, InterruptedStudy) else 1)


if __name__ == "__main__":
    main()
