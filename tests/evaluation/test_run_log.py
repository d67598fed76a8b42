from __future__ import annotations

from pathlib import Path

import pytest
from evaluation.work_dirs import training, validation, write_run, write_test

from mmpmg.evaluation.accuracy_axes import AXES, accuracy_series, axis_value
from mmpmg.evaluation.accuracy_plot import plot_accuracy
from mmpmg.evaluation.recipe_names import changes_from_recipe
from mmpmg.evaluation.run_log import changed_keys, read_run, read_runs

SHADERS = "pmg/vit-b_shaders1k"


def finetuned(folder: Path, recipe: str, encoder: Path | None, **more: float) -> Path:
    changes = {"load_from": None if encoder is None else str(encoder), "train_cfg.max_epochs": 2}
    records = training(range(1, 3), [2.0, 1.5]) + validation({1: 0.25, 2: more.get("last", 0.2)})
    return write_run(folder, recipe, records, changes=changes)


def test_a_run_is_read_with_its_pretraining(tmp_path: Path) -> None:
    pretraining = write_run(tmp_path / "pre", SHADERS, training(range(1, 2001), [1.0] * 2000))
    run = read_run(finetuned(tmp_path / "f", "finetune/vit-b_ucf101", pretraining / "encoder.pth"))
    assert (run.recipe, run.loaded) == ("finetune/vit-b_ucf101", SHADERS)
    assert (run.best, run.last, run.tested) == (25, 20, None)
    assert run.loss == ([1, 2], [2.0, 1.5]) and run.accuracy == ([1, 2], [25, 20])
    assert run.problems == () and run.date == "2026-11-21 12:00"
    assert run.environment["GPU 0,1"] == "Some GPU" and run.environment["Python"] == "3.11.7"
    assert run.environment["mmpmg"] == "0.1.0, commit abc1234"
    assert read_run(pretraining).is_pretraining and not run.is_pretraining
    assert changes_from_recipe(run.config, run.recipe) == ["train_cfg.max_epochs=2"]
    # A test in the same folder is its accuracy, and its config is not that of the training.
    write_test(tmp_path / "f", 0.3)
    again = read_run(tmp_path / "f")
    assert again.tested == 30 and again.loaded == SHADERS


@pytest.mark.parametrize(
    ("recipe", "classifies"),
    [("demvm/swin-t_ucf101", False), ("demvm/vit-b_ucf101_vit", False),
     ("motionmae/vit-b_ucf101", False), ("tokenizer/vqvae3d_ucf101", False),
     ("tokenizer/vqvae2d_ucf101", False), ("finetune/swin-t_ucf101", True),
     ("linear_probe/swin-t_mimetics_2-shot", True)],
)  # fmt: skip
def test_runs_without_classes_are_told_from_recognizers(
    tmp_path: Path, recipe: str, classifies: bool
) -> None:
    before = write_run(tmp_path / "before", recipe, training(range(1, 2), [1.0]))
    assert read_run(before).is_pretraining is not classifies
    run = read_run(finetuned(tmp_path / "f", "finetune/swin-t_ucf101", before / "encoder.pth"))
    assert (run.loaded == recipe) is not classifies


@pytest.mark.parametrize("folder", ["finetune", "linear_probe", "videomae"])
def test_recipes_of_one_name_are_told_apart(tmp_path: Path, folder: str) -> None:
    """All three folders have a vit-b_ucf101."""
    recipe = f"{folder}/vit-b_ucf101"
    write_run(tmp_path, recipe, training(range(1, 2), [1.0]), changes={"train_cfg.max_epochs": 1})
    assert read_run(tmp_path).recipe == recipe


