"""The recipe that a run leaves in its work dir does what the run did, without its options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from integration.tiny_runs import options_of, pretraining
from mmengine.config import Config

from mmpmg.engine.training import train
from mmpmg.evaluation.run_log import read_run
from mmpmg.visualization.model_comparison import (
    ClipChoice,
    ModelChoice,
    compare_reconstructions,
)


def losses(work_dir: Path) -> list[float]:
    """Read what was logged at every iteration, of all starts."""
    logs = sorted(work_dir.glob("*/vis_data/scalars.json"))
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.mark.slow
def test_a_run_is_repeated_drawn_and_resumed_from_what_it_left(pictures, tmp_path):
    first, again = tmp_path / "first", tmp_path / "again"
    changes = pretraining(pictures, experiment_name="first")
    train(options_of("pmg/vit-toy_photographs.py", first, changes))
    left = first / "vit-toy_photographs.py"
    beside_log = next(first.glob("*/vis_data/config.py"))
    for file in (left, beside_log):
        steps = list(Config.fromfile(file).train_dataloader.dataset.pipeline)
        assert steps.index("motion") < steps.index("pack") == len(steps) - 1

    train(options_of(str(left), again, dict(experiment_name="again")))
    assert losses(again) == losses(first) and len(losses(first)) > 1

    models = [ModelChoice("tiny", str(left), str(first / "epoch_1.pth"))]
    picture = compare_reconstructions(models, ClipChoice(num_clips=1), tmp_path / "picture.png")
    assert picture.is_file()

    resuming = options_of(str(left), again, {"experiment_name": "later", "train_cfg.max_epochs": 2})
    resuming.resume = "auto"
    train(resuming)
    assert len(losses(again)) == 2 * len(losses(first))
    for run in map(read_run, (first, again)):
        assert run.recipe == "pmg/vit-toy_photographs" and run.is_pretraining
        assert run.problems == ()
