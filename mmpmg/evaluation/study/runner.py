"""Runs what is missing of a study, a cell in a process of its own, until all is done or time is up.

A cell is claimed before it is run and its claim is released after, so that any number of these
runs, here and on other machines that share the folder, work on one study. Whatever is killed is
run again by the next one, from the last checkpoint; the result is the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

from mmpmg.engine.stop_signals import sigterm_as_interrupt
from mmpmg.evaluation.machine import usable_cores
from mmpmg.evaluation.study.cell_hooks import SAVE_EVERY
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cells import (
    DONE,
    FAILED,
    MISSING,
    RUNNING,
    STATE,
    Cell,
    Status,
    read_json,
    read_status,
)  # fmt: skip
from mmpmg.evaluation.study.declaration import Size, Study
from mmpmg.evaluation.study.errors import InterruptedStudy, StudyError
from mmpmg.evaluation.study.forecast import Forecast, duration
from mmpmg.evaluation.study.session import Ended, Session


def check_study(study: Study, size: Size, cells: Sequence[Cell]) -> Recipes:
    """See that all recipes of a study resolve, that its data are there and its results are its own.

    Args:
        study: The declaration.
        size: One of its sizes.
        cells: Of this size.

    Returns:
        The recipes.

    Raises:
        StudyError: Something is wrong; nothing has run.
    """
    recipes = Recipes(study, size)
    for cell in cells:
        status = read_status(cell)
        digest = recipes.digest(cell)
        check_result(study, cell, status, digest)
        if status.state == MISSING:
            recipes.check(cell)
    return recipes


def check_result(study: Study, cell: Cell, status: Status, digest: str) -> None:
    """See that a cell's result is of the settings that are declared now.

    Raises:
        StudyError: It is of others.
    """
    found = status.facts.get("digest")
    if status.state == DONE and found != digest:
        raise StudyError(
            f"{cell.folder} holds the result of other settings (digest {found}, now {digest}): "
            f"{study.file}, a recipe or a list was changed after it was made. Move that folder "
            "away, or name another --out"
        )


def run(
    study: Study,
    size: Size,
    cells: Sequence[Cell],
    seconds: float | None = None,
    retry_failed: bool = False,
    parallel: int | None = None,
    save_every: float = SAVE_EVERY,
    say: Callable[[str], None] = print,
) -> Ended:
    """Run what is missing.

    Args:
        study: The declaration.
        size: One of its sizes.
        cells: What is wanted of it, as `.cells.grid` lists them.
        seconds: End by itself before so many; None: when all is done.
        retry_failed: Run failed cells again, each once.
        parallel: Cells at a time, >= 1; None: `default_parallel`.
        save_every: Seconds between checkpoints, at ends of epochs; what a killed cell loses.
        say: Told of each cell that begins or ends.

    Returns:
        What became of the cells.

    Raises:
        InterruptedStudy: The user or the scheduler stopped it.
        StudyError: The study cannot be run as it is.
    """
    until = None if seconds is None else time.time() + seconds
    parallel = parallel or default_parallel(size)
    session = None
    with sigterm_as_interrupt():
        try:
            recipes = check_study(study, size, cells)
            session = Session(recipes, size, cells, until, parallel, save_every, say)
            if retry_failed:
                states = {cell.folder: read_json(cell.folder / STATE) or {} for cell in cells}
                session.retried = {f for f, state in states.items() if state.get("state") == FAILED}
            session.work()
        except KeyboardInterrupt:
            done = sum(read_status(cell).state == DONE for cell in cells)
            raise InterruptedStudy(
                f"Stopped: {done} of {len(cells)} cells are done; the same command "
                "goes on, begun ones from their last checkpoint."
            ) from None
        finally:
            if session is not None:
                session.end_all()
    return session.ended()


def default_parallel(size: Size) -> int:
    """Return one where there is a GPU, else as many cells as the cores carry with their threads."""
    return 1 if torch.cuda.is_available() else max(1, usable_cores() // size.threads)


def plan(cells: Sequence[Cell], parallel: int) -> str:
    """List cells with their state and the time that they are expected to need.

    Args:
        cells: As `.cells.grid` lists them.
        parallel: Cells at a time, >= 1.
    """
    found = [(cell, read_status(cell)) for cell in cells]
    forecast, lines = Forecast(found), []
    for cell, status in found:
        told = status.state
        if status.state == FAILED:
            told += f" ({status.error})"
        elif status.state != DONE:
            facts = status.facts
            if facts.get("epoch"):
                told += f", {facts['epoch']} of {facts['epochs']} epochs"
            told += f", about {duration(forecast.left(cell, status))}"
        lines.append(f"{cell.label}: {told}")
    states = [status.state for _, status in found]
    total = forecast.total(found, parallel)
    counts = ", ".join(
        f"{states.count(state)} {state}" for state in (DONE, RUNNING, FAILED, MISSING)
    )
    least = " (nothing like some of them was measured yet)" if total is None else ""
    return "\n".join([*lines, f"{counts}; about {duration(total)} left{least}"])
