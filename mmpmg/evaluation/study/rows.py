"""One row a cell of a study: written as CSV, and read again from any number of such files."""

from __future__ import annotations

import csv
import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmpmg.evaluation.study.cells import DONE, FAILED, FINETUNE, MISSING, PRETRAIN, RUNNING
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.written_beside import written_beside

STATES = (DONE, FAILED, RUNNING, MISSING)
"""Of two rows of a cell, the one whose state comes first counts."""
KINDS = (PRETRAIN, FINETUNE)


@dataclass(frozen=True)
class Row:
    """What is known of one cell. None and "" where it is not known, or there is no such thing.

    Attributes:
        study: Name of the declaration.
        size: Of the declaration's sizes.
        kind: "pretrain", or "finetune" with an accuracy.
        arm: Line of the comparison.
        recipe: What the cell's own recipe inherits from.
        changes: What the arm changes there, as JSON.
        clips: Budget: clips seen in pre-training; 0 from scratch.
        seed: ``randomness.seed`` of both trainings.
        fold: Of the lists; None for a pre-training.
        state: "done", "failed", "running" or "missing".
        error: Why it failed, one line.
        top1: Accuracy at the end, per cent.
        correct: Videos that were right.
        videos: Videos of the test list.
        loss: Mean over the last epoch.
        updates: Steps of the optimizer.
        clips_seen: Clips that went through this training, counted batch by batch.
        seconds: Of training and validation, all pieces of an interrupted cell together.
        hardware: Name of GPU or CPU.
        cores: Of the CPU, that the process could use.
        threads: Of torch.
        torch: Version.
        mmpmg: Version.
        commit: Of the checkout.
        date: When it ended, UTC, such as "2026-11-22 05:00:00".
        digest: Of all settings, with those of its pre-training.
        folder: From the study's folder, OUT/STUDY/SIZE. Of a result that was taken over, where the
            training ran: ``../../OTHER_STUDY/SIZE/ARM/...``.
    """

    study: str
    size: str
    kind: str
    arm: str
    recipe: str
    changes: str
    clips: int
    seed: int
    fold: int | None
    state: str
    error: str = ""
    top1: float | None = None
    correct: int | None = None
    videos: int | None = None
    loss: float | None = None
    updates: int | None = None
    clips_seen: int | None = None
    seconds: float | None = None
    hardware: str = ""
    cores: int | None = None
    threads: int | None = None
    torch: str = ""
    mmpmg: str = ""
    commit: str = ""
    date: str = ""
    digest: str = ""
    folder: str = ""

    def __post_init__(self) -> None:
        if self.state not in STATES or self.kind not in KINDS:
            raise StudyError(
                f"{self.where}: kind {self.kind!r} and state {self.state!r}; they must be of "
                f"{', '.join(KINDS)} and of {', '.join(STATES)}"
            )
        if self.state == DONE and self.kind == FINETUNE:
            if self.top1 is None or not 0 <= self.top1 <= 100:
                raise StudyError(f"{self.where}: done, with a top-1 accuracy of {self.top1} %")
            if self.fold is None:
                raise StudyError(f"{self.where}: a fine-tuning without a fold")

    @property
    def cell(self) -> tuple[str, str, str, str, int, int, int | None]:
        """What tells it from all others."""
        return self.study, self.size, self.kind, self.arm, self.clips, self.seed, self.fold

    @property
    def where(self) -> str:
        """The cell in words."""
        fold = "" if self.fold is None else f", fold {self.fold}"
        return (
            f"{self.kind} of {self.arm} ({self.study}, {self.size}, {self.clips} clips, "
            f"seed {self.seed}{fold})"
        )


COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
_TYPES = {field.name: str(field.type) for field in dataclasses.fields(Row)}


def write_rows(rows: Iterable[Row], path: Path) -> Path:
    """Write rows as CSV, whole or not at all.

    Args:
        rows: Any.
        path: Its folder is made.

    Returns:
        ``path``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as unfinished, unfinished.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow("" if value is None else value for value in dataclasses.astuple(row))
    return path


def read_rows(paths: Sequence[Path]) -> list[Row]:
    """Read the rows of several machines as those of one study.

    Args:
        paths: Files of `write_rows`; also several of them put one after the other in one file.

    Returns:
        One row a cell, see `merged`.

    Raises:
        StudyError: A file that is none of these, or rows that contradict each other.
    """
    return merged([row for path in paths for row in _read(path)])


def merged(rows: Iterable[Row]) -> list[Row]:
    """Keep one row a cell: a finished one before a failed, running or missing one.

    Of two that are finished the earlier is kept, so that nothing is chosen by its accuracy.

    Args:
        rows: Any.

    Returns:
        The rows, in the order in which their cells first came.

    Raises:
        StudyError: Two rows of a cell come from unlike settings.
    """
    kept: dict[tuple, Row] = {}
    for row in rows:
        known = kept.get(row.cell)
        if known is None:
            kept[row.cell] = row
            continue
        if known.digest and row.digest and known.digest != row.digest:
            raise StudyError(
                f"two rows of the {row.where} come from unlike settings (digests {known.digest} "
                f"of {known.date or 'no date'}, {row.digest} of {row.date or 'no date'}): leave "
                "one of the two files out, or run its cells again"
            )
        if _rank(row) < _rank(known):
            kept[row.cell] = row
    return list(kept.values())


def _rank(row: Row) -> tuple[int, str]:
    return STATES.index(row.state), row.date


def _read(path: Path) -> list[Row]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudyError(f"{path} cannot be read as CSV: {error}") from None
    if not lines or tuple(lines[0]) != COLUMNS:
        lacking = [name for name in COLUMNS if not lines or name not in lines[0]]
        raise StudyError(
            f"{path} is no table of a study: its first line must be {','.join(COLUMNS)}"
            + (f"; it lacks {', '.join(lacking)}" if lacking and lines else "")
        )
    found = []
    for number, line in enumerate(lines[1:], 2):
        if not line or tuple(line) == COLUMNS:
            continue  # a file put behind another brings its head along
        try:
            found.append(_row(line))
        except (ValueError, StudyError) as error:
            raise StudyError(f"{path}, line {number}: {error}") from None
    return found


def _row(line: Sequence[str]) -> Row:
    if len(line) != len(COLUMNS):
        raise ValueError(f"{len(line)} columns where there should be {len(COLUMNS)}")
    values: dict[str, str | int | float | None] = {}
    for name, text in zip(COLUMNS, line, strict=True):
        kind = _TYPES[name]
        if kind == "str":
            values[name] = text
        elif not text:
            if "None" not in kind:
                raise ValueError(f"{name} is empty")
            values[name] = None
        else:
            try:
                number = float(text) if "float" in kind else int(text)
            except ValueError:
                raise ValueError(f"{name} is {text!r}, no number") from None
            values[name] = number if math.isfinite(number) else None
    return Row(**values)  # type: ignore[arg-type]
