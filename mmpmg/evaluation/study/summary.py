"""The rows of a study, gathered by arm and budget: what table and figures show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten

from mmpmg.evaluation.study.cells import DONE, FAILED, FINETUNE, MISSING, PRETRAIN, RUNNING
from mmpmg.evaluation.study.declaration import Study
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.rows import Row
from mmpmg.evaluation.study.statistics import Agreement, Interval, agreement, interval
from mmpmg.evaluation.study.statistics import paired_difference as difference

Cell = tuple[int, int]
"""Seed and fold."""
WORDS = {RUNNING: "running", MISSING: "not run"}


@dataclass(frozen=True)
class Line:
    """One arm at one budget.

    Attributes:
        arm: Its name.
        clips: Seen in pre-training; 0 from scratch; None where nothing is known of the arm.
        rows: Of its fine-tunings, whatever their state.
        mean: Over the cells that are done; None where none is.
        difference: To the reference's cells of the same seed and fold; None without such, and for
            the reference itself.
    """

    arm: str
    clips: int | None
    rows: tuple[Row, ...]
    mean: Interval | None
    difference: Interval | None

    @property
    def values(self) -> dict[Cell, float]:
        """Top-1 accuracy in per cent of the cells that are done."""
        return _values(self.rows)

    def by_fold(self) -> dict[int, Interval]:
        """Mean over the seeds that are done, of each fold that has any."""
        folds: dict[int, list[float]] = {}
        for (_, fold), value in self.values.items():
            folds.setdefault(fold, []).append(value)
        found = {fold: interval(values) for fold, values in sorted(folds.items())}
        return {fold: mean for fold, mean in found.items() if mean is not None}

    def failed(self, fold: int | None = None) -> list[Row]:
        """Rows of cells that failed, of one fold or of all."""
        return [r for r in self.rows if r.state == FAILED and fold in (None, r.fold)]

    def shortcomings(self, width: int = 60) -> str:
        """Say why cells do not count, such as ``2 failed (the loss is not finite), 1 not run``.

        Args:
            width: Longest reason, in characters.
        """
        if not self.rows:
            return "not run yet"
        states = Counter(row.state for row in self.rows)
        parts = []
        if states[FAILED]:
            reasons = dict.fromkeys(row.error or "no reason given" for row in self.failed())
            shown = [shorten(reason, width, placeholder=" …") for reason in reasons]
            parts.append(f"{states[FAILED]} failed ({'; '.join(shown)})")
        parts += [f"{states[state]} {WORDS[state]}" for state in WORDS if states[state]]
        return ", ".join(parts)


@dataclass(frozen=True)
class Summary:
    """All lines of a study at one size, in the declared order.

    Attributes:
        study: The declaration.
        size: One of its sizes.
        rows: Of this study and size, pre-trainings too.
        lines: By arm, then by budget.
        chance: Accuracy in per cent of guessing.
    """

    study: Study
    size: str
    rows: tuple[Row, ...]
    lines: tuple[Line, ...]
    chance: float | None

    @property
    def budgets(self) -> tuple[int, ...]:
        """Clips seen, ascending, without those of arms from scratch."""
        return tuple(sorted({line.clips for line in self.lines if line.clips}))

    @property
    def folds(self) -> tuple[int, ...]:
        """All folds of the rows, or the declared ones where there are no rows."""
        found = {row.fold for row in self.rows if row.fold is not None}
        return tuple(sorted(found)) or self.study.size(self.size).folds

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the paper's table that some arm has a number of."""
        return tuple(dict.fromkeys(c for arm in self.study.arms.values() for c in arm.paper))

    def largest_budget(self) -> list[Line]:
        """One line an arm: at the largest budget, or from scratch."""
        return list({line.arm: line for line in self.lines}.values())

    def paper(self, line: Line, column: str) -> float | None:
        """Return the paper's number of a line, in per cent."""
        arm = self.study.arms.get(line.arm)
        return None if arm is None else arm.paper.get(column)

    def pretraining_loss(self, line: Line) -> float | None:
        """Return the last epoch's loss, mean of seeds; None without a pre-training of its own."""
        losses = [
            row.loss
            for row in self.rows
            if (row.kind, row.state, row.arm, row.clips) == (PRETRAIN, DONE, line.arm, line.clips)
            and row.loss is not None
        ]
        return sum(losses) / len(losses) if losses else None

    def in_the_papers_order(self) -> list[Line]:
        """Sort arms by the paper's first column, best first; the others follow as declared."""
        column = self.columns[0] if self.columns else ""
        papers = [(self.paper(line, column), line) for line in self.largest_budget()]
        known = [(number, line) for number, line in papers if number is not None]
        known.sort(key=lambda pair: -pair[0])
        return [line for _, line in known] + [line for number, line in papers if number is None]

    def agreement(self, column: str) -> Agreement | None:
        """Compare our order at the largest budget with that of a column.

        Ours is that of the paired differences to the reference: of the means, it would depend on
        which cells an arm lacks.
        """
        ours, papers = {}, {}
        for line in self.largest_budget():
            number = self.paper(line, column)
            if number is not None:
                papers[line.arm] = number
            if line.difference is not None:
                ours[line.arm] = line.difference.mean
            elif line.arm == self.study.reference and line.mean is not None:
                ours[line.arm] = 0.0
        return agreement(ours, papers)


def summarize(study: Study, size: str, rows: Sequence[Row], chance: float | None = None) -> Summary:
    """Gather rows.

    Args:
        study: The declaration: order of the arms, the reference, the paper's numbers.
        size: One of its sizes.
        rows: Those of other studies and sizes are left out.
        chance: Accuracy in per cent of guessing.

    Returns:
        The summary; every declared arm has a line.

    Raises:
        StudyError: An arm that the declaration does not have.
    """
    own = tuple(row for row in rows if (row.study, row.size) == (study.name, size))
    unknown = dict.fromkeys(row.arm for row in own if row.arm not in study.arms)
    if unknown:
        raise StudyError(
            f"there are results of {', '.join(unknown)}, which {study.file} does not declare (any "
            "more): take the rows out of the table, or declare the arm"
        )
    cells: dict[tuple[str, int | None], list[Row]] = {}
    for arm in study.arms:
        tuned = [row for row in own if row.kind == FINETUNE and row.arm == arm]
        for row in sorted(tuned, key=lambda row: row.clips):
            cells.setdefault((arm, row.clips), []).append(row)
        if not tuned:
            cells[arm, None] = []
    lines = tuple(
        Line(arm, clips, tuple(found), interval(list(_values(found).values())),
             _difference(cells, arm, clips, study.reference))
        for (arm, clips), found in cells.items()
    )  # fmt: skip
    return Summary(study, size, own, lines, chance)


def _difference(
    cells: dict[tuple[str, int | None], list[Row]], arm: str, clips: int | None, reference: str
) -> Interval | None:
    """Compare with the reference at the same budget, or at its only one."""
    if arm == reference:
        return None
    others = {budget: rows for (name, budget), rows in cells.items() if name == reference}
    against = others.get(clips) or (next(iter(others.values())) if len(others) == 1 else [])
    return difference(_values(cells[arm, clips]), _values(against))


def _values(rows: Sequence[Row]) -> dict[Cell, float]:
    return {
        (row.seed, row.fold): row.top1
        for row in rows
        if row.state == DONE and row.top1 is not None and row.fold is not None
    }
