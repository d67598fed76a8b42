"""A recipe takes a default hook out by setting it to None, whosever hook it is."""

import argparse
from pathlib import Path

import pytest

from mmpmg.engine.launch import build_runner, load_recipe

CONFIGS = Path(__file__).parents[2] / "configs"
TARGET = "model.branches.token.head.target"
UNTRAINED = {f"{TARGET}.checkpoint": None, f"{TARGET}.random": True}


@pytest.mark.parametrize(
    ("recipe", "model", "ours", "hook"),
    [
        ("demvm/swin-toy_photographs.py", UNTRAINED, "masking_ratio", "MaskingRatioHook"),
        ("vos/vit-toy_davis-mini.py", {}, "pictures", "SegmentationPictureHook"),
    ],
)
def test_a_hook_that_is_none_is_left_out(recipe, model, ours, hook, tmp_path):
    def hooks(**changes):
        options = argparse.Namespace(
            config=str(CONFIGS / recipe), work_dir=str(tmp_path / str(len(changes))),
            launcher="none", local_rank=0,
            cfg_options={**model, **{f"default_hooks.{k}": v for k, v in changes.items()}},
        )  # fmt: skip
        config = load_recipe(options)
        config.experiment_name = f"{ours}_{len(changes)}"
        return {type(hook).__name__ for hook in build_runner(config).hooks}

    everything = hooks()
    assert {hook, "IterTimerHook"} <= everything
    assert hooks(**{ours: None}) == everything - {hook}
    assert hooks(**{ours: None, "timer": None}) == everything - {hook, "IterTimerHook"}
