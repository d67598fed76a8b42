"""Pages of the documentation whose tables and figures are made of the studies' kept results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmpmg.evaluation.study.cells import DONE, FINETUNE
from mmpmg.evaluation.study.declaration import Study, read_study
from mmpmg.evaluation.study.outcome import digest, drawn_from, study_summary, write_figures
from mmpmg.evaluation.study.plots import drawings
from mmpmg.evaluation.study.rows import Row, merged, read_rows, write_rows
from mmpmg.evaluation.study.table import study_table
from mmpmg.evaluation.zoo.tables import with_table
from mmpmg.written_beside import written_beside

STUDIES, KEPT, PAGES = "studies", "studies/results", "docs/studies"
END = "<!-- /study -->"
_ALT = {
    "accuracy": "Top-1 accuracy of each arm: mean, 95 % interval and every cell",
    "budgets": "Top-1 accuracy over the clips seen in pre-training",
}


def mark(study: Study, size: str) -> str:
    """Return the mark behind which the results of a study at one size stand in a page."""
    return f"<!-- study {study.name} at size {size}: written by tools/study.py -->"


def pages_of(root: Path, study: Study) -> list[Path]:
    """Find the pages that have a mark of a study."""
    begin = mark(study, "\0").partition("\0")[0]
    pages = sorted((root / PAGES).glob("*.md"))
    return [page for page in pages if begin in page.read_text(encoding="utf-8")]


def publish(root: Path, study: Study, size: str, rows: Sequence[Row]) -> list[Path]:
    """Keep results in the repository, beside those that are kept, and renew the study's pages.

    Args:
        root: Of the checkout.
        study: The declaration; it lies in ``studies/``.
        size: One of its sizes.
        rows: What is known of it. Without a finished cell, there or here, only pages are renewed.

    Returns:
        The files that were written: results, figures, and the pages that have a mark of the study;
        where none has, one is begun.

    Raises:
        StudyError: Rows contradict those that are kept.
    """
    own = [row for row in rows if (row.study, row.size) == (study.name, size)]
    kept, written = root / KEPT / f"{study.name}_{size}.csv", []
    known = merged([*own, *(read_rows([kept]) if kept.is_file() else [])])
    (root / PAGES).mkdir(parents=True, exist_ok=True)
    if any(row.state == DONE and row.kind == FINETUNE for row in known):
        study_summary(study, size, known)  # refuses before anything is written
        write_rows(known, kept)
        summary = study_summary(study, size, read_rows([kept]))
        written = [kept, *write_figures(summary, root / PAGES, f"{study.name}_{size}_")]
    pages = pages_of(root, study)
    if not pages:
        pages = [root / PAGES / f"{study.name}.md"]
        pages[0].write_text(skeleton(study), encoding="utf-8")
    for page in pages:
        text = page_text(root, study, page.read_text(encoding="utf-8"))
        with written_beside(page) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    return [*written, *pages]


def page_text(root: Path, study: Study, page: str) -> str:
    """Renew what stands between the marks of a page.

    Args:
        root: Of the checkout.
        study: One that the page has marks of.
        page: Its text.
    """
    for size in study.sizes:
        page = with_table(page, _results(root, study, size), mark(study, size), END)
    return page


def page_problems(root: Path) -> list[str]:
    """Find pages, tables and figures that are not what declarations and kept results make of them.

    Args:
        root: Of the checkout.

    Returns:
        A sentence each, with what mends it.
    """
    problems, known = [], set()
    for file in sorted((root / STUDIES).glob("*.yml")):
        study = read_study(file)
        texts = {page: page.read_text(encoding="utf-8") for page in pages_of(root, study)}
        mend = f"type: tools/study.py {STUDIES}/{file.name} --size SIZE --publish"
        for page, text in texts.items():
            if text != page_text(root, study, text):
                problems.append(f"{PAGES}/{page.name} is not what its results say; {mend}")
        for size in study.sizes:
            kept = root / KEPT / f"{study.name}_{size}.csv"
            known.add(kept)
            if kept.is_file():
                if not any(mark(study, size) in text for text in texts.values()):
                    problems.append(f"no page in {PAGES} has the line {mark(study, size)}")
                summary = study_summary(study, size, read_rows([kept]))
                for name in drawings(summary):
                    place = f"{PAGES}/{study.name}_{size}_{name}.png"
                    if drawn_from(root / place) != digest(summary):
                        problems.append(f"{place} was not drawn from {KEPT}/{kept.name}; {mend}")
    for stray in sorted(set((root / KEPT).glob("*.csv")) - known):
        problems.append(f"{KEPT}/{stray.name} belongs to no declaration in {STUDIES}/")
    return problems


def skeleton(study: Study) -> str:
    """Begin a page: people write the rest of it around the marks."""
    parts = [f"# {study.name}", study.question]
    parts += [f"After: {study.paper}."] if study.paper else []
    parts += ["## What was run", f"The declaration: [{study.file.name}](../../{STUDIES}/"
              f"{study.file.name})."]  # fmt: skip
    for size in study.sizes:
        parts += [f"## At size {size}", f"{mark(study, size)}\n{END}"]
    parts += ["## What the small scale cannot say", "To be written."]
    return "\n\n".join(parts) + "\n"


def _results(root: Path, study: Study, size: str) -> str:
    """Lay out what a page says of a size."""
    kept = root / KEPT / f"{study.name}_{size}.csv"
    if not kept.is_file():
        command = f"tools/study.py {STUDIES}/{study.file.name} --size {size}"
        return f"Not run yet: `{command}`.\n"
    summary = study_summary(study, size, read_rows([kept]))
    pictures = [
        f"![{_ALT.get(name, 'Our accuracy over the number of the paper')}]"
        f"({study.name}_{size}_{name}.png)"
        for name in drawings(summary)
    ]
    source = f"Every cell: [{kept.name}](../../{KEPT}/{kept.name})."
    return "\n\n".join([*pictures, study_table(summary) + "\n" + source]) + "\n"
