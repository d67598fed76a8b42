"""FSDP in two real processes on a CPU, from the recipe to the exported encoder."""

import re
import shutil

import pytest
import torch
from integration.forked_tools import fork_tool, fork_train_in_two
from integration.tiny_runs import pretraining

from mmpmg.engine import ShardedStrategy


def train(recipe, folder, pictures, *more, changes=None):
    """Two epochs of two steps in two processes, with two batches to a step."""
    options = pretraining(pictures, **{
        "train_cfg.max_epochs": 2,
        "train_dataloader.dataset.num_images": 16,
        "train_dataloader.batch_size": 2,
        "train_dataloader.pin_memory": False,
        "param_scheduler.0.end": 1,
        "param_scheduler.1.begin": 1,
        "model.backbone.depth": 2,
        "model.branches.pixel.neck.num_heads": 2,
        "optim_wrapper.accumulative_counts": 2,
        "optim_wrapper.clip_grad.max_norm": 0.02,
        "optim_wrapper.optimizer.weight_decay": 5.0,
    })  # fmt: skip
    done = fork_train_in_two(
        f"pmg/{recipe}", "--work-dir", folder, *more, changes={**options, **(changes or {})}
    )
    assert done.status == 0, done.output[-4000:]
    return done.output


def weights(file):
    return torch.load(file, weights_only=False, map_location="cpu")["state_dict"]


@pytest.mark.slow
def test_sharded_run_equals_the_replicated_one_and_resumes(tmp_path, pictures):
    sharded = tmp_path / "sharded"
    log = train("vit-h_shaders1k_fsdp.py", sharded, pictures)
    plain_log = train("vit-h_shaders1k.py", tmp_path / "replicated", pictures)
    norms, plain_norms = (
        [float(text) for text in re.findall(r"grad_norm: (\S+)", lines)]
        for lines in (log, plain_log)
    )
    held, total = (int(n) for n in re.search(r"holds (\d+) of (\d+) weights", log).groups())
    assert 0.45 * total < held < 0.55 * total, "a process of two holds more or less than its half"
    assert len(norms) >= 4, "nothing was clipped"
    assert norms == pytest.approx(plain_norms, rel=0.02), "clipped by a part of the gradient"
    ours, plain = (weights(folder / "epoch_2.pth") for folder in (sharded, tmp_path / "replicated"))
    assert list(ours) == list(plain), "a checkpoint that an unsharded run cannot read"
    for name, value in plain.items():
        torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5, msg=name)
    first = weights(sharded / "epoch_1.pth")
    assert any((ours[name] - first[name]).abs().max() > 1e-4 for name in ours)

    exported = torch.load(sharded / "encoder.pth", weights_only=True)["state_dict"]
    assert exported["backbone.blocks.1.attn.proj.weight"].equal(
        ours["backbone.blocks.1.attn.proj.weight"]
    )
    resumed = tmp_path / "resumed"
    resumed.mkdir()
    shutil.copy(sharded / "epoch_1.pth", resumed)
    (resumed / "last_checkpoint").write_text(str(resumed / "epoch_1.pth"))
    again = train(
        "vit-h_shaders1k_fsdp.py", resumed, pictures, "--resume",
        changes={"default_hooks.reconstruction.type": "ReconstructionHook"},
    )  # fmt: skip
    rates, same = (
        re.findall(r"Epoch\(train\)\s+\[2\].*?(base_lr: \S+\s+lr: \S+)", text)
        for text in (log, again)
    )
    assert rates and rates == same
    assert [path.name for path in (resumed / "reconstructions").iterdir()] == ["epoch_2.png"]
    for name, value in weights(resumed / "epoch_2.pth").items():
        assert value.equal(ours[name]), name


@pytest.mark.parametrize(
    ("strategy", "wrapper", "told"),
    [
        (dict(cpu_offload=True), dict(accumulative_counts=2), "accumulative_counts=1 or strategy"),
        ({}, dict(clip_grad=dict(max_norm=1.0, foreach=True)), r"clip_grad\.foreach"),
    ],
)
def test_what_sharding_cannot_do_is_refused_at_the_start(strategy, wrapper, told):
    made = object.__new__(ShardedStrategy)  # without the processes that a whole one starts
    made.cpu_offload = strategy.get("cpu_offload", False)
    with pytest.raises(ValueError, match=told):
        made.prepare(torch.nn.Linear(2, 2), optim_wrapper=wrapper)


def test_without_a_launcher_it_says_what_to_type(tmp_path):
    run = fork_tool("train.py", "pmg/vit-h_shaders1k_fsdp.py", "--work-dir", tmp_path)
    assert run.status != 0
    assert "needs a launcher" in run.last_line and "tools/dist_train.sh" in run.last_line
