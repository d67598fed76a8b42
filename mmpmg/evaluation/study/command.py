"""What ``tools/study.py`` does after reading its options."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmpmg.evaluation.study.cell_hooks import SAVE_EVERY
from mmpmg.evaluation.study.cells import grid
from mmpmg.evaluation.study.declaration import read_study
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.runner import default_parallel, plan, run

LEFT = 75
"""Exit status when cells are left to do."""


@dataclass(frozen=True)
class StudyOptions:
    """Options of the command line, see there.

    Args:
        study: Declaration: a file, or the name of one of ours.
        out: Folder for the runs.
        size: None: the first one.
        seconds: End before so many since ``began``; None: when all is done.
        arms: None: all; likewise ``seeds`` and ``folds``.
        parallel: Cells at a time, >= 1; None: see `.runner.default_parallel`.
        save_every: Seconds between checkpoints; what a killed cell loses.
        retry_failed: Run failed cells again.
        plan: List the cells, and run nothing.
        table: Write the table, and run nothing.
        began: ``time.monotonic()`` when the program started.
    """

    study: str
    out: Path = Path("work_dirs/study")
    size: str | None = None
    seconds: float | None = None
    arms: Sequence[str] | None = None
    seeds: Sequence[int] | None = None
    folds: Sequence[int] | None = None
    parallel: int | None = None
    save_every: float = SAVE_EVERY
    retry_failed: bool = False
    plan: bool = False
    table: bool = False
    began: float = field(default_factory=time.monotonic)


def study(options: StudyOptions) -> int:
    """Run what is missing of a study and write its table, or only one of the two, or the plan.

    Returns:
        The exit status: 0 all cells are done, `LEFT` some are left, 1 some have failed.

    Raises:
        StudyError: An option or the declaration is wrong, or the study was stopped.
    """
    declared = read_study(options.study)
    size = declared.size(options.size or next(iter(declared.sizes)))
    for name in ("seconds", "parallel"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            raise StudyError(f"--{name} {value:g}: must be more than 0")
    cells = grid(declared, size, options.out, options.arms, options.seeds, options.folds)
    if options.plan:
        print(plan(cells, options.parallel or default_parallel(size)))
        return 0
    left = None
    if options.seconds is not None:
        left = options.seconds - (time.monotonic() - options.began)
    ended = run(
        declared, size, cells, left, options.retry_failed, options.parallel, options.save_every,
        say=lambda text: print(text, flush=True),
    )  # fmt: skip
    print(f"{ended.done} of {len(cells)} cells are done, {ended.failed} failed, {ended.left} left")
    if ended.left:
        print("The same command goes on.")
        return LEFT
    return 1 if ended.failed else 0
