"""The table of a study, and the summary beneath it, against counts made here."""

from __future__ import annotations

import dataclasses
import statistics

import pytest
from reference.study_rows import done, drawn_rows, families, undone, with_gaps
from scipy import stats

from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.summary import summarize
from mmpmg.evaluation.study.table import escaped, study_table


@pytest.fixture
def study(tmp_path):
    return families(tmp_path)


def parsed(markdown):
    """The table's rows by arm, each a mapping from its head."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert all(len(row) == len(head) for row in rows)
    return {row[0]: dict(zip(head, row)) for row in rows}


def test_numbers_are_those_of_the_rows(study):
    rows = drawn_rows(study)
    table = parsed(study_table(summarize(study, "cpu", rows, 10.0)))
    assert list(table) == list(study.arms)
    reference = {(r.seed, r.fold): r.top1 for r in rows if r.arm == "Identity"}
    for arm, shown in table.items():
        own = {(r.seed, r.fold): r.top1 for r in rows if r.arm == arm}
        for fold in range(4):
            mean = statistics.mean(own[seed, fold] for seed in range(3))
            assert shown[f"fold {fold}"] == f"{mean:.1f}"
        low, high = stats.ttest_1samp([*own.values()], 0).confidence_interval(0.95)
        assert shown["mean ± 95 %"] == f"{(low + high) / 2:.1f} ± {(high - low) / 2:.1f}"
        assert shown["n"] == "12"
        if arm != "Identity":
            test = stats.ttest_rel([*own.values()], [reference[cell] for cell in own])
            low, high = test.confidence_interval(0.95)
            mean, half = shown["minus Identity"].replace("−", "-").split(" ± ")
            assert float(mean) == pytest.approx((low + high) / 2, abs=0.0501)
            assert float(half) == pytest.approx((high - low) / 2, abs=0.0501)
    assert table["Identity"]["minus Identity"] == "reference"
    assert (table["Affine"]["paper: UCF101"], table["Affine"]["paper: HMDB51"]) == ("82.5", "46.0")
    assert table["scratch"]["paper: UCF101"] == "–"


def test_the_loss_of_pretraining_is_the_mean_of_its_seeds(study):
    rows = drawn_rows(study)
    plain = study_table(summarize(study, "cpu", rows))
    assert "loss" not in plain.splitlines()[0] and "Loss is" not in plain

    def pretraining(arm, seed, loss, state="done"):
        cell = next(r for r in rows if r.arm == arm)
        return dataclasses.replace(
            cell, kind="pretrain", seed=seed, fold=None, top1=None, loss=loss, state=state
        )

    more = [pretraining("Affine", 0, 0.7), pretraining("Affine", 1, 0.71)]
    more += [pretraining("CutMix", 0, 0.9), pretraining("CutMix", 1, 5.0, "failed")]
    more += [dataclasses.replace(pretraining("Identity", 0, 0.5), clips=7)]  # of another budget
    text = study_table(summarize(study, "cpu", rows + more))
    table = parsed(text)
    assert (table["Affine"]["loss"], table["CutMix"]["loss"]) == ("0.705", "0.900")
    assert table["Identity"]["loss"] == table["scratch"]["loss"] == "–"
    assert "Loss is that of pre-training" in text


def test_the_agreement_is_that_of_scipy(study):
    rows = drawn_rows(study)
    summary = summarize(study, "cpu", rows, 10.0)
    arms = [name for name, arm in study.arms.items() if arm.paper]
    means = [statistics.mean(r.top1 for r in rows if r.arm == arm) for arm in arms]
    for column in ("UCF101", "HMDB51"):
        papers = [study.arms[arm].paper[column] for arm in arms]
        tau, p = stats.kendalltau(means, papers, method="exact")
        assert summary.agreement(column).tau == pytest.approx(tau)
        assert summary.agreement(column).p == pytest.approx(p)
        said = f"{column} {tau:.2f} over 8 arms (two-sided p = {p:.3f}, exact)"
        assert said in study_table(summary)


def test_what_failed_or_is_missing_is_said_and_never_averaged(study):
    rows = drawn_rows(study)
    gaps = with_gaps(rows)
    summary = summarize(study, "cpu", gaps, 10.0)
    table = parsed(study_table(summary))
    for column in ("fold 0", "fold 3", "mean ± 95 %"):
        assert table["CutMix"][column] == "failed"
        assert table["ColorJitter"][column] == "–"
    assert table["CutMix"]["n"].startswith("0 of 12: 12 failed (its pre-training failed: the loss")
    assert table["ColorJitter"]["n"] == "0 of 12: 12 not run"
    assert table["Perspective"]["n"] == "8 of 12: 1 running, 3 not run"
    assert table["FadeInOut"]["n"] == "10 of 12: 2 failed (the loss is not finite)"
    assert table["FadeInOut"]["fold 0"].endswith(" (1 failed)")
    kept = [r.top1 for r in gaps if r.arm == "FadeInOut" and r.state == "done"]
    assert table["FadeInOut"]["mean ± 95 %"].startswith(f"{statistics.mean(kept):.1f} ")
    assert summary.agreement("UCF101").n == 6
    # and it is the same table as without these rows' cells ever having been tried
    line = next(line for line in summary.lines if line.arm == "FadeInOut")
    assert (line.mean.n, line.difference.n) == (10, 10)


def test_an_arm_lacking_good_cells_keeps_its_place(study):
    # Fold 1 is easy by 30 points; an arm that has not run it is no worse for it.
    rows = []
    for arm, better in (("Identity", 0), ("SlidingWindow", 2), ("Affine", 5), ("FadeInOut", 3)):
        for seed in range(2):
            rows.append(done(study, arm, seed, 0, 8 + better))
            easy = done(study, arm, seed, 1, 30 + better)
            rows.append(undone(easy, "missing") if arm == "Affine" else easy)
    summary = summarize(study, "cpu", rows)
    tau = summary.agreement("UCF101").tau
    assert tau == pytest.approx(1)  # of the means, Affine would be last


def test_few_pairs_are_told(study):
    rows = drawn_rows(study)
    rows = [
        undone(r, "failed", "killed") if r.arm == "Identity" and r.seed < 2 else r for r in rows
    ]
    table = parsed(study_table(summarize(study, "cpu", rows)))
    assert table["Affine"]["minus Identity"].endswith("(4 pairs)")
    assert table["Affine"]["n"] == "12"


def test_one_cell_has_no_interval(study):
    rows = [done(study, "Identity", 0, 0, 8), done(study, "Affine", 0, 0, 17)]
    table = parsed(study_table(summarize(study, "cpu", rows)))
    assert table["Affine"]["mean ± 95 %"] == "21.0 ± –"
    assert table["Affine"]["minus Identity"] == "+11.1 ± –"
    assert table["ZoomInOut"]["n"] == "not run yet"


def test_budgets_are_compared_with_the_reference_at_the_same_one(study):
    rows = []
    for clips, gain in ((5000, 4), (50000, 8)):
        for fold in range(2):
            rows.append(done(study, "Identity", 0, fold, gain, clips=clips))
            rows.append(done(study, "Affine", 0, fold, 2 * gain, clips=clips))
    rows += [done(study, "scratch", 0, fold, 7) for fold in range(2)]
    summary = summarize(study, "cpu", rows)
    found = {(line.arm, line.clips): line.difference for line in summary.lines}
    for clips, gain in ((5000, 4), (50000, 8)):
        expected = statistics.mean([100 * gain / 81, 100 * gain / 64])
        assert found["Affine", clips].mean == pytest.approx(expected)
    assert found["scratch", 0] is None  # which budget of the reference it would be is not said
    lines = study_table(summary).splitlines()
    assert lines[0].split(" | ")[1] == "clips"
    assert sum(line.startswith("| Affine | ") for line in lines) == 2
    turned = dataclasses.replace(study, reference="scratch")
    found = {(x.arm, x.clips): x.difference for x in summarize(turned, "cpu", rows).lines}
    assert found["Affine", 50000].n == found["Affine", 5000].n == 2


def test_rows_of_others_are_left_out_and_unknown_arms_refused(study):
    rows = drawn_rows(study)
    others = [dataclasses.replace(rows[0], size="gpu"), dataclasses.replace(rows[1], study="x")]
    plain = study_table(summarize(study, "cpu", rows, 10.0))
    assert study_table(summarize(study, "cpu", rows + others, 10.0)) == plain
    with pytest.raises(StudyError, match="results of Zoom, which .* does not declare"):
        summarize(study, "cpu", [dataclasses.replace(rows[0], arm="Zoom")])


def test_the_circumstances_are_those_of_the_rows(study):
    rows = drawn_rows(study)
    rows[0] = dataclasses.replace(
        rows[0], commit="aaa1111, with changes that are not committed", hardware="Apple M2",
        cores=8, date="2026-11-23 01:00:00",
    )  # fmt: skip
    text = study_table(summarize(study, "cpu", rows, 10.0)).splitlines()[-1]
    for said in (
        "Size `cpu`; 15,000 clips", "seeds 0, 1, 2", "AMD EPYC 7B13, 2 cores, 1 thread a cell",
        "Apple M2, 8 cores", "commits aaa1111 + changes, 99ff9d0", "2026-11-22 to 2026-11-23",
        "6 h 03 min of training", "`tools/study.py studies/families.yml --size cpu`",
    ):  # fmt: skip
        assert said in text
    many = [dataclasses.replace(r, commit=f"c{i:03}") for i, r in enumerate(rows)]
    assert "120 commits from c001 to c000" in study_table(summarize(study, "cpu", many))


def test_an_error_cannot_break_the_table(study):
    error = "KeyError: a|b *c* <img src=x> `d` [e](f) _g_"
    rows = [undone(done(study, "Affine", 0, 0, 8), "failed", error)]
    count = parsed(study_table(summarize(study, "cpu", rows)))["Affine"]["n"]
    assert "|" not in count and "<img" not in count and "`" not in count
    assert escaped("a|b<c & d") == "a&#124;b&lt;c &amp; d"
