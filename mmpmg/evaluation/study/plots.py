"""A study's figures: arms with their cells, our order against the paper's, budgets."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from textwrap import shorten
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmpmg.evaluation.study.summary import Line, Summary
from mmpmg.visualization.charts import LIGHT, MARKERS, Theme, add_legend, blank, plain

WIDTH = 6.5
"""Of all figures, in inches: text of 9 points is read well where they are shown 800 wide."""
ACCURACY = "top-1 accuracy, %"
RULE: dict[str, Any] = dict(linestyle="--", linewidth=1.2, zorder=1)


def drawings(summary: Summary) -> dict[str, Callable[[], Figure]]:
    """List what there is to draw.

    Args:
        summary: Of a study at one size.

    Returns:
        Name such as "accuracy" or "paper-ucf101" -> what draws it; none before a cell is done.
    """
    lines = summary.largest_budget()
    found: dict[str, Callable[[], Figure]] = {}
    if any(line.mean for line in lines):
        found["accuracy"] = partial(accuracy_figure, summary)
    for column in summary.columns:
        if summary.agreement(column) is not None:
            name = re.sub(r"[^a-z0-9]+", "-", column.lower()).strip("-")
            found[f"paper-{name}"] = partial(paper_figure, summary, column)
    if len(summary.budgets) > 1 and any(line.mean for line in summary.lines):
        found["budgets"] = partial(budget_figure, summary)
    return found


def accuracy_figure(summary: Summary, theme: Theme = LIGHT) -> Figure:
    """Draw mean, interval and every cell of each arm, in the paper's order from above.

    Args:
        summary: Of a study at one size; of several budgets the largest is shown.
        theme: Colours.
    """
    lines = summary.in_the_papers_order()
    reference, budgets = summary.study.reference, summary.budgets
    figure, axes = blank(WIDTH, 0.9 + 0.3 * len(lines), theme)
    for place, line in enumerate(lines):
        values = list(line.values.values())
        axes.scatter(
            values, place + 0.2 + _aside(values), s=9, color=theme.series[-1], alpha=0.75,
            linewidths=0, zorder=2,
        )  # fmt: skip
        if line.mean is not None:
            axes.errorbar(
                line.mean.mean, place - 0.08, xerr=line.mean.half, fmt="o", color=theme.series[0],
                markersize=6, linewidth=2, zorder=3,
            )  # fmt: skip
        if line.mean is not None and line.arm == reference:
            axes.axvline(
                line.mean.mean, color=theme.series[1], label=f"mean of {reference}", **RULE
            )
    # Points that no axes show, for the legend.
    axes.scatter([], [], s=9, color=theme.series[-1], label="one cell (fold, seed)")
    axes.errorbar([], [], xerr=[], fmt="o", color=theme.series[0], label="mean, 95 % interval")
    _draw_chance(axes.axvline, summary, theme)
    axes.set_xlim(*_range(lines, summary.chance))
    for place, line in enumerate(lines):
        _say_what_lacks(axes, place, line, theme)
    axes.set_yticks(range(len(lines)), [plain(line.arm) for line in lines])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    after = f" after {budgets[-1]:,} clips" if len(budgets) > 1 else ""
    axes.set_xlabel(ACCURACY + after, color=theme.ink, fontsize=9)
    if summary.columns and len(lines) > 6:
        order = f"sorted by the paper's {summary.columns[0]}"
        axes.set_ylabel(plain(order), color=theme.ink, fontsize=9)
    add_legend(axes, theme)
    return figure


def paper_figure(summary: Summary, column: str, theme: Theme = LIGHT) -> Figure:
    """Draw our mean over the paper's number; names stand on the right in our order.

    Args:
        summary: Of a study at one size.
        column: Of the paper's table; some three arms have a number there and a mean.
        theme: Colours.
    """
    reference = summary.study.reference
    points = [
        (line.arm, number, line.mean.mean, line.mean.half or 0.0)
        for line in summary.largest_budget()
        if line.mean is not None and (number := summary.paper(line, column)) is not None
    ]
    points.sort(key=lambda point: point[2])
    tall = max(3.2, 1.0 + 0.2 * len(points))
    figure, axes = blank(WIDTH, tall, theme)
    for arm, x, y, half in points:
        colour = theme.series[1 if arm == reference else 0]
        shape = MARKERS[1 if arm == reference else 0]
        axes.errorbar(
            x, y, yerr=half, fmt=shape, color=colour, markersize=6, linewidth=1.2, zorder=3
        )
    _draw_chance(axes.axhline, summary, theme)
    low, high = axes.get_ylim()
    left, right = axes.get_xlim()
    axes.set_ylim(low, high)
    axes.set_xlim(left, right)
    heights = spread([y for _, _, y, _ in points], low, high, int((tall - 0.85) / 0.17))
    for (arm, x, y, _), height in zip(points, heights, strict=True):
        axes.annotate(
            plain(arm), (x, y), xytext=(right + 0.04 * (right - left), height),
            textcoords="data", va="center", fontsize=9, color=theme.ink, annotation_clip=False,
            zorder=1.5,
            arrowprops=dict(arrowstyle="-", color=theme.grid, linewidth=0.8, shrinkA=1, shrinkB=4,
                            relpos=(0, 0.5)),
        )  # fmt: skip
    found = summary.agreement(column)
    said = "" if found is None else f" (Kendall's tau {found.tau:.2f}, p {found.p_words})"
    axes.set_xlabel(plain(f"the paper's {column}, %{said}"), color=theme.ink, fontsize=9)
    axes.set_ylabel(f"ours, {ACCURACY}", color=theme.ink, fontsize=9)
    if summary.chance is not None:
        add_legend(axes, theme)
    return figure


def budget_figure(summary: Summary, theme: Theme = LIGHT) -> Figure:
    """Draw accuracy over clips seen, a line an arm; arms from scratch as level lines.

    Args:
        summary: Of a study at one size.
        theme: Colours.
    """
    figure, axes = blank(WIDTH, 3.6, theme)
    by_arm: dict[str, list[Line]] = {}
    for line in summary.lines:
        if line.mean is not None:
            by_arm.setdefault(line.arm, []).append(line)
    count, decades = len(theme.series), summary.budgets[-1] / summary.budgets[0]
    for number, (arm, lines) in enumerate(by_arm.items()):
        colour, style = theme.series[number % count], "--" if number >= count else "-"
        pairs = [(line, line.mean) for line in lines if line.mean is not None]
        if not lines[0].clips:
            axes.axhline(pairs[0][1].mean, color=colour, linestyle="-.", label=plain(arm))
            continue
        # Slightly beside each other, or intervals at the same budget hide one another.
        beside = decades ** (0.01 * (number - (len(by_arm) - 1) / 2))
        axes.errorbar(
            [(line.clips or 1) * beside for line, _ in pairs], [mean.mean for _, mean in pairs],
            yerr=[mean.half or 0.0 for _, mean in pairs], color=colour, linestyle=style,
            marker=MARKERS[number % len(MARKERS)], markersize=5, linewidth=1.6, capsize=2,
            elinewidth=0.9, label=plain(arm),
        )  # fmt: skip
    _draw_chance(axes.axhline, summary, theme)
    axes.set_xscale("log")
    axes.set_xticks(summary.budgets, [f"{budget:,}" for budget in summary.budgets])
    axes.minorticks_off()
    axes.set_xlabel("clips seen in pre-training", color=theme.ink, fontsize=9)
    axes.set_ylabel(f"{ACCURACY}, 95 % interval", color=theme.ink, fontsize=9)
    add_legend(axes, theme)
    return figure


def spread(heights: Sequence[float], low: float, high: float, room: int) -> list[float]:
    """Move labels apart as little as needed, within a range.

    Args:
        heights: Wanted, ascending.
        low: Lower end of the range.
        high: Upper end.
        room: Lines of text that the range has room for.

    Returns:
        Heights in the same order, none closer than a line of text if there is room for all.
    """
    gap = (high - low) / max(len(heights), room)
    # Where labels keep their gap, what is left of each wanted height must not fall: the nearest
    # such row is the isotonic regression, found by pooling neighbours that fall.
    blocks: list[list[float]] = []
    for number, height in enumerate(heights):
        blocks.append([height - number * gap, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m), (b, n) = blocks.pop(-2), blocks.pop()
            blocks.append([(a * m + b * n) / (m + n), m + n])
    level = [mean for mean, count in blocks for _ in range(int(count))]
    top = high - gap / 2 - (len(heights) - 1) * gap
    return [min(max(x, low + gap / 2), top) + i * gap for i, x in enumerate(level)]


def _range(lines: Sequence[Line], chance: float | None) -> tuple[float, float]:
    """Span cells, intervals and chance, with a margin."""
    means = [line.mean for line in lines if line.mean is not None]
    ends = [mean.mean + side * (mean.half or 0) for mean in means for side in (-1, 1)]
    ends += [value for line in lines for value in line.values.values()]
    ends += [] if chance is None else [chance]
    margin = 0.04 * (max(ends) - min(ends)) + 0.5
    return max(min(ends) - margin, -margin), max(ends) + margin


def _draw_chance(rule: Callable[..., object], summary: Summary, theme: Theme) -> None:
    if summary.chance is not None:
        rule(summary.chance, color=theme.ink, label="chance", **{**RULE, "linestyle": ":"})


def _say_what_lacks(axes: Axes, place: int, line: Line, theme: Theme) -> None:
    """Write how many cells count, beside an arm's row, and in an empty row why it is empty."""
    failed, done, cells = len(line.failed()), len(line.values), len(line.rows)
    colour = theme.series[1] if failed else theme.ink
    if line.mean is None:
        text = shorten(line.shortcomings(), 72, placeholder=" …)")
        axes.text(
            0.01, place, ("✕ " if failed else "") + plain(text), va="center", fontsize=8.5,
            color=colour, transform=axes.get_yaxis_transform(), zorder=4,
            bbox=dict(facecolor=theme.paper, edgecolor="none", pad=1.5),
        )  # fmt: skip
        return
    count = f"n = {done}" + (f" of {cells}" if done < cells else "")
    axes.text(
        1.01, place, count + (f"\n✕ {failed} failed" if failed else ""), va="center", fontsize=8,
        color=colour, transform=axes.get_yaxis_transform(), linespacing=0.95,
    )  # fmt: skip


def _aside(values: Sequence[float]) -> np.ndarray:
    """Move equal values apart: the second 0.07 of a row below the first, and so on."""
    seen: Counter[float] = Counter()
    moved = []
    for value in values:
        moved.append(0.07 * seen[round(value, 1)])
        seen[round(value, 1)] += 1
    return np.array(moved)
