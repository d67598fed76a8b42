"""A study's figures: they show the rows' numbers, and no text lies on another or is cut off."""

from __future__ import annotations

import dataclasses
import itertools
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.text import Text
from reference.study_rows import drawn_rows, families, undone, with_gaps

from mmpmg.evaluation.study.declaration import Arm
from mmpmg.evaluation.study.plots import (
    accuracy_figure,
    budget_figure,
    drawings,
    paper_figure,
    spread,
)
from mmpmg.evaluation.study.summary import summarize
from mmpmg.visualization.charts import LIGHT, blank


@pytest.fixture
def study(tmp_path):
    return families(tmp_path)


def with_budgets(rows, budgets=(5000, 15000, 50000)):
    """The same accuracies at several budgets."""
    for row in rows:
        for clips in budgets if row.clips else [0]:
            yield dataclasses.replace(row, clips=clips)


def texts(figure):
    """What is written in a figure -> its box in pixels."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    hidden = set()  # matplotlib keeps labels of ticks beyond the ends, and does not draw them
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low <= tick.get_loc() <= high:
                hidden |= {tick.label1, tick.label2}
    shown = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    shown = [t for t in shown if t not in hidden]
    # Text only: the box of an annotation would hold its line too.
    return [(t.get_text(), Text.get_window_extent(t, renderer)) for t in shown]


def check_readable(figure):
    """No text on another, none cut off, none smaller than 8 points."""
    found = texts(figure)
    width, height = figure.canvas.get_width_height()
    for text, box in found:
        inside = min(box.x0, box.y0) >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
        assert inside, f"{text!r} is cut off"
    for (one, a), (other, b) in itertools.combinations(found, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        down = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Boxes hold room above and below letters; a sixth of it may be shared.
        assert across <= 1 or down <= 0.17 * min(a.height, b.height), f"{one!r} on {other!r}"
    assert min(t.get_fontsize() for t in figure.findobj(Text) if t.get_text().strip()) >= 8


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.97, 0.2)])
def test_text_on_text_and_text_beyond_the_edge_are_found(place):
    figure, _ = blank(6.5, 3, LIGHT)
    figure.text(0.5, 0.51, "mean of Identity", fontsize=9)
    check_readable(figure)
    figure.text(*place, "mean of Affine", fontsize=9)
    with pytest.raises(AssertionError, match="mean of Affine"):
        check_readable(figure)


@pytest.mark.parametrize("gaps", [False, True])
def test_every_figure_of_a_study_can_be_read(study, gaps):
    rows = drawn_rows(study)
    found = drawings(summarize(study, "cpu", with_gaps(rows) if gaps else rows, 10.0))
    assert list(found) == ["accuracy", "paper-ucf101", "paper-hmdb51"]
    for draw in found.values():
        check_readable(draw())


def test_figures_of_budgets_can_be_read(study):
    rows = [row for row in drawn_rows(study) if row.arm != "CutMix"]
    found = drawings(summarize(study, "cpu", list(with_budgets(rows)), 10.0))
    assert list(found) == ["accuracy", "paper-ucf101", "paper-hmdb51", "budgets"]
    for draw in found.values():
        check_readable(draw())


def test_two_arms_and_twenty_with_long_names_can_be_read(study):
    rows = drawn_rows(study)
    two = dataclasses.replace(study, arms={n: study.arms[n] for n in ("scratch", "Identity")})
    check_readable(accuracy_figure(summarize(two, "cpu", [r for r in rows if r.arm in two.arms])))
    arms, more = dict(study.arms), list(rows)
    for number in range(10):
        name = f"layered-and-non-rigid-motion-{number}"
        arms[name] = Arm(name, paper={"UCF101": 80.0 + number / 20})
        more += [dataclasses.replace(r, arm=name) for r in rows if r.arm == "Affine"]
    summary = summarize(dataclasses.replace(study, arms=arms), "cpu", more, 10.0)
    check_readable(accuracy_figure(summary))
    check_readable(paper_figure(summary, "UCF101"))


def test_dots_means_and_intervals_are_the_rows(study):
    rows = drawn_rows(study)
    summary = summarize(study, "cpu", rows, 10.0)
    axes = accuracy_figure(summary).axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    papers = [study.arms[name].paper.get("UCF101", -1) for name in names]
    assert papers == sorted(papers, reverse=True)  # the paper's order from above
    dots = [c.get_offsets() for c in axes.collections if len(c.get_offsets()) == 12]
    bars = [c for c in axes.containers if np.size(c.lines[0].get_xdata())]
    for place, (name, cells, bar) in enumerate(zip(names, dots, bars, strict=True)):
        values = [row.top1 for row in rows if row.arm == name]
        assert sorted(cells[:, 0]) == pytest.approx(sorted(values))
        assert np.abs(cells[:, 1] - place).max() < 0.5
        line = next(line for line in summary.lines if line.arm == name)
        assert float(bar.lines[0].get_xdata()[0]) == pytest.approx(statistics.mean(values))
        ends = bar.lines[2][0].get_segments()[0][:, 0]
        assert ends == pytest.approx(line.mean.mean + np.array([-1, 1]) * line.mean.half)
        assert axes.get_xlim()[0] < min(values) and max(values) < axes.get_xlim()[1]
    rules = {line.get_label(): line.get_xdata()[0] for line in axes.lines if len(line.get_xdata())}
    assert rules["chance"] == 10
    reference = statistics.mean(row.top1 for row in rows if row.arm == "Identity")
    assert rules["mean of Identity"] == pytest.approx(reference)


def test_failed_arms_are_marked_and_have_no_mean(study):
    axes = accuracy_figure(summarize(study, "cpu", with_gaps(drawn_rows(study)), 10.0)).axes[0]
    said = {text.get_text(): text for text in axes.texts}
    failed = [text for text in said if text.startswith("✕ 12 failed (its pre-training failed")]
    assert len(failed) == 1
    assert to_hex(said[failed[0]].get_color()) == LIGHT.series[1]
    assert {"12 not run", "n = 8 of 12", "n = 10 of 12\n✕ 2 failed"} <= set(said)
    drawn = [c for c in axes.containers if np.size(c.lines[0].get_xdata())]
    assert len(drawn) == len(study.arms) - 2


def test_points_lie_at_the_papers_and_our_number(study):
    summary = summarize(study, "cpu", drawn_rows(study), 10.0)
    axes = paper_figure(summary, "HMDB51").axes[0]
    drawn = {tuple(np.ravel(c.lines[0].get_xydata())) for c in axes.containers}
    expected = {
        (study.arms[line.arm].paper["HMDB51"], line.mean.mean)
        for line in summary.lines
        if study.arms[line.arm].paper
    }
    assert drawn == expected
    heights = {text.get_text(): text.xyann[1] for text in axes.texts}
    ours = {line.arm: line.mean.mean for line in summary.lines if line.arm in heights}
    assert sorted(heights, key=heights.get) == sorted(ours, key=ours.get)  # our order


def test_lines_pass_through_the_means_of_their_budgets(study):
    rows = [row for row in drawn_rows(study) if row.arm in ("scratch", "Identity", "Affine")]
    rows = [undone(r, "missing") if r.arm == "Affine" and r.clips == 50000 else r
            for r in with_budgets(rows)]  # fmt: skip
    summary = summarize(study, "cpu", rows, 10.0)
    axes = budget_figure(summary).axes[0]
    assert axes.get_xscale() == "log"
    drawn = {c.get_label(): c.lines[0].get_xydata() for c in axes.containers}
    assert {name: len(points) for name, points in drawn.items()} == {"Identity": 3, "Affine": 2}
    means = {(x.arm, x.clips): x.mean.mean for x in summary.lines if x.mean is not None}
    for name, points in drawn.items():
        for (x, y), clips in zip(points, (5000, 15000, 50000)):
            assert x == pytest.approx(clips, rel=0.05)  # beside, not upon each other
            assert y == pytest.approx(means[name, clips])
    level = next(line for line in axes.lines if line.get_label() == "scratch")
    assert set(level.get_ydata()) == {means["scratch", 0]}


def test_nothing_is_drawn_before_a_cell_is_done(study):
    rows = [undone(row, "missing") for row in drawn_rows(study)]
    assert drawings(summarize(study, "cpu", rows, 10.0)) == {}
    assert drawings(summarize(study, "cpu", [], 10.0)) == {}


@given(some.lists(some.floats(0, 30), min_size=1, max_size=16))
def test_labels_are_moved_apart_and_kept_in_order(heights):
    wanted = sorted(heights)
    found = spread(wanted, 0, 30, 14)
    gap = 30 / max(14, len(wanted))
    assert all(b - a >= gap - 1e-9 for a, b in itertools.pairwise(found))
    assert found[0] >= 0 and found[-1] <= 30
    free = all(b - a >= gap for a, b in itertools.pairwise(wanted))
    if free and wanted[0] >= gap / 2 and wanted[-1] <= 30 - gap / 2:
        assert found == pytest.approx(wanted, abs=1e-6)
