"""Line charts, in two colour schemes and without matplotlib's global state."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


@dataclass(frozen=True)
class Theme:
    """Colours of a chart.

    Attributes:
        ink: Of text and axes.
        grid: Of grid lines.
        paper: Of the background; "none" leaves it transparent.
        series: One for each line; all can be told apart by colour-blind readers, and have a marker
            of their own besides.
    """

    ink: str
    grid: str
    paper: str
    series: tuple[str, ...]


LIGHT = Theme(
    "#1f2328", "#d8dce2", "#ffffff",
    ("#0072b2", "#d55e00", "#009e73", "#a0478f", "#8a6d00", "#4a8fd0", "#6b7280"),
)  # fmt: skip
DARK = Theme(
    "#e6e9ee", "#3a424e", "none",
    ("#5ab4f0", "#ff9a5a", "#3ed0a4", "#e79bd0", "#e6c84a", "#a9cdf2", "#a6adb8"),
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
Series = Mapping[str, tuple[Sequence[float], Sequence[float]]]


def plain(text: str) -> str:
    """Return text that matplotlib draws as it is, and not as a formula between dollars."""
    return text.replace("$", r"\$")


def blank(width: float, height: float, theme: Theme) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes in a theme's colours; sizes in inches."""
    figure = Figure(figsize=(width, height), layout="constrained", facecolor=theme.paper)
    axes = figure.add_subplot(facecolor="none")
    axes.tick_params(colors=theme.ink, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(theme.grid)
    axes.grid(color=theme.grid, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def add_legend(axes: Axes, theme: Theme, above: float = 1.0) -> None:
    """Put the legend above the axes, where it hides nothing; ``above`` in parts of their height."""
    names = axes.get_legend_handles_labels()[1]
    columns = 2 if len(names) > 1 and max(map(len, names)) <= 30 else 1
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, above), ncols=columns,
        frameon=False, labelcolor=theme.ink, fontsize=9, borderaxespad=0.3,
    )  # fmt: skip


def line_chart(
    series: Series,
    x_label: str,
    y_label: str,
    theme: Theme = LIGHT,
    log_x: bool = False,
    ticks: Sequence[float] = (),
) -> Figure:
    """Draw lines, one for each series.

    Args:
        series: Name -> (x, y), each of one length; drawn in ascending order of x.
        x_label: Under the axis, with its unit.
        y_label: Beside the axis, with its unit.
        theme: Colours.
        log_x: Logarithmic axis, for numbers that differ by factors.
        ticks: Places of the x axis to name; none: matplotlib's choice.

    Returns:
        The figure.

    Raises:
        ValueError: No series, or one of unlike lengths.
    """
    if not series:
        raise ValueError("line_chart: no series to draw")
    figure, axes = blank(5.4, 3.2, theme)
    for number, (name, (x, y)) in enumerate(series.items()):
        if len(x) != len(y):
            raise ValueError(f"line_chart: {name} has {len(x)} x and {len(y)} y")
        points = sorted(zip(x, y, strict=True))
        axes.plot(
            [point[0] for point in points], [point[1] for point in points],
            label=plain("\n".join(wrap(name, 55))),
            color=theme.series[number % len(theme.series)], linewidth=1.6,
            marker=MARKERS[number % len(MARKERS)] if len(points) <= 40 else None, markersize=4.5,
        )  # fmt: skip
    if log_x:
        axes.set_xscale("log")
    elif not ticks:
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    if ticks:
        axes.set_xticks(list(ticks), [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    axes.set_xlabel(plain(x_label), color=theme.ink, fontsize=9)
    axes.set_ylabel(plain(y_label), color=theme.ink, fontsize=9)
    add_legend(axes, theme)
    return figure


def svg(figure: Figure) -> str:
    """Return a figure as SVG text: letters as outlines, so that it needs no font; no date."""
    text = io.StringIO()
    # The salt makes the names of its parts, and so the file, the same every time.
    with matplotlib.rc_context({"svg.hashsalt": "mmpmg", "svg.fonttype": "path"}):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure.

    Args:
        figure: What to write.
        path: .png, .svg or .pdf; its folder is made.

    Returns:
        ``path``.

    Raises:
        ValueError: Another ending.
    """
    path = Path(path)
    if path.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"cannot draw {path.name}: the ending is one of .png, .svg, .pdf (--out)")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".svg":
        path.write_text(svg(figure))
    else:
        figure.savefig(path, dpi=160)
    return path
