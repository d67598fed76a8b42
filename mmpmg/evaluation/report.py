"""Work dirs in, one HTML page out: what ``tools/report.py`` does."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from mmpmg import typed
from mmpmg.source_commit import commit
from mmpmg.version import __version__
from mmpmg.visualization.charts import Theme
from mmpmg.visualization.class_bars import class_bars

from .accuracy_axes import AXES, accuracy_series, final_accuracy
from .accuracy_plot import axis_chart, curve_charts
from .machine import cpu_name, usable_cores
from .paper_numbers import PAPER_NUMBERS, SCRATCH
from .per_class import DumpError, compare_classes, read_class_names
from .prediction_dump import read_dump
from .printable import printable
from .recipe_names import changes_from_recipe
from .report_images import data_uri, pictures, themed
from .report_page import render_page
from .run_log import ENVIRONMENT, Run, changed_keys, read_runs, training_set

PACKAGES = ("torch", "mmengine", "mmaction2", "numpy")
COMPARED = 3


def write_report(
    folders: Sequence[str],
    out: str | Path,
    classes: str | None = None,
    more: Sequence[str] = (),
    title: str = "Pseudo-motion pre-training: runs",
) -> list[str]:
    """Write the report of some runs.

    Args:
        folders: Work dirs; broken, unfinished and empty ones are named in the page.
        out: The page, one .html file that needs no other; its folder is made.
        classes: File with the classes' names, one a line.
        more: Pictures to show besides those in the work dirs.
        title: Of the page.

    Returns:
        What is wrong with the runs, a sentence each.

    Raises:
        FileNotFoundError: No file ``classes``.
        ValueError: ``out`` does not end with .html.
    """
    out = Path(out)
    if out.suffix != ".html":
        raise ValueError(f"--out {out} must end with .html")
    names = read_class_names(classes) if classes else None
    content = report_content(read_runs(list(folders)), names, more, title)
    command = [*map(str, folders), "--out", str(out)]
    command += ["--classes", str(classes)] if classes else []
    command += ["--pictures", *map(str, more)] if more else []
    content["facts"]["command"] = f"{typed.tool('report.py')} {shlex.join(command)}"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(printable(render_page(content)), encoding="utf-8")
    return [f"{name}: {problem}" for name, problem in content["problems"]]


def report_content(
    runs: Sequence[Run], class_names: Sequence[str] | None, more: Sequence[str], title: str
) -> dict[str, Any]:
    """Collect what the page shows.

    Args:
        runs: Any, readable or not.
        class_names: A name for each class; None: numbers.
        more: Pictures to show besides.
        title: Of the page.

    Returns:
        The values of the page's template.
    """
    problems = [(run.name, problem) for run in runs for problem in run.problems]
    read = [run for run in runs if run.config is not None]
    tuned = [run for run in read if not run.is_pretraining]
    pretrained = [run for run in read if run.is_pretraining]
    changed = {r.name: changes_from_recipe(r.config, r.recipe) for r in read if r.config}
    changed = {name: keys for name, keys in changed.items() if keys}
    shown, unreadable = pictures(runs, more)
    problems += [("pictures", printable(sentence)) for sentence in unreadable]
    rows = _paper_rows(tuned, changed)
    recipes = {run.same_steps for run in tuned}
    compared, class_notes = _classes(tuned, class_names)
    if class_names is not None and compared is None:
        problems += [("--classes", note) for note in class_notes if "--classes names" in note]
    axes = _axes(tuned)
    content = dict(
        title=title,
        runs=runs,
        problems=problems,
        tuned=[_tuned_row(run, run.name in changed) for run in tuned],
        pretrained=[_pretrained_row(run, run.name in changed) for run in pretrained],
        changed=changed,
        paper_rows=[row for row in rows if row["recipe"] in recipes],
        paper_all=rows,
        curves={
            heading: themed(partial(_curve_chart, read, heading)) for heading in curve_charts(read)
        },
        axes=axes,
        pictures=shown,
        classes=compared,
        class_notes=class_notes,
        differences=[
            dict(heading=heading, names=[r.name for r in group], rows=changed_keys(group))
            for heading, group in (("Fine-tuning", tuned), ("Pre-training", pretrained))
            if len(group) > 1
        ],
        environment_keys=_environment_keys(runs),
        environment=[
            [run.name, run.date, *(run.environment.get(key) for key in _environment_keys(runs))]
            for run in runs
        ],
        facts=_facts(),
    )
    headings = dict(runs="Runs", paper="The paper", curves="Curves", axes="What was changed",
                    reconstructions="Reconstructions", classes="Classes", changes="Differences",
                    environment="Environment")  # fmt: skip
    content["sections"] = [
        (key, text) for key, text in headings.items() if content.get(key, True) or key == "classes"
    ]
    return content


def _curve_chart(runs: Sequence[Run], heading: str, theme: Theme) -> Figure:
    return curve_charts(runs, theme)[heading]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _epochs(run: Run) -> str:
    if run.epochs is None or run.epochs_done >= run.epochs:
        return "" if run.epochs is None else str(run.epochs)
    return f"{run.epochs_done:.4g} of {run.epochs}"


def _tuned_row(run: Run, changed: bool) -> dict[str, str]:
    number = PAPER_NUMBERS.get((run.same_steps, run.loaded or ""))
    return dict(
        name=run.name,
        recipe=(run.recipe or "unknown") + ("*" if changed else ""),
        loaded=run.loaded or "unknown",
        epochs=_epochs(run),
        best=_percent(run.best),
        last=_percent(run.last),
        tested=_percent(run.tested),
        paper="" if number is None else f"{number.top1:.1f} ({number.source})",
        date=run.date,
    )


def _pretrained_row(run: Run, changed: bool) -> dict[str, str]:
    assert run.config is not None
    images = training_set(run.config).get("num_images")
    losses = [f"{value:.4f}" if math.isfinite(value) else "" for value in run.loss[1]] or [""]
    return dict(
        name=run.name,
        recipe=(run.recipe or "unknown") + ("*" if changed else ""),
        epochs=_epochs(run),
        images=f"{images:,}" if isinstance(images, int) else "",
        first_loss=losses[0],
        last_loss=losses[-1],
        date=run.date,
    )


def _ours(run: Run, changed: bool) -> str:
    """Print the final accuracy with whatever the paper's number beside it is free of."""
    marks = ["val"] if run.tested is None else []
    reached = run.epochs_done if run.tested is not None else run.accuracy[0][-1]
    if run.epochs and reached < run.epochs:
        marks.append(f"epoch {reached:.4g} of {run.epochs}")
    text = f"{final_accuracy(run):.1f}{'*' if changed else ''}"
    return f"{text} ({', '.join(marks)})" if marks else text


