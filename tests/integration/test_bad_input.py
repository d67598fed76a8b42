"""What a user sees when input is bad: an exit status, a last line, or one line in the log."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from integration.forked_tools import fork_tool
from integration.tiny_runs import options_of, pretraining, refusal, run_tool, write_images
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from mmpmg.engine.optim_wrapper import NonFiniteLossError
from mmpmg.engine.training import train

RECIPE = "pmg/vit-toy_photographs.py"
PIPELINE = "train_dataloader.dataset.pipeline"
ROOT_KEY = "train_dataloader.dataset.images.root"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({ROOT_KEY: "no/such folder"}, ["no/such folder does not exist", "images.root"]),
        ({ROOT_KEY: "EMPTY"}, ["empty folder", "images.root", ".jpg"]),
        ({"model.masker.mask_ratio": 0}, ["mask_ratio 0 ", "(0, 1)", "model.masker.mask_ratio"]),
        ({"model.masker.mask_ratio": 1}, ["mask_ratio 1 ", "(0, 1)", "model.masker.mask_ratio"]),
        ({"model.masker.mask_ratio": 0.01}, ["masks 0 of the 16", "model.masker.mask_ratio"]),
        ({"model.backbone.num_frames": 15, f"{PIPELINE}.motion.num_frames": 15},
         ["15", "tubelet_size=2", "14 or 16", "model.backbone"]),
        ({f"{PIPELINE}.motion.num_frames": 15}, ["15", "14 or 16", "pipeline"]),
        ({f"{PIPELINE}.motion.num_frames": 6}, ["(6, 32, 32)", "(4, 32, 32)", "num_frames"]),
        ({"model.backbone.img_size": 60, "model.backbone.patch_size": 16},
         ["60", "patch_size=16", "48 or 64", "model.backbone.patch_size"]),
        ({f"{PIPELINE}.resize.scale": "(60,60)"}, ["60", "56 or 64", "pipeline"]),
        ({"model.masker.mask_rate": 0.5},
         ["model.masker.mask_rate", "TubeMasker", "did you mean 'mask_ratio'?"]),
        ({f"{PIPELINE}.motion.num_frame": 4},
         [f"{PIPELINE}.motion.num_frame", "did you mean 'num_frames'?"]),
        ({"train_dataloader.num_worker": 1}, ["did you mean 'num_workers'?"]),
        ({"optim_wrapper.optimizer.lrr": 1}, ["optim_wrapper.optimizer.lrr", "AdamW"]),
        ({"modl.masker.mask_ratio": 0.5}, ["modl", "did you mean 'model'?"]),
        ({f"{PIPELINE}.mption.num_frames": 4}, ["mption", "did you mean 'motion'?"]),
        ({"train_cfg.max_epochs": 1, "param_scheduler.1.begin": 50},
         ["4 iterations", "train_cfg.max_epochs", "param_scheduler.1.begin"]),
        ({"load_from": "no/encoder.pth"}, ["no/encoder.pth", "load_from"]),
    ],
    ids=lambda value: " ".join(f"{k.split('.')[-1]}={v}" for k, v in value.items())
    if isinstance(value, dict) else "",
)  # fmt: skip
def test_training_does_not_begin_and_the_last_line_says_why(
    changes, words, pictures, tmp_path, monkeypatch
):
    (tmp_path / "empty folder").mkdir()
    if changes.get(ROOT_KEY) == "EMPTY":
        changes = {ROOT_KEY: tmp_path / "empty folder"}
    options = {**pretraining(pictures), **changes}
    last = refusal(RECIPE, options, tmp_path / re.sub(r"\W", "_", str(changes))[-60:], monkeypatch)
    assert not [word for word in words if word not in last], last


def test_a_refusal_is_an_exit_status_for_a_shell(tmp_path):
    run = run_tool(
        "train.py", RECIPE, "--work-dir", tmp_path, changes={ROOT_KEY: tmp_path / "not here"}
    )
    assert run.status == 1
    assert run.last_line.startswith("error: The image folder")
    assert "Traceback" not in run.output
    assert "not here does not exist" in run.last_line
    assert not run.iterations


def corrupt(files: list[Path], bad: range) -> None:
    """Cut files short in the middle of their pixels."""
    for number in bad:
        data = files[number].read_bytes()
        files[number].write_bytes(data[: len(data) // 2])


def test_one_corrupt_file_in_a_hundred_is_named_once_and_training_goes_on(tmp_path):
    files = write_images(tmp_path / "images", 100)
    corrupt(files, range(40, 41))
    changes = pretraining(tmp_path / "images", **{"train_cfg.max_epochs": 2})
    changes |= {
        "train_dataloader.num_workers": 1,
        # A new worker in each epoch: MMEngine's logger drops what one process repeats.
        "train_dataloader.persistent_workers": False,
        "train_dataloader.batch_size": 20,
    }
    run = fork_tool("train.py", RECIPE, "--work-dir", tmp_path / "run", changes=changes)
    assert run.status == 0, run.output[-3000:]
    assert len(run.iterations) == 10
    assert run.output.count(files[40].name) == 1
    (line,) = [line for line in run.output.splitlines() if files[40].name in line]
    assert "WARNING" in line and "Bad image skipped" in line
    (log,) = (tmp_path / "run").glob("*/*.log")
    assert log.read_text().count("Bad image skipped") == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_a_fifth_of_corrupt_files_stops_the_run_and_says_what_to_do(workers, tmp_path):
    files = write_images(tmp_path / "images", 50)
    corrupt(files, range(0, 50, 5))
    changes = pretraining(tmp_path / "images")
    changes["train_dataloader.num_workers"] = workers
    run = fork_tool("train.py", RECIPE, "--work-dir", tmp_path / "run", changes=changes)
    assert run.status == 1
    assert run.last_line.startswith("error: ") and "Traceback" not in run.output
    # Two workers may meet the third and the fourth at the same moment.
    assert re.search(r"[34] of the \d+ images tried", run.last_line)
    for words in ("dataset.max_bad_share=0.01", "Mend the files", ".png"):
        assert words in run.last_line, run.last_line
    assert not list((tmp_path / "run").glob("*.pth"))


@HOOKS.register_module()
class PoisonOneStep(Hook):
    """Makes one weight NaN for the length of iteration 2, and notes what was in that batch."""

    priority = "VERY_HIGH"
    names: list[str] = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.iter == 2:
            type(self).names = [s.metainfo["filename"] for s in data_batch["data_samples"]]
            self.weight = next(runner.model.backbone.parameters()).data
            self.value = self.weight.flatten()[0].clone()
            self.weight.view(-1)[0] = torch.nan

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 2:
            self.weight.view(-1)[0] = self.value


def poisoned(pictures: Path, work_dir: Path, reaction: str) -> None:
    changes = pretraining(pictures, **{"optim_wrapper.nonfinite_loss": reaction})
    changes["custom_hooks"] = [dict(type="PoisonOneStep")]
    changes["experiment_name"] = f"poisoned-{work_dir.name}"
    train(options_of(RECIPE, work_dir, changes))


def test_a_loss_that_is_nan_stops_the_run_before_its_step(pictures, tmp_path):
    with pytest.raises(NonFiniteLossError) as error:
        poisoned(pictures, tmp_path / "stop", "stop")
    message = str(error.value)
    assert "loss nan at iteration 2" in message
    assert len(PoisonOneStep.names) == 4
    assert all(name in message for name in PoisonOneStep.names)
    assert "optim_wrapper.nonfinite_loss" in message and "another rank" not in message
    assert not list((tmp_path / "stop").glob("*.pth"))


def test_a_step_on_nan_is_skipped_by_a_key_and_named_in_the_log(pictures, tmp_path):
    poisoned(pictures, tmp_path / "skip", "skip")
    (log,) = (tmp_path / "skip").glob("*/*.log")
    warnings = [line for line in log.read_text().splitlines() if "step skipped" in line]
    assert len(warnings) == 1
    assert "iteration 2" in warnings[0]
    assert all(name in warnings[0] for name in PoisonOneStep.names)
    state = torch.load(tmp_path / "skip/epoch_1.pth", weights_only=False)
    assert state["meta"]["iter"] == 4
    assert all(value.isfinite().all() for value in state["state_dict"].values())
    # 4 batches, one without a step.
    steps = {int(moment["step"]) for moment in state["optimizer"]["state"].values()}
    assert steps == {3}


def test_a_learning_rate_that_breaks_the_model_ends_with_the_iteration(pictures, tmp_path):
    changes = pretraining(pictures, **{"optim_wrapper.optimizer.lr": 1e30})
    changes["experiment_name"] = "exploding"
    with pytest.raises(NonFiniteLossError, match=r"at iteration [12]; .*picture \d+\.png.*lower"):
        train(options_of(RECIPE, tmp_path, changes))
