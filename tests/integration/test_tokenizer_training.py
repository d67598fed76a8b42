"""A tokenizer is trained, resumed, and read again as a target: by the tools, from their files."""

import re

import pytest
import torch
from integration.forked_tools import fork_tool
from integration.tiny_runs import SHORT
from mmengine.registry import init_default_scope

from mmpmg.models.targets import CodebookTarget

RECIPE = "tokenizer/vqvae3d_toy_photographs.py"
SIZES = dict(num_codes=64, code_dim=8, channels=8, layers=1)


def changes(images):
    pipeline = "train_dataloader.dataset.pipeline"
    schedule = {key: value for key, value in SHORT.items() if "param_scheduler" not in key}
    return {
        **schedule,
        **{f"model.{key}": value for key, value in SIZES.items()},
        "train_dataloader.dataset.images.root": f"'{images}'",
        f"{pipeline}.crop.input_size": 32,
        f"{pipeline}.resize.scale": (32, 32),
        "model.restart_below": 6.0,  # of 8 vectors for each code
        "train_cfg.max_epochs": 3,
    }


@pytest.mark.slow
def test_a_resumed_tokenizer_is_that_of_a_run_that_was_not_stopped(pictures, tmp_path):
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    first = fork_tool("train.py", RECIPE, "--work-dir", whole, changes=changes(pictures))
    assert first.status == 0, first.output[-3000:]
    for line in first.iterations:
        assert re.search(r"psnr: \d+\.\d+ +codebook_usage: [01]\.\d+ +codebook_perplexity", line)

    again = fork_tool(
        "train.py", RECIPE, "--work-dir", resumed, "--resume", whole / "epoch_1.pth",
        changes=changes(pictures),
    )  # fmt: skip
    assert again.status == 0, again.output[-3000:]
    states = [
        torch.load(folder / "epoch_3.pth", weights_only=False)["state_dict"]
        for folder in (whole, resumed)
    ]
    assert states[0]["codebook.N"].eq(6).any(), "codes were restarted"
    for key, value in states[0].items():
        assert value.equal(states[1][key]), key

    init_default_scope("mmaction")
    target = CodebookTarget(
        (2, 8, 8), dict(type="VQVAE3D", **SIZES), checkpoint=str(whole / "epoch_3.pth")
    )
    assert target.tokenizer.codebook.embeddings.equal(states[0]["codebook.embeddings"])
