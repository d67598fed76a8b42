"""Rows of a study: from folders to CSV and back, and of several machines to one table."""

from __future__ import annotations

import dataclasses
import json

import pytest
from reference.study_rows import VIDEOS, done, drawn_rows, families, undone

from mmpmg.evaluation.study.cells import RESULT, STATE, grid, write_json
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.results import cell_rows
from mmpmg.evaluation.study.rows import COLUMNS, merged, read_rows, write_rows

WHERE = dict(
    hardware="AMD EPYC", cores=2, threads=1, torch="2.15.0", mmpmg="0.4.0", commit="99ff9d0",
    date="2026-11-22 05:00:00", digest="0123456789abcdef",
)  # fmt: skip


@pytest.fixture
def study(tmp_path):
    return families(tmp_path)


def test_rows_are_those_of_the_folders(study, tmp_path):
    size = study.size("cpu")
    cells = grid(study, size, tmp_path / "out", arms=["scratch", "Identity"], folds=[0, 1])
    by_name = {(c.arm, c.kind, c.seed, c.fold): c for c in cells}

    def folder(*name):
        path = by_name[name].folder
        path.mkdir(parents=True)
        return path

    counted = dict(loss=1.25, updates=200, clips=3180, seconds=180.5, startup=9.0, **WHERE)
    right = dict(top1=100 * 9 / 81, correct=9, videos=81)
    write_json(
        folder("scratch", "finetune", 0, 0) / RESULT, dict(kind="finetune", **right, **counted)
    )
    write_json(
        folder("scratch", "finetune", 0, 1) / STATE,
        dict(counted, state="stopped", error="", epoch=3, epochs=20),
    )
    write_json(
        folder("Identity", "pretrain", 1, None) / STATE,
        dict(counted, state="failed", error="the loss is not finite", loss=None),
    )
    write_json(
        folder("Identity", "pretrain", 0, None) / RESULT,
        dict(kind="pretrain", top1=None, correct=None, videos=None, **counted),
    )
    rows = cell_rows(study, cells)
    found = {(row.arm, row.kind, row.seed, row.fold): row for row in rows}
    assert len(rows) == len(cells) == 3 * (2 + 1 + 2)

    ready = found["scratch", "finetune", 0, 0]
    assert (ready.state, ready.top1, ready.correct, ready.videos) == ("done", 100 / 9, 9, 81)
    assert (ready.clips, ready.clips_seen, ready.updates) == (0, 3180, 200)
    assert {name: getattr(ready, name) for name in WHERE} == WHERE
    assert ready.folder == "scratch/clips0_seed0/fold0"
    assert ready.recipe == "configs/finetune/vit-toy_gestures.py"

    stopped = found["scratch", "finetune", 0, 1]
    assert (stopped.state, stopped.top1, stopped.loss) == ("missing", None, 1.25)
    trained = found["Identity", "pretrain", 0, None]
    assert (trained.state, trained.clips, trained.fold) == ("done", 15000, None)
    broken = found["Identity", "pretrain", 1, None]
    assert (broken.state, broken.error, broken.loss) == ("failed", "the loss is not finite", None)
    for fold in (0, 1):
        after = found["Identity", "finetune", 1, fold]
        assert after.state == "failed"
        assert after.error == "its pre-training failed: the loss is not finite"
    assert found["Identity", "finetune", 2, 0].state == "missing"
    assert read_rows([write_rows(rows, tmp_path / "all.csv")]) == rows


def test_changes_stand_in_the_declared_order(study, tmp_path):
    ops = {"zoom": {"type": "ZoomInOut"}, "affine": {"type": "Affine"}}
    arm = dataclasses.replace(study.arms["Affine"], change={"ops": ops})
    study = dataclasses.replace(study, arms={**study.arms, "Affine": arm})
    cells = grid(study, study.size("cpu"), tmp_path, arms=["Affine"], seeds=[0], folds=[0])
    rows = {row.kind: row for row in cell_rows(study, cells)}
    assert list(json.loads(rows["pretrain"].changes)["ops"]) == ["zoom", "affine"]
    assert rows["finetune"].changes == ""


