"""Lines of charts join runs whose pre-trainings differ in the axis alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evaluation.work_dirs import training, validation, write_run

from mmpmg.evaluation.accuracy_axes import accuracy_series
from mmpmg.evaluation.run_log import Curve, read_runs

TUNING = "finetune/vit-b_hmdb51"


def series(
    root: Path, axis: str, pretrainings: list[tuple[str, dict[str, Any]]]
) -> dict[str, Curve]:
    """Fine-tune after each of these (recipe, changes): run k has k percent."""
    folders = []
    for k, (recipe, changes) in enumerate(pretrainings):
        pre = write_run(
            root / f"pre{k}", recipe, training(range(1, 3), [2.0, 1.0]), changes=changes
        )
        records = training(range(1, 3), [2.0, 1.0]) + validation({2: k / 100})
        encoder = {"load_from": str(pre / "encoder.pth")}
        folders.append(write_run(root / f"run{k}", TUNING, records, changes=encoder))
    return accuracy_series(read_runs(folders), axis)[0]


def test_motions_are_lines_of_their_own_over_epochs(tmp_path: Path) -> None:
    frames = "pmg/vit-b_hmdb51-frames"
    recipes = [frames, f"{frames}_500e", f"{frames}_fade", f"{frames}_videomix"]
    drawn = series(tmp_path, "pretraining-epochs", [(recipe, {}) for recipe in recipes])
    assert drawn == {
        f"{TUNING}, {frames}": ([2000, 500], [0, 1]),
        f"{TUNING}, {frames}_fade": ([2000], [2]),
        f"{TUNING}, {frames}_videomix": ([2000], [3]),
    }


def test_the_axis_may_be_changed_on_the_command_line_and_nothing_else(tmp_path: Path) -> None:
    shaders = "pmg/vit-b_shaders1k"
    drawn = series(
        tmp_path,
        "images",
        [
            (shaders, {}),
            (f"{shaders}_1gpu", {"train_dataloader.dataset.num_images": 5}),
            (f"{shaders}_10k", {"train_dataloader.num_workers": 1, "randomness": dict(seed=9)}),
            (f"{shaders}_10k_500e", {}),
            (shaders, {"model.masker.mask_ratio": 0.9}),
        ],
    )
    assert drawn == {
        f"{TUNING}, {shaders}": ([100_000, 5, 10_000], [0, 1, 2]),
        f"{TUNING}, {shaders}_500e": ([10_000], [3]),
        f"{TUNING}, {shaders}, model.masker.mask_ratio=0.9": ([100_000], [4]),
    }


def test_recipes_that_are_not_ours_are_told_apart_by_their_configs(tmp_path: Path) -> None:
    """And long changes of ours by more than what a legend has room for."""
    shaders = "pmg/vit-b_shaders1k"
    first = series(tmp_path / "a", "pretraining-epochs", [(shaders, {})])
    assert list(first.values()) == [([2000], [0])]
    root = "/a/folder/whose/name/is/longer/than/any/legend/has/room/for/"
    where = "train_dataloader.dataset.images.root"
    drawn = series(
        tmp_path / "b", "pretraining-epochs", [(shaders, {where: root + k}) for k in "xyx"]
    )
    assert list(drawn.values()) == [([2000, 2000], [0, 2]), ([2000], [1])]
    folders = sorted((tmp_path / "b").glob("run*"))
    for pre in (tmp_path / "b").glob("pre*"):
        (pre / "vit-b_shaders1k.py").rename(pre / "theirs.py")
    drawn = accuracy_series(read_runs(folders), "pretraining-epochs")[0]
    assert drawn == {
        f"{TUNING}, theirs": ([2000, 2000], [0, 2]),
        f"{TUNING}, theirs (2)": ([2000], [1]),
    }


def test_runs_on_other_lists_are_joined_over_shots_and_not_over_epochs(tmp_path: Path) -> None:
    key = "train_dataloader.dataset.ann_file"
    folders = []
    for shots, epochs in ((1, 200), (5, 60)):
        few = tmp_path / f"{shots}-shot_seed0.txt"
        few.write_text(
            "".join(f"{label}_{k}.mp4 {label}\n" for label in "01" for k in range(shots))
        )
        changes = {key: str(few), "train_cfg.max_epochs": epochs}
        records = training(range(1, epochs + 1), [1.0] * epochs) + validation({epochs: shots / 100})
        folders.append(write_run(tmp_path / f"{shots}-shot", TUNING, records, changes=changes))
    runs = read_runs(folders)
    line = f"{TUNING}, scratch"
    assert accuracy_series(runs, "shots")[0] == {line: ([1, 5], [1, 5])}
    assert accuracy_series(runs, "epochs")[0] == {
        f"{TUNING} on 1-shot_seed0, scratch": ([200], [1]),
        f"{TUNING} on 5-shot_seed0, scratch": ([60], [5]),
    }
