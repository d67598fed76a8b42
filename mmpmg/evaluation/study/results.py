"""From the folders of a study's cells to rows."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from typing import Any

from mmpmg.evaluation.study.cells import FINETUNE, Cell, Status, read_status
from mmpmg.evaluation.study.declaration import Study
from mmpmg.evaluation.study.rows import Row
from mmpmg.evaluation.study.taking_over import TAKEN_FROM

_COUNTED = ("loss", "updates", "seconds", "hardware", "cores", "threads", "torch", "mmpmg",
            "commit", "date", "digest")  # fmt: skip
_REAL = ("top1", "loss", "seconds")


def cell_rows(study: Study, cells: Iterable[Cell]) -> list[Row]:
    """Read what became of cells.

    Args:
        study: The declaration.
        cells: As `.cells.grid` lists them.

    Returns:
        A row each, in their order; of a cell that is not done, as far as it came.
    """
    return [_row(study, cell, read_status(cell)) for cell in cells]


def _row(study: Study, cell: Cell, status: Status) -> Row:
    size, arm, facts = study.size(cell.size), study.arms[cell.arm], status.facts
    tuned = cell.kind == FINETUNE
    recipe = size.finetune if tuned else arm.recipe.get(size.name, size.pretrain)
    changes = dict(arm.finetune_change if tuned else arm.change)
    if tuned and arm.lists is not None:
        changes["lists"] = dict(train=arm.lists.train, test=arm.lists.test)
    scores: dict[str, Any] = {}
    if tuned:
        scores = {name: facts.get(name) for name in ("top1", "correct", "videos")}
    known = {name: facts[name] for name in _COUNTED if facts.get(name) is not None}
    for measured in (scores, known):  # JSON may have 20 for 20.0, and a table should not differ
        measured.update({k: float(v) for k, v in measured.items() if k in _REAL and v is not None})
    made = facts.get(TAKEN_FROM) or cell.folder.relative_to(cell.out).as_posix()
    folder = posixpath.relpath(made, f"{cell.study}/{cell.size}")
    return Row(
        cell.study, cell.size, cell.kind, cell.arm, recipe,
        json.dumps(changes, default=str) if changes else "",
        cell.clips, cell.seed, cell.fold, status.state, status.error,
        clips_seen=facts.get("clips"), folder=folder, **scores, **known,
    )  # fmt: skip