def test_a_resumed_run_counts_once_and_keeps_where_it_came_from(tmp_path: Path) -> None:
    encoder = "elsewhere/encoder.pth"
    more = {"train_cfg.max_epochs": 5}
    recipe = "finetune/vit-b_ucf101"
    write_run(tmp_path, recipe, training(range(1, 4), [5.0, 4.0, 9.9]) + validation({2: 0.1, 3: 1}),
              changes={**more, "load_from": encoder})  # fmt: skip
    write_run(tmp_path, recipe, training(range(3, 6), [3.0, 2.0, 1.0]) + validation({3: 0.2}),
              "20261121_130000", {**more, "load_from": "epoch_2.pth", "resume": True})  # fmt: skip
    run = read_run(tmp_path)
    assert run.loss == ([1, 2, 3, 4, 5], [5.0, 4.0, 3.0, 2.0, 1.0])
    assert run.accuracy == ([2, 3], [10, 20])
    assert run.loaded == encoder


def test_what_is_wrong_is_said_and_raises_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no run" in read_run(empty).problems[0]
    assert "no folder" in read_run(tmp_path / "nowhere").problems[0]
    recipe = "finetune/vit-b_ucf101"
    cut = write_run(tmp_path / "cut", recipe, training(range(1, 3), [2.0, 1.0]))
    scalars = next(cut.glob("*/vis_data/scalars.json"))
    scalars.write_text(scalars.read_text() + '{"loss": 0.5, "ep')
    problems = read_run(cut).problems
    assert any("line 3 is cut off" in problem for problem in problems)
    assert any("unfinished: 2 of 100 epochs" in problem for problem in problems)
    broken = write_run(tmp_path / "broken", recipe, training(range(1, 3), [2.0, 1.0]))
    for path in (next(broken.glob("*/vis_data/config.py")), broken / "vit-b_ucf101.py"):
        path.write_text("model = dict(")
    run = read_run(broken)
    assert run.config is None and any("is no recipe" in problem for problem in run.problems)
    assert run.loss[1] == [2.0, 1.0]
    killed = write_run(tmp_path / "killed", recipe, [])
    next(killed.glob("*/vis_data/scalars.json")).unlink()
    assert "began but logged nothing" in read_run(killed).problems[0]


def test_names_take_as_much_of_the_path_as_they_need(tmp_path: Path) -> None:
    for name in ("a/run", "b/run", "c"):
        (tmp_path / name).mkdir(parents=True)
    both = [tmp_path / "a" / "run", tmp_path / "b" / "run"]
    assert [run.name for run in read_runs([*both, both[0]])] == ["a", "b"]
    assert [run.name for run in read_runs([both[0], tmp_path / "c"])] == ["run", "c"]


def test_names_of_the_documented_layout_are_short_and_can_be_given(tmp_path: Path) -> None:
    root = tmp_path / "work_dirs"
    pairs = [(pre, fine) for pre in ("pmg/shaders", "videomae/hmdb51")
             for fine in ("finetune/vit-b_hmdb51", "finetune/vit-b_ucf101")]  # fmt: skip
    folders = [str(root / pre / fine) for pre, fine in pairs]
    names = [run.name for run in read_runs(folders)]
    assert names == ["shaders/vit-b_hmdb51", "shaders/vit-b_ucf101",
                     "hmdb51/vit-b_hmdb51", "hmdb51/vit-b_ucf101"]  # fmt: skip
    assert [run.name for run in read_runs(folders[::2])] == ["shaders", "hmdb51"]
    named = read_runs([f"real videos={folders[2]}", folders[0]])
    assert [run.name for run in named] == ["real videos", "shaders"]
    assert named[0].folder == Path(folders[2])
    odd = tmp_path / "lr=1"
    odd.mkdir()
    assert read_runs([str(odd)])[0].folder == odd
    with pytest.raises(ValueError, match="several work dirs are named a"):
        read_runs([f"a={folders[0]}", f"a={folders[1]}"])


