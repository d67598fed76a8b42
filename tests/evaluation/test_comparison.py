import json

import pytest

from mmpmg.evaluation import comparison
from mmpmg.evaluation.comparison import Arm, FoldLists, compare, last_accuracy, table

ARMS = {"scratch": Arm(None, "tune"), "images": Arm("pmg", "tune"), "own": Arm("mvm", "tune", True)}
LISTS = FoldLists("fold{fold}_train.txt", "fold{fold}_test.txt")


def test_table_has_means_and_standard_errors():
    lines = table({"scratch": [10.0, 20.0], "pmg": [30.0, 50.0]}, [0, 2]).splitlines()
    assert lines[0] == "| pre-training | fold 0 | fold 2 | mean ± standard error |"
    # Standard deviations 7.07 and 14.14 over the root of two.
    assert lines[2] == "| scratch | 10.0 | 20.0 | 15.0 ± 5.0 |"
    assert lines[3] == "| pmg | 30.0 | 50.0 | 40.0 ± 10.0 |"


def test_accuracy_is_the_last_one_not_the_best(tmp_path):
    folder = tmp_path / "20260101_000000" / "vis_data"
    folder.mkdir(parents=True)
    rows = [{"loss": 2.0}, {"acc/top1": 0.9, "step": 5}, {"acc/top1": 0.25, "step": 10}]
    (folder / "scalars.json").write_text("\n".join(json.dumps(row) for row in rows))
    assert last_accuracy(tmp_path) == 25
    with pytest.raises(FileNotFoundError, match="no accuracy"):
        last_accuracy(tmp_path / "empty")


@pytest.fixture
def trained(monkeypatch):
    """What would have been trained: recipe, folder and options of each run, in order."""
    runs = []

    def train(recipe, run, *options):
        runs.append((recipe, run.name, set(options)))
        (run / "1/vis_data").mkdir(parents=True)
        (run / "1/vis_data/scalars.json").write_text(json.dumps({"acc/top1": len(runs) / 100}))
        if "--resume" in options:
            (run / "encoder.pth").touch()

    monkeypatch.setattr(comparison, "_train", train)
    return runs


def test_images_are_pretrained_on_once_and_a_folds_own_videos_in_each_fold(trained, tmp_path):
    compare(ARMS, [0, 1], LISTS, tmp_path)
    assert [run for recipe, run, _ in trained if recipe != "tune"] == [
        "pretrain_images", "pretrain_own_fold0", "pretrain_own_fold1",
    ]  # fmt: skip
    options = {run: given for _, run, given in trained}
    assert "train_dataloader.dataset.ann_file=fold1_train.txt" in options["pretrain_own_fold1"]
    assert f"load_from={tmp_path}/pretrain_own_fold1/encoder.pth" in options["own_fold1"]
    assert f"load_from={tmp_path}/pretrain_images/encoder.pth" in options["images_fold1"]
    assert not [given for given in options["scratch_fold0"] if given.startswith("load_from")]
    for name in ("scratch_fold1", "images_fold1", "own_fold1"):
        assert "train_dataloader.dataset.ann_file=fold1_train.txt" in options[name]
        assert "val_dataloader.dataset.ann_file=fold1_test.txt" in options[name]


def test_what_is_finished_is_not_run_again(trained, tmp_path):
    first = compare(ARMS, [0], LISTS, tmp_path)
    runs = len(trained)
    assert compare(ARMS, [0], LISTS, tmp_path) == first
    assert len(trained) == runs == 5


def test_another_protocol_takes_its_own_labels_and_the_same_pretraining(trained, tmp_path):
    compare(ARMS, [0], LISTS, tmp_path)
    few = LISTS._replace(labelled="few{fold}.txt")
    probed = {name: arm._replace(recognize="probe") for name, arm in ARMS.items()}
    before = len(trained)
    compare(probed, [0], few, tmp_path, "2-shot")
    assert [(recipe, run) for recipe, run, _ in trained[before:]] == [
        ("probe", f"{name}_2-shot_fold0") for name in ARMS
    ]
    assert "train_dataloader.dataset.ann_file=few0.txt" in trained[-1][2]
    assert "val_dataloader.dataset.ann_file=fold0_test.txt" in trained[-1][2]


@pytest.mark.parametrize(
    ("end", "told"),
    [("sys.exit('error: no list')", r"^tune: no list$"), ("1 / 0", r"(?s)^tune failed.*ZeroDiv")],
)
def test_a_run_that_is_refused_says_so_in_a_line(tmp_path, monkeypatch, end, told):
    (tmp_path / "train.py").write_text(f"import sys\nprint('begun', flush=True)\n{end}\n")
    monkeypatch.setattr(comparison, "TOOLS", tmp_path)
    with pytest.raises(RuntimeError, match=told):
        compare({"scratch": ARMS["scratch"]}, [0], LISTS, tmp_path / "out")
