"""One odd folder among the runs of a report is told of, and the report of the others stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from evaluation.work_dirs import training, validation, write_dump, write_run, write_test
from PIL import Image

from mmpmg.evaluation import report
from mmpmg.evaluation.accuracy_plot import curve_charts
from mmpmg.evaluation.report import report_content, write_report
from mmpmg.evaluation.report_images import pictures
from mmpmg.evaluation.run_log import read_run

RECIPE = "finetune/vit-b_ucf101"
NAN, INF = float("nan"), float("inf")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the time of charts where they are not the matter."""
    monkeypatch.setattr(report, "themed", lambda draw: {"light": "", "dark": ""})


def finished(folder: Path) -> Path:
    """A fine-tuning without fault."""
    return write_run(folder, RECIPE, training(range(1, 101), [2.0] * 100) + validation({100: 0.5}))


def with_config(folder: Path, text: str) -> Path:
    """A run of another config."""
    write_run(folder, RECIPE, training(range(1, 3), [2.0, 1.0]))
    for path in (next(folder.glob("*/vis_data/config.py")), folder / "vit-b_ucf101.py"):
        path.write_text(text)
    return folder


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("text", ["foo = 1\n", "model = dict(backbone=1)\n", "model = None\n"])
def test_a_config_without_a_model_is_said_to_be_no_recipe(tmp_path: Path, text: str) -> None:
    odd = with_config(tmp_path / "odd", text)
    problems = write_report([str(odd), str(finished(tmp_path / "run"))], tmp_path / "a.html")
    assert "is no recipe (it has no model.type)" in problems[0]
    assert "50.0 (val)" in (tmp_path / "a.html").read_text()
    # Nor is it taken for a pre-training that another run started from.
    encoder = {"load_from": str(odd / "encoder.pth")}
    tuned = write_run(tmp_path / "tuned", RECIPE, training(range(1, 2), [1.0]), changes=encoder)
    assert read_run(tuned).loaded == encoder["load_from"]


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("rest", ["train_dataloader = None", "train_dataloader = [1]", ""])
def test_a_pretraining_without_a_training_set_has_a_row(tmp_path: Path, rest: str) -> None:
    text = f"model = dict(type='MaskedVideoPretrainer')\ntrain_cfg = dict(max_epochs=2)\n{rest}\n"
    content = report_content([read_run(with_config(tmp_path / "odd", text))], None, (), "")
    (row,) = content["pretrained"]
    assert row["images"] == "" and row["last_loss"] == "1.0000" and content["problems"] == []


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("link", [True, False])
def test_predictions_that_are_no_file_are_named(tmp_path: Path, link: bool) -> None:
    run = finished(tmp_path / "run")
    write_dump(run / "old.pkl", [0, 1], [0, 1])
    os.utime(run / "old.pkl", (1, 1))
    (run / "new.pkl").symlink_to("nowhere") if link else (run / "new.pkl").mkdir()
    notes = report_content([read_run(run)], None, (), "")["class_notes"]
    assert notes[0].startswith(f"run: no predictions at {run / 'new.pkl'}")


@pytest.mark.parametrize("name", ["$x_{$", os.fsdecode(b"bad\xff")])
def test_any_name_of_a_folder_can_be_drawn_and_written(tmp_path: Path, name: str) -> None:
    runs = [finished(tmp_path / name), finished(tmp_path / "run")]
    for run in runs:
        write_dump(run / "predictions.pkl", [0, 1], [0, 1])
    (tmp_path / name / "reconstructions").mkdir()
    (tmp_path / name / "reconstructions" / "epoch_1.png").write_bytes(b"no picture")
    problems = write_report([str(run) for run in runs], tmp_path / "a.html")
    shown = name if name.isascii() else r"bad\udcff"
    assert len(problems) == 1 and f"{shown}/reconstructions/epoch_1.png cannot" in problems[0]
    assert f">{shown}</td>" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_a_picture_of_one_line_is_shown_and_a_broken_one_named(tmp_path: Path) -> None:
    Image.new("RGB", (30_000, 1)).save(tmp_path / "thin.png")
    whole = (tmp_path / "thin.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[:40])
    found, problems = pictures([], [str(tmp_path / "thin.png"), str(tmp_path / "cut.png")])
    assert [picture["caption"] for picture in found] == ["thin.png"]
    assert len(problems) == 1 and "cut.png cannot be read" in problems[0]


@pytest.mark.usefixtures("undrawn")
def test_what_is_not_finite_is_named_and_not_counted(tmp_path: Path) -> None:
    records = training(range(1, 5), [2.0, NAN, INF, NAN])
    records += validation({1: NAN, 2: 0.3, 3: 0.1, 4: NAN})
    run = read_run(write_run(tmp_path / "run", RECIPE, records))
    assert run.best == pytest.approx(30) and run.last is None and run.epochs_done == 4
    assert run.problems[:2] == (
        "its loss is not finite in 3 of 4 entries, first at epoch 2",
        "its validation accuracy is not finite in 2 of 4 entries, first at epoch 1",
    )
    charts = curve_charts([run])
    (line,) = charts["Validation accuracy"].axes[0].lines
    assert list(line.get_xdata()) == [2, 3] and list(line.get_ydata()) == pytest.approx([30, 10])
    (row,) = report_content([run], None, (), "")["tuned"]
    assert (row["best"], row["last"], row["tested"]) == ("30.0", "", "")
    write_test(tmp_path / "run", NAN)
    run = read_run(tmp_path / "run")
    assert run.tested is None and "the accuracy of its test is nan, and left out" in run.problems


@pytest.mark.usefixtures("undrawn")
def test_a_run_of_nothing_finite_has_no_curve(tmp_path: Path) -> None:
    records = training(range(1, 3), [NAN, NAN]) + validation({2: NAN})
    run = read_run(write_run(tmp_path / "run", RECIPE, records))
    assert (run.best, run.last) == (None, None) and curve_charts([run]) == {}
    first = training(range(1, 3), [1.0, NAN])
    pretraining = write_run(tmp_path / "pre", "pmg/vit-b_shaders1k", first)
    (row,) = report_content([read_run(pretraining)], None, (), "")["pretrained"]
    assert (row["first_loss"], row["last_loss"]) == ("1.0000", "")