def _paper_rows(tuned: Sequence[Run], changed: dict[str, list[str]]) -> list[dict[str, str]]:
    """Put ours beside each of the paper's numbers; "not run" where there is none."""
    rows = []
    for (recipe, pretraining), number in PAPER_NUMBERS.items():
        ours = [
            _ours(run, run.name in changed)
            for run in tuned
            if (run.same_steps, run.loaded) == (recipe, pretraining)
            and final_accuracy(run) is not None
        ]
        rows.append(
            dict(
                recipe=recipe,
                pretraining="from scratch" if pretraining == SCRATCH else pretraining,
                source=number.source,
                paper=f"{number.top1:.1f}",
                ours=", ".join(ours) or "not run",
            )
        )
    return rows


def _axes(tuned: Sequence[Run]) -> dict[str, dict[str, str]]:
    """Draw accuracy over each axis on which some line has two places or more."""
    drawn = {}
    for axis, label in AXES.items():
        series = {
            name: line
            for name, line in accuracy_series(tuned, axis)[0].items()
            if len(set(line[0])) > 1
        }
        if series:
            heading = f"Accuracy over {label}"
            drawn[heading] = themed(partial(axis_chart, series, axis))
    return drawn


def _classes(
    tuned: Sequence[Run], class_names: Sequence[str] | None
) -> tuple[dict[str, Any] | None, list[str]]:
    """Compare the dumps that lie in the work dirs; say what hinders it."""
    dumps, notes = {}, []
    for run in tuned:
        # lstat: a link may lead nowhere.
        files = sorted(run.folder.glob("*.pkl"), key=lambda path: path.lstat().st_mtime)
        if not files:
            continue
        try:
            read_dump(files[-1])
            dumps[run.name] = files[-1]
        except (DumpError, OSError) as error:
            notes.append(f"{run.name}: {error}")
    if len(dumps) < 2:
        notes.append(
            f"Two or three runs with predictions are needed: {typed.tool('test.py')} RECIPE "
            "CHECKPOINT --work-dir WORK_DIR --dump WORK_DIR/predictions.pkl writes them where they "
            "are looked for."
        )
        return None, notes
    chosen = dict(list(dumps.items())[:COMPARED])
    if len(chosen) < len(dumps):
        notes.append(
            f"Of {len(dumps)} runs with predictions the first {COMPARED} are compared; "
            f"{typed.tool('compare_classes.py')} compares others."
        )
    try:
        compared = compare_classes(chosen, None, class_names)
    except DumpError as error:
        return None, [*notes, str(error)]
    image = themed(
        lambda theme: class_bars(
            compared.runs, compared.classes, compared.accuracy, compared.overall, theme
        )
    )
    return dict(image=image, link=data_uri(compared.csv().encode(), "text/csv")), notes


def _environment_keys(runs: Sequence[Run]) -> list[str]:
    found = {key for run in runs for key in run.environment}
    return sorted(found, key=lambda key: [key.startswith(k) for k in ENVIRONMENT].index(True))


def _facts() -> dict[str, str]:
    versions = [f"{name} {metadata.version(name)}" for name in PACKAGES]
    return dict(
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        commit=commit(),
        machine=f"{cpu_name()}, {usable_cores()} cores",
        versions=", ".join(versions),
    )
