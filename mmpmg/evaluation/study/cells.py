"""The grid of a study as cells, each a training in a folder of its own, and what became of them.

::

    OUT/STUDY/SIZE/ARM/clips15000_seed0/pretrain/     clips0_seed0 for an arm from scratch
    OUT/STUDY/SIZE/ARM/clips15000_seed0/fold0/
        recipe.py       the declared recipe with the arm's changes, for tools/train.py
        command.sh      what was run, with its environment
        output.log      what it printed
        state.json      how far it is; written at the ends of epochs
        result.json     there when, and only when, the cell is done
        run/            MMEngine's own files; the encoder of a pre-training is run/encoder.pth
        claim           held by the process that runs the cell

``state.json``, all keys always there::

    state       "begun" | "stopped" | "failed"
    error       one line; "" unless failed
    epoch       epochs finished;  epochs: of the whole training
    seconds     of training that counted so far, without start-ups and what was lost
    epoch_seconds  the longest epoch so far; null before the first has ended
    startup     seconds from the process's start to its first batch; null
    deaths      how often it was killed from outside without finishing an epoch in between
    updates, clips, loss   so far, as in the result; loss may be null
    digest, date, threads, hardware, cores, torch, mmpmg, commit    as in the result

``result.json``::

    digest      SHA-256 of the resolved recipe, the lists and the pre-training's digest
    kind        "pretrain" | "finetune"
    top1        per cent, null for a pre-training;  correct, videos: whole numbers, null likewise
    loss        mean over the last epoch
    updates     steps of the optimizer;  clips: seen, counted batch by batch
    seconds     of training and validation;  startup: of the last start
    hardware    name of the GPU or the CPU;  cores: that the process could use
    threads     of torch;  torch, mmpmg: versions;  commit: of the source tree
    date        when it was done, UTC, "2026-11-22 05:00:00"
    taken_from  only where another cell of the same digest was run instead: its folder, from OUT
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mmpmg.engine.folder_lock import read_holder
from mmpmg.evaluation.study.declaration import NONE, OWN, Arm, Size, Study
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.fields import nearest
from mmpmg.written_beside import written_beside

PRETRAIN, FINETUNE = "pretrain", "finetune"
DONE, FAILED, MISSING, RUNNING = "done", "failed", "missing", "running"
RESULT, STATE, RECIPE, LOG, COMMAND, CLAIM = (
    "result.json", "state.json", "recipe.py", "output.log", "command.sh", "claim"
)  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One training.

    Args:
        study: Name of the study.
        size: Name of the size.
        kind: `PRETRAIN` or `FINETUNE`.
        arm: Name of the arm.
        clips: Clips seen in pre-training; 0 from scratch.
        seed: ``randomness.seed``.
        fold: Of the fine-tuning; None for a pre-training.
        folder: Its files, see the module.
        source: The pre-training that a fine-tuning starts from; None: from scratch.
    """

    study: str
    size: str
    kind: str
    arm: str
    clips: int
    seed: int
    fold: int | None
    folder: Path
    source: Cell | None = None

    @property
    def out(self) -> Path:
        """The folder for all studies."""
        return self.folder.parents[4]

    @property
    def run(self) -> Path:
        """The work_dir."""
        return self.folder / "run"

    @property
    def encoder(self) -> Path:
        """The encoder of a pre-training."""
        return self.run / "encoder.pth"

    @property
    def label(self) -> str:
        """What to call it in a line of output."""
        what = PRETRAIN if self.fold is None else f"fold {self.fold}"
        budget = f"{self.clips} clips, " if self.clips else ""
        return f"{self.arm}, {budget}seed {self.seed}, {what}"


@dataclass(frozen=True)
class Status:
    """What became of a cell.

    Args:
        state: `DONE`, `FAILED`, `MISSING` (also one that was broken off) or `RUNNING`.
        error: Why it failed, one line; "".
        facts: ``result.json`` of a cell that is done, else ``state.json``; empty before it began.
    """

    state: str
    error: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def grid(
    study: Study,
    size: Size,
    out: Path,
    arms: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    folds: Sequence[int] | None = None,
) -> list[Cell]:
    """List the cells by seed, fold, budget and arm, so that a stopped study compares all arms.

    Each pre-training stands before the first fine-tuning that needs it.

    Args:
        study: The declaration.
        size: One of its sizes.
        out: Folder for all studies.
        arms: Only these; None: all.
        seeds: Only these; None: all.
        folds: Only these; None: all.

    Raises:
        StudyError: One of these is not declared.
    """
    for option, chosen, declared in (
        ("--arms", arms, study.arms),
        ("--seeds", seeds, size.seeds),
        ("--folds", folds, size.folds),
    ):
        for one in chosen or ():
            if one not in declared:
                names = [str(name) for name in declared]
                raise StudyError(
                    f"{option} {one}: {study.file} declares {', '.join(names)}"
                    f"{nearest(str(one), names)}"
                )
    cells: dict[Path, Cell] = {}
    for seed in size.seeds if seeds is None else [s for s in size.seeds if s in seeds]:
        for fold in size.folds if folds is None else [f for f in size.folds if f in folds]:
            for clips in size.clips:
                for arm in study.arms.values():
                    if arms is None or arm.name in arms:
                        for cell in _cells_of(study, size, out, arm, clips, seed, fold):
                            cells.setdefault(cell.folder, cell)
    return list(cells.values())


def _cells_of(
    study: Study, size: Size, out: Path, arm: Arm, clips: int, seed: int, fold: int
) -> Iterator[Cell]:
    """Yield the pre-training, if there is one, and the fine-tuning."""
    clips = 0 if arm.pretrain == NONE else clips

    def cell(name: str, fold: int | None, source: Cell | None) -> Cell:
        folder = out / study.name / size.name / name / f"clips{clips}_seed{seed}"
        kind = PRETRAIN if fold is None else FINETUNE
        folder /= PRETRAIN if fold is None else f"fold{fold}"
        return Cell(study.name, size.name, kind, name, clips, seed, fold, folder, source)

    source = None
    if clips:
        source = cell(arm.name if arm.pretrain == OWN else arm.pretrain, None, None)
        yield source
    yield cell(arm.name, fold, source)


def read_status(cell: Cell) -> Status:
    """Read what became of a cell; one whose pre-training failed has failed too."""
    result = read_json(cell.folder / RESULT)
    if result is not None:
        return Status(DONE, "", result)
    facts = read_json(cell.folder / STATE) or {}
    holder = read_holder(cell.folder / CLAIM)
    if holder is not None and not holder["dead"]:
        return Status(RUNNING, "", facts)
    if cell.source is not None:
        before = read_status(cell.source)
        if before.state == FAILED:
            return Status(FAILED, f"its pre-training failed: {before.error}", {})
    if facts.get("state") == FAILED:
        return Status(FAILED, str(facts.get("error")), facts)
    return Status(MISSING, "", facts)


def read_json(path: Path) -> dict[str, Any] | None:
    """Read an object; None where there is none, or half of one."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write an object, whole or not at all.

    Raises:
        ValueError: A number in it is not finite, which JSON has no word for.
    """
    with written_beside(path) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
