"""What ``tools/study.py`` does after reading its options."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmpmg.evaluation.study.cell_hooks import SAVE_EVERY
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cells import DONE, grid, read_status
from mmpmg.evaluation.study.declaration import Size, Study, read_study
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.outcome import TABLE, write_outcome
from mmpmg.evaluation.study.page import STUDIES, publish
from mmpmg.evaluation.study.results import cell_rows
from mmpmg.evaluation.study.rows import read_rows
from mmpmg.evaluation.study.runner import check_result, default_parallel, plan, run

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
        publish: Tables of results to keep in the repository, and to renew the study's page with;
            empty: what is in ``out``; None: publish nothing.
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
    publish: Sequence[Path] | None = None
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
    if options.table or options.publish is not None:
        _tell(declared, size, options)
        return 0
    left = None
    if options.seconds is not None:
        left = options.seconds - (time.monotonic() - options.began)
    ended = run(
        declared, size, cells, left, options.retry_failed, options.parallel, options.save_every,
        say=lambda text: print(text, flush=True),
    )  # fmt: skip
    # A slice that leaves cells ends on time, without figures that the next one would draw again.
    if options.seconds is None or not ended.left:
        _tell(declared, size, options)
    print(f"{ended.done} of {len(cells)} cells are done, {ended.failed} failed, {ended.left} left")
    if ended.left:
        print("The same command goes on; --table tells what is there.")
        return LEFT
    if ended.failed:
        print("--retry-failed runs those that have failed again.")
    return 1 if ended.failed else 0


def _tell(declared: Study, size: Size, options: StudyOptions) -> None:
    """Write results, table and figures of the whole study, print the table; or publish results."""
    cells = grid(declared, size, options.out)
    recipes = Recipes(declared, size)
    for cell in cells:
        status = read_status(cell)
        if status.state != DONE:
            continue
        try:
            digest = recipes.digest(cell)
        except StudyError as error:  # tables are also made where the data are not
            print(f"not known whether results are of today's settings: {error}", file=sys.stderr)
            break
        check_result(declared, cell, status, digest)
    if options.publish is None:
        written = write_outcome(declared, size.name, options.out)
        print(f"\n{(written[0].parent / TABLE).read_text(encoding='utf-8')}")
    else:
        folder = declared.file.resolve().parent
        if folder.name != STUDIES:
            raise StudyError(
                f"--publish: {declared.file} lies in no folder {STUDIES}/ of a checkout, beside "
                "which its results and its page would be kept; --table writes them into --out"
            )
        rows = read_rows(options.publish) if options.publish else cell_rows(declared, cells)
        if not any((row.study, row.size) == (declared.name, size.name) for row in rows):
            raise StudyError(
                f"--publish: {', '.join(map(str, options.publish))} holds no row of "
                f"{declared.name} at size {size.name}; --size names another"
            )
        written = publish(folder.parent, declared, size.name, rows)
    print("\n".join(f"written: {path}" for path in written))
