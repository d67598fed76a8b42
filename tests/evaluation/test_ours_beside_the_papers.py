"""What the report prints beside a paper's number: which runs, and what they fall short of it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from evaluation.work_dirs import training, validation, write_run, write_test

from mmpmg.evaluation.report import report_content, write_report
from mmpmg.evaluation.run_log import read_run

RECIPE = "finetune/vit-b_hmdb51"


def beside_the_paper(folder: Path) -> str:
    """The cell "ours" of a run from scratch."""
    rows = report_content([read_run(folder)], None, (), "")["paper_rows"]
    (ours,) = [row["ours"] for row in rows if row["pretraining"] == "from scratch"]
    return ours


@pytest.mark.parametrize(
    ("trained", "validated", "tested", "shown"),
    [
        (100, 100, 0.456, "45.6"),
        (100, 100, None, "12.3 (val)"),
        (100, 95, None, "12.3 (val, epoch 95 of 100)"),
        (7, 5, None, "12.3 (val, epoch 5 of 100)"),
        (7, 5, 0.456, "45.6 (epoch 7 of 100)"),
    ],
)
def test_unfinished_and_untested_runs_are_marked(
    tmp_path: Path, trained: int, validated: int, tested: float | None, shown: str
) -> None:
    epochs = range(1, trained + 1)
    write_run(tmp_path, RECIPE, training(epochs, [2.0] * trained) + validation({validated: 0.123}))
    if tested is not None:
        write_test(tmp_path, tested)
    assert beside_the_paper(tmp_path) == shown


def test_the_page_says_what_the_marks_mean(tmp_path: Path) -> None:
    write_run(tmp_path / "run", RECIPE, training(range(1, 3), [2.0, 1.0]) + validation({2: 0.123}))
    write_report([str(tmp_path / "run")], tmp_path / "a.html")
    text = (tmp_path / "a.html").read_text()
    assert "12.3 (val, epoch 2 of 100)" in text and "(val) is the last validation" in text


@pytest.mark.parametrize("newest", ["vit-b_hmdb51", "vit-b_hmdb51_5-shot"])
def test_the_recipe_is_that_of_the_training_not_of_the_test(tmp_path: Path, newest: str) -> None:
    """Few shots are tested by the recipe of the whole list, which then lies beside theirs."""
    records = training(range(1, 101), [2.0] * 100) + validation({100: 0.2})
    run = write_run(tmp_path / "run", f"{RECIPE}_5-shot", records)
    test = write_run(tmp_path / "test", RECIPE, [], "20261122_120000")
    (test / "20261122_120000" / "vis_data" / "scalars.json").unlink()
    (test / "20261122_120000" / "20261122_120000.json").write_text(json.dumps({"acc/top1": 0.3}))
    shutil.copytree(test, run, dirs_exist_ok=True)
    for path in run.glob("*.py"):
        os.utime(path, (1, 2 if path.stem == newest else 1))
    (run / "notes.py").write_text("no recipe")
    read = read_run(run)
    assert read.recipe == f"{RECIPE}_5-shot" and read.tested == pytest.approx(30)
    assert report_content([read], None, (), "")["paper_rows"] == []


def test_a_test_before_the_last_training_is_left_out(tmp_path: Path) -> None:
    write_run(tmp_path, RECIPE, training(range(1, 101), [2.0] * 100) + validation({100: 0.9}))
    write_test(tmp_path, 0.95, "20261121_130000")
    assert beside_the_paper(tmp_path) == "95.0"
    afresh = training(range(1, 101), [3.0] * 100) + validation({100: 0.2})
    write_run(tmp_path, RECIPE, afresh, "20261121_140000")
    run = read_run(tmp_path)
    assert run.tested is None and run.last == pytest.approx(20)
    assert run.problems == ("its test (95.0 %) is older than its last training, and left out",)
    assert beside_the_paper(tmp_path) == "20.0 (val)"
    write_test(tmp_path, 0.25, "20261121_150000")
    assert beside_the_paper(tmp_path) == "25.0" and read_run(tmp_path).problems == ()