def test_a_folder_without_a_run_is_called_that_and_scratch_has_no_pretraining(
    tmp_path: Path,
) -> None:
    scratch = finetuned(tmp_path / "scratch", "finetune/vit-b_hmdb51", None)
    pre = write_run(tmp_path / "pre", SHADERS, training(range(1, 3), [1.0, 1.0]))
    tuned = finetuned(tmp_path / "tuned", "finetune/vit-b_hmdb51", pre / "encoder.pth")
    folders = [str(tmp_path / "nowhere"), str(scratch), str(tuned)]
    _, left_out = plot_accuracy(folders, "pretraining-epochs", [], tmp_path / "a.svg")
    assert left_out == [
        f"nowhere: there is no folder {tmp_path / 'nowhere'}",
        "scratch: it was trained from scratch, so it has no pre-training",
    ]
    with pytest.raises(ValueError, match="scratch: its config does not tell.*--value scratch="):
        plot_accuracy([str(scratch)], "shots", [], tmp_path / "a.svg")


def test_differences_are_only_what_differs(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", SHADERS, training(range(1, 2), [1.0]))
    other = write_run(
        tmp_path / "other", SHADERS, training(range(1, 2), [1.0]),
        changes={"model.masker.mask_ratio": 0.9, "work_dir": "elsewhere"},
    )  # fmt: skip
    assert changed_keys(read_runs([one, other])) == {"model.masker.mask_ratio": ["0.75", "0.9"]}
    assert changed_keys(read_runs([one, one])) == {}


def test_axes_come_from_the_configs(tmp_path: Path) -> None:
    pretrainings = {
        name: write_run(tmp_path / name, f"pmg/vit-b_shaders1k{name}", training(range(1, 2), [1.0]))
        for name in ("_1k", "_10k", "_10k_500e")
    }
    recipe = "finetune/vit-b_hmdb51"
    runs = read_runs(
        [finetuned(tmp_path / f"run{name}", recipe, folder / "encoder.pth", last=k / 10)
         for k, (name, folder) in enumerate(pretrainings.items())]
    )  # fmt: skip
    assert [axis_value(run, "images") for run in runs] == [1000, 10000, 10000]
    assert [axis_value(run, "pretraining-epochs") for run in runs] == [2000, 2000, 500]
    assert [axis_value(run, "epochs") for run in runs] == [2, 2, 2]
    assert {axis_value(run, "shots") for run in runs} == {None}
    few = read_run(finetuned(tmp_path / "few", "finetune/vit-b_hmdb51_5-shot", None))
    assert axis_value(few, "shots") == 5
    series, left_out = accuracy_series([*runs, few], "images")
    # Of 500 epochs there is one, which is no point of the line of 2000.
    assert list(series.values()) == [([1000, 10000], [0, 10]), ([10000], [20])]
    assert left_out == ["few: it was trained from scratch, so it has no pre-training"]
    series, left_out = accuracy_series([*runs, few], "images", {"few": 7})
    points = [([7], [20]), ([1000, 10000], [0, 10]), ([10000], [20])]
    assert sorted(series.values()) == points
    assert left_out == []


def test_few_shots_of_one_pretraining_are_one_line(tmp_path: Path) -> None:
    folders = [
        finetuned(tmp_path / f"{k}", f"finetune/vit-b_hmdb51_{k}-shot", None, last=k / 100)
        for k in (1, 5, 25)
    ]
    series, _ = accuracy_series(read_runs(folders), "shots")
    assert series == {"finetune/vit-b_hmdb51, scratch": ([1, 5, 25], [1, 5, 25])}
    out, _ = plot_accuracy([str(folder) for folder in folders], "shots", [], tmp_path / "a.svg")
    assert out.stat().st_size > 1000
    with pytest.raises(ValueError, match="NAME=NUMBER"):
        plot_accuracy([str(folders[0])], "shots", ["1=many"], tmp_path / "a.svg")
    with pytest.raises(ValueError, match="--value names other; the runs are 1"):
        plot_accuracy([str(folders[0])], "shots", ["other=3"], tmp_path / "a.svg")
    with pytest.raises(ValueError, match="nothing to draw.*1: it was trained from scratch"):
        plot_accuracy([str(folders[0])], "images", [], tmp_path / "a.svg")
    with pytest.raises(ValueError, match=", ".join(AXES)):
        axis_value(read_run(folders[0]), "height")
