"""Accuracy of every class, runs side by side: PMG's supplement, Figs. 5 and 6."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from .charts import LIGHT, MARKERS, Theme, add_legend, blank, plain, save


def class_bars(
    runs: Sequence[str],
    classes: Sequence[str],
    accuracy: npt.NDArray[np.float64],
    overall: npt.NDArray[np.float64],
    theme: Theme = LIGHT,
) -> Figure:
    """Draw a row for each class: a mark for each run, joined by a bar, and the difference.

    Marks on one line rather than bars below one another: a hundred classes of three runs stay
    legible.

    Args:
        runs: Names, at least two.
        classes: Names, from the top down.
        accuracy: (classes, runs) in percent.
        overall: (runs,) over all videos, in percent; in the legend.
        theme: Colours.

    Returns:
        The figure; its height grows with the classes.

    Raises:
        ValueError: Numbers that do not belong to the names.
    """
    if accuracy.shape != (len(classes), len(runs)) or not classes or len(runs) < 2:
        raise ValueError(
            f"class_bars: accuracy of shape {accuracy.shape} for {len(classes)} classes and "
            f"{len(runs)} runs; (classes, runs) with two runs or more is wanted"
        )
    height = 1.4 + 0.22 * len(classes)
    figure, axes = blank(5.8, height, theme)
    rows = np.arange(len(classes))
    axes.hlines(rows, accuracy.min(axis=1), accuracy.max(axis=1), color=theme.grid, linewidth=4)
    for number, name in enumerate(runs):
        axes.plot(
            accuracy[:, number], rows, MARKERS[number % len(MARKERS)], markersize=5,
            color=theme.series[number % len(theme.series)],
            label=plain(f"{name} ({overall[number]:.1f})"),
        )  # fmt: skip
    for row, gain in zip(rows, accuracy[:, -1] - accuracy[:, 0], strict=True):
        shown = "0" if abs(gain) < 0.05 else f"{gain:+.1f}"
        axes.text(
            1.01, row, shown, transform=axes.get_yaxis_transform(), va="center", fontsize=8,
            color=theme.ink,
        )  # fmt: skip
    axes.set_yticks(rows, [plain(name) for name in classes], fontsize=8)
    axes.set_ylim(len(classes) - 0.4, -0.6)
    axes.set_xlim(-2, 102)
    label = f"top-1 accuracy of each class, %\nat the right: {runs[-1]} minus {runs[0]}, points"
    axes.set_xlabel(plain(label), color=theme.ink, fontsize=9)
    add_legend(axes, theme)
    return figure


def draw_class_bars(
    path: str | Path,
    runs: Sequence[str],
    classes: Sequence[str],
    accuracy: npt.NDArray[np.float64],
    overall: npt.NDArray[np.float64],
) -> Path:
    """Write :func:`class_bars` to a file; see there and :func:`.charts.save`."""
    return save(class_bars(runs, classes, accuracy, overall), path)
