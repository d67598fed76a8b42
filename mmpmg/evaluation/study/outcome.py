"""What a study has come to: results, table and figures, as files beside its runs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from mmpmg import typed
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cells import FINETUNE, grid
from mmpmg.evaluation.study.declaration import Study
from mmpmg.evaluation.study.plots import drawings
from mmpmg.evaluation.study.results import cell_rows
from mmpmg.evaluation.study.rows import Row, read_rows, write_rows
from mmpmg.evaluation.study.summary import Summary, summarize
from mmpmg.evaluation.study.table import study_table
from mmpmg.written_beside import written_beside

RESULTS, TABLE = "results.csv", "table.md"
_MADE_OF = "Made of"
"""Text in a figure's file that says what it was drawn from."""


def write_outcome(study: Study, size: str, out: Path) -> list[Path]:
    """Write what is known of all cells of a study, whichever of them a call was about.

    Args:
        study: The declaration, whole.
        size: One of its sizes.
        out: Folder for all studies.

    Returns:
        ``results.csv``, ``table.md`` and, once a cell is done, the figures; in ``OUT/STUDY/SIZE``.
    """
    folder = out / study.name / size
    rows = cell_rows(study, grid(study, study.size(size), out))
    results = write_rows(rows, folder / RESULTS)
    # Read again: table and figures are of the file, as everybody else can make them.
    summary = study_summary(study, size, read_rows([results]))
    with written_beside(folder / TABLE) as unfinished:
        unfinished.write_text(typed.here(study_table(summary)), encoding="utf-8")
    return [results, folder / TABLE, *write_figures(summary, folder)]


def study_summary(study: Study, size: str, rows: Sequence[Row]) -> Summary:
    """Gather rows, and look up in the fine-tuning recipe what guessing scores.

    Args:
        study: The declaration.
        size: One of its sizes.
        rows: Of one table, or of several.
    """
    recipe = Recipes(study, study.size(size)).arm(study.arms[study.reference], FINETUNE)
    classes = ((recipe.get("model") or {}).get("cls_head") or {}).get("num_classes")
    return summarize(study, size, rows, 100 / classes if classes else None)


def write_figures(summary: Summary, folder: Path, prefix: str = "") -> list[Path]:
    """Draw a study; each file holds the digest of what it shows.

    Args:
        summary: What is shown.
        folder: Where to; it is made.
        prefix: Of the files' names.

    Returns:
        The files; none before a cell is done.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written, made_of = [], {_MADE_OF: digest(summary)}
    for name, draw in drawings(summary).items():
        path = folder / f"{prefix}{name}.png"
        with written_beside(path) as unfinished:
            draw().savefig(unfinished, dpi=160, format="png", metadata=made_of)
        written.append(path)
    return written


def drawn_from(figure: Path) -> str | None:
    """Return the digest of what a figure shows; None where there is none."""
    if not figure.is_file():
        return None
    with Image.open(figure) as image:
        return image.info.get(_MADE_OF)


def digest(summary: Summary) -> str:
    """Hash all that a study's table and figures show."""
    shown = repr((study_table(summary), summary.rows))
    return hashlib.sha256(shown.encode()).hexdigest()[:16]