def test_csv_keeps_every_value(study, tmp_path):
    rows = drawn_rows(study)
    rows[3] = undone(rows[3], "failed", 'RuntimeError: "a, b" and ünïcode; $x$')
    rows[4] = undone(rows[4], "missing")
    file = write_rows(rows, tmp_path / "new" / "results.csv")
    assert read_rows([file]) == rows
    assert file.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert [path.name for path in file.parent.iterdir()] == ["results.csv"]


def test_files_put_behind_one_another_are_one_table(study, tmp_path):
    rows = drawn_rows(study)
    first, second = rows[:50], [undone(row, "missing") for row in rows[:50]] + rows[50:]
    one = write_rows(first, tmp_path / "one.csv")
    two = write_rows(second, tmp_path / "two.csv")
    both = tmp_path / "both.csv"
    both.write_text(two.read_text() + one.read_text())
    assert read_rows([one, two]) == rows
    assert read_rows([both]) == rows


def test_a_cell_of_unlike_settings_is_refused(study):
    row = done(study, "Affine", 0, 2, 11)
    with pytest.raises(StudyError, match=r"Affine .*seed 0, fold 2.*unlike settings.*aa.*bb"):
        merged([dataclasses.replace(row, digest="aa"), dataclasses.replace(row, digest="bb")])


def test_what_is_done_counts_and_of_two_the_earlier_one(study):
    later = done(study, "Affine", 0, 0, 40, date="2026-11-22 06:00:00")
    earlier = dataclasses.replace(later, top1=10.0, correct=8, date="2026-11-22 05:00:00")
    failed, missing = undone(later, "failed", "killed"), undone(later, "missing")
    missing = dataclasses.replace(missing, digest="")
    for order in ([later, earlier, failed, missing], [missing, failed, earlier, later]):
        assert merged(order) == [earlier]
    assert merged([missing, failed]) == [failed]


@pytest.mark.parametrize("top1", ["nan", "inf", "", "101", "-1"])
def test_a_finished_cell_without_an_accuracy_is_refused(study, tmp_path, top1):
    file = write_rows([done(study, "Affine", 0, 0, 8)], tmp_path / "r.csv")
    head, line = file.read_text().splitlines()
    cells = line.split(",")
    cells[COLUMNS.index("top1")] = top1
    file.write_text(f"{head}\n{','.join(cells)}\n")
    with pytest.raises(StudyError, match=r"r\.csv, line 2: .*Affine.*top-1 accuracy"):
        read_rows([file])


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("seed", "", "line 2: seed is empty"),
        ("clips", "many", "line 2: clips is 'many', no number"),
        ("state", "ready", "state 'ready'; they must be of"),
        ("fold", "", "a fine-tuning without a fold"),
    ],
)
def test_a_wrong_value_is_named(study, tmp_path, column, text, said):
    file = write_rows([done(study, "Affine", 0, 0, 8)], tmp_path / "r.csv")
    head, line = file.read_text().splitlines()
    cells = line.split(",")
    cells[COLUMNS.index(column)] = text
    file.write_text(f"{head}\n{','.join(cells)}\n")
    with pytest.raises(StudyError, match=said):
        read_rows([file])


def test_another_table_is_named(tmp_path):
    file = tmp_path / "other.csv"
    for text, said in (("", "first line"), ("a,b\n1,2\n", "it lacks study, size"), ("\xff", "")):
        file.write_bytes(text.encode("latin-1"))
        with pytest.raises(StudyError, match=rf"other\.csv.*{said}"):
            read_rows([file])
    with pytest.raises(StudyError, match="cannot be read"):
        read_rows([tmp_path / "none.csv"])


def test_half_a_line_is_named(study, tmp_path):
    file = write_rows([done(study, "Affine", 0, fold, 8) for fold in VIDEOS], tmp_path / "r.csv")
    text = file.read_text()
    file.write_text(text[: text.rindex(",", 0, -60)])
    with pytest.raises(StudyError, match=r"line 5: \d+ columns where there should be 27"):
        read_rows([file])
