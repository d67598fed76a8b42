"""The charts of runs: loss, validation accuracy, and accuracy over what was changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from mmpmg.visualization.charts import LIGHT, Theme, line_chart, save

from .accuracy_axes import AXES, accuracy_series
from .log_curves import Curve, finite
from .run_log import Run, read_runs


def plot_accuracy(
    folders: Sequence[str], axis: str, values: Sequence[str], out: str | Path
) -> tuple[Path, list[str]]:
    """Draw the accuracies of runs over an axis.

    Args:
        folders: Work dirs of fine-tuning or probing runs.
        axis: Of :data:`.accuracy_axes.AXES`.
        values: ``NAME=NUMBER``, places that override what the configs say.
        out: .png, .svg or .pdf.

    Returns:
        ``out``, and a sentence for each run that is left out.

    Raises:
        ValueError: A value that is no number, or no run with both a place and an accuracy.
    """
    given = {}
    for value in values:
        name, _, number = value.rpartition("=")
        try:
            given[name] = float(number)
        except ValueError:
            raise ValueError(f"--value {value} must be NAME=NUMBER") from None
    series, left_out = accuracy_series(read_runs(list(folders)), axis, given)
    if not series:
        raise ValueError("nothing to draw. " + " ".join(left_out))
    return save(axis_chart(series, axis), out), left_out


def axis_chart(series: dict[str, Curve], axis: str, theme: Theme = LIGHT) -> Figure:
    """Draw what :func:`.accuracy_axes.accuracy_series` arranged."""
    places = sorted({place for xs, _ in series.values() for place in xs})
    wide = places[0] > 0 and places[-1] / places[0] >= 20
    return line_chart(series, AXES[axis], "top-1 accuracy, %", theme, log_x=wide, ticks=places)


def curve_charts(runs: Sequence[Run], theme: Theme = LIGHT) -> dict[str, Figure]:
    """Draw the curves of runs, as far as they have any.

    Args:
        runs: Any.
        theme: Colours.

    Returns:
        Heading -> chart; accuracy first.
    """
    tuned = [run for run in runs if not run.is_pretraining]
    wanted = {
        "Validation accuracy": ({r.name: r.accuracy for r in tuned}, "top-1 accuracy, %"),
        "Training loss, fine-tuning": ({r.name: r.loss for r in tuned}, "loss"),
        "Training loss, pre-training": (
            {r.name: r.loss for r in runs if r.is_pretraining},
            "loss",
        ),
    }
    drawn = {}
    for heading, (curves, label) in wanted.items():
        curves = {name: finite(curve) for name, curve in curves.items() if finite(curve)[0]}
        if curves:
            drawn[heading] = line_chart(curves, "epoch", label, theme)
    return drawn
