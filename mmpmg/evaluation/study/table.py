"""A study's table and what must be said beneath it, as Markdown."""

from __future__ import annotations

import html
from collections.abc import Iterable

from mmpmg.evaluation.study.forecast import duration
from mmpmg.evaluation.study.rows import Row
from mmpmg.evaluation.study.statistics import CONFIDENCE, Interval
from mmpmg.evaluation.study.summary import Line, Summary
from mmpmg.evaluation.timing import markdown_table

ABSENT = "–"
FAILED = "failed"
MOST_COMMITS = 4
"""More are told as a range; every row of results.csv names its own."""


def study_table(summary: Summary) -> str:
    """Lay out a study at one size.

    Args:
        summary: Of its rows.

    Returns:
        The table, the agreement with the paper's order, and how the numbers came about.
    """
    several = len(summary.budgets) > 1
    reference = summary.study.reference
    losses = [summary.pretraining_loss(line) for line in summary.lines]
    learnt = any(loss is not None for loss in losses)
    head = [
        "pre-training",
        *(["clips"] if several else []),
        *(f"paper: {column}" for column in summary.columns),
        *(["loss"] if learnt else []),
        *(f"fold {fold}" for fold in summary.folds),
        "mean ± 95 %",
        f"minus {reference}",
        "n",
    ]
    rows = []
    for line, loss in zip(summary.lines, losses, strict=True):
        papers = [summary.paper(line, column) for column in summary.columns]
        folds = line.by_fold()
        rows.append(
            [
                line.arm,
                *([f"{line.clips:,}" if line.clips else ABSENT] if several else []),
                *(ABSENT if number is None else f"{number:.1f}" for number in papers),
                *([ABSENT if loss is None else f"{loss:.3f}"] if learnt else []),
                *(_fold(line, folds.get(fold), fold) for fold in summary.folds),
                FAILED if line.mean is None and line.failed() else str(line.mean or ABSENT),
                _difference(line, reference),
                _count(line),
            ]
        )
    said = [*_orders(summary), _meaning(summary, learnt), _circumstances(summary)]
    return "\n\n".join([markdown_table(head, rows), *said]) + "\n"


def escaped(text: str) -> str:
    """Return text that a Markdown table shows as it is."""
    for sign in "|*_`[]":
        text = text.replace(sign, f"&#{ord(sign)};")
    return html.escape(text, quote=False).replace("&amp;#", "&#")


def _fold(line: Line, mean: Interval | None, fold: int) -> str:
    failed = len(line.failed(fold))
    if mean is None:
        return FAILED if failed else ABSENT
    return f"{mean.mean:.1f}" + (f" ({failed} failed)" if failed else "")


def _difference(line: Line, reference: str) -> str:
    if line.arm == reference:
        return "reference"
    if line.difference is None:
        return ABSENT
    half = ABSENT if line.difference.half is None else f"{line.difference.half:.1f}"
    pairs = line.difference.n
    note = "" if line.mean is None or pairs == line.mean.n else f" ({pairs} pairs)"
    mean = f"{line.difference.mean:+.1f}".replace("-", "−")
    return f"{'0.0' if mean in ('+0.0', '−0.0') else mean} ± {half}{note}"


def _count(line: Line) -> str:
    short = line.shortcomings()
    if not line.rows:
        return short
    done = len(line.values)
    return f"{done} of {len(line.rows)}: {escaped(short)}" if short else str(done)


def _orders(summary: Summary) -> list[str]:
    said = []
    for column in summary.columns:
        found = summary.agreement(column)
        if found is not None:
            how = "exact" if found.exact else "normal approximation"
            said.append(
                f"{column} {found.tau:.2f} over {found.n} arms (two-sided p {found.p_words}, {how})"
            )
    if not said:
        return []
    budget = f" at {summary.budgets[-1]:,} clips" if len(summary.budgets) > 1 else ""
    return [
        f"Our order (by the differences to {summary.study.reference}{budget}) against the paper's, "
        f"Kendall's tau (1: the same order, 0: unrelated, −1: the reverse): {'; '.join(said)}."
    ]


def _meaning(summary: Summary, learnt: bool) -> str:
    loss = (
        "Loss is that of pre-training, mean of its last epoch and of its seeds, in what the arm "
        "predicts: arms that predict other things do not compare. "
    )
    chance = "" if summary.chance is None else f"; chance is {summary.chance:.1f} %"
    return (loss if learnt else "") + (
        f"Top-1 accuracy in per cent at the last epoch{chance}. A fold's number is the mean over "
        f"its seeds. ± is half of the {100 * CONFIDENCE:.0f} % interval (Student's t) over n "
        "cells, which are folds times seeds; differences are taken cell by cell, between the same "
        "fold and seed. Cells of one fold share their test videos and cells of one seed their "
        "pre-training, so the intervals are somewhat too narrow for other videos and other "
        "pre-trainings."
    )


def _circumstances(summary: Summary) -> str:
    rows = summary.rows
    budgets = ", ".join(f"{budget:,}" for budget in summary.budgets) or "no"
    seeds = sorted({row.seed for row in rows}) or list(summary.study.size(summary.size).seeds)
    dates = sorted(row.date[:10] for row in rows if row.date)
    parts = [
        f"Size `{summary.size}`",
        f"{budgets} clips seen in pre-training",
        f"{'seed' if len(seeds) == 1 else 'seeds'} {', '.join(map(str, seeds))}",
        *_listed(rows),
        *([dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"] if dates else []),
        f"{duration(sum(row.seconds or 0 for row in rows))} of training in all",
    ]
    command = f"tools/study.py studies/{summary.study.file.name} --size {summary.size}"
    return f"{'; '.join(parts)}. `{command}`"


def _listed(rows: Iterable[Row]) -> list[str]:
    """Machines, versions and commits, each once."""
    machines: dict[str, None] = {}
    versions: dict[str, None] = {}
    commits: dict[str, Row] = {}
    for row in rows:
        if row.hardware:
            cores = f", {row.cores} cores" if row.cores else ""
            threads = f", {row.threads} threads a cell" if row.threads else ""
            machine = f"{row.hardware}{cores}{threads}"
            machines[machine.replace(" 1 threads", " 1 thread")] = None
        if row.torch:
            versions[f"torch {row.torch}"] = None
        if row.commit:
            commits[row.commit.replace(", with changes that are not committed", " + changes")] = row
    commit = [f"{'commit' if len(commits) == 1 else 'commits'} {', '.join(commits)}"]
    if len(commits) > MOST_COMMITS:
        by_date = sorted(commits, key=lambda name: commits[name].date)
        commit = [f"{len(commits)} commits from {by_date[0]} to {by_date[-1]}"]
    return [*machines, *versions, *(commit if commits else [])]
