"""Accuracy of every class, runs side by side: PMG's supplement, Figs. 5 and 6."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import wrap

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from .charts import LIGHT, MARKERS, Theme, add_legend, blank, plain, save

WIDEST_LABEL = 60  # letters
MARK_WIDTH = 1.5  # points of accuracy, in which two marks cover each other
MARK_SHIFT = 0.27  # of a row


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
    shift = _apart(accuracy)
    for number, name in enumerate(runs):
        axes.plot(
            accuracy[:, number], rows + shift[:, number], MARKERS[number % len(MARKERS)],
            markersize=5, color=theme.series[number % len(theme.series)],
            label=plain("\n".join(wrap(f"{name} ({overall[number]:.1f})", WIDEST_LABEL))),
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
    gain = wrap(f"at the right, in points: {runs[-1]} minus {runs[0]}", WIDEST_LABEL)
    label = "\n".join(["top-1 accuracy of each class, %", *gain])
    axes.set_xlabel(plain(label), color=theme.ink, fontsize=9)
    add_legend(axes, theme)
    return figure


def _apart(accuracy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return (classes, runs), in rows, what keeps marks of one class from covering each other."""
    shift = np.zeros_like(accuracy)
    for row, values in enumerate(accuracy):
        for number, value in enumerate(values):
            group = np.flatnonzero(np.abs(values - value) < MARK_WIDTH)
            place = int(np.searchsorted(group, number)) - (len(group) - 1) / 2
            shift[row, number] = MARK_SHIFT * place
    return shift


def draw_class_bars(
    path: str | Path,
    runs: Sequence[str],
    classes: Sequence[str],
    accuracy: npt.NDArray[np.float64],
    overall: npt.NDArray[np.float64],
) -> Path:
    """Write :func:`class_bars` to a file; see there and :func:`.charts.save`."""
    return save(class_bars(runs, classes, accuracy, overall), path)
