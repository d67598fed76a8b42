"""Two real processes on a CPU."""

import copy
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from integration.forked_tools import call_in_two
from torch import distributed

ROOT = Path(__file__).parent.parent.parent
RECIPE = ROOT / "configs/pmg/vit-toy_generated_smoke.py"
PORT = 29000 + os.getpid() % 900


def build():
    """The smoke recipe's model and four real samples; no mixing, which looks at the batch."""
    from mmaction.registry import DATASETS, MODELS
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    import mmpmg  # noqa: F401

    init_default_scope("mmaction")
    config = Config.fromfile(str(RECIPE))
    config.model.data_preprocessor.blending = None
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    dataset = DATASETS.build(config.train_dataloader.dataset)
    dataset.seed_sample.bind(run_seed=0, stream=0)
    return model, [dataset[i] for i in range(4)]


def gradients(model, samples):
    data = dict(
        inputs=[s["inputs"] for s in samples], data_samples=[s["data_samples"] for s in samples]
    )
    module = getattr(model, "module", model)
    data = module.data_preprocessor(copy.deepcopy(data), training=True)
    loss = model(**data, mode="loss")["loss_pixel"]
    loss.backward()
    return {name: p.grad.clone() for name, p in module.named_parameters()}


def worker(rank, port, out):
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2
    )
    from mmengine.model import MMDistributedDataParallel

    model, samples = build()
    wrapped = MMDistributedDataParallel(model, device_ids=None)
    # Interleaved, as a distributed sampler deals them out.
    grads = gradients(wrapped, samples[rank::2])
    if rank == 0:
        torch.save(grads, out)
    distributed.destroy_process_group()


def test_gradients_of_two_processes_equal_those_of_one(tmp_path):
    out = tmp_path / "grads.pth"
    call_in_two(worker, PORT, str(out))
    both = torch.load(out, weights_only=True)
    one = gradients(*build())
    assert both.keys() == one.keys()
    for name, grad in one.items():
        torch.testing.assert_close(both[name], grad, rtol=1e-4, atol=1e-6, msg=name)


@pytest.mark.slow
def test_dist_train_runs_the_smoke_recipe_with_two_processes(tmp_path):
    environment = dict(os.environ, PORT=str(PORT + 1), OMP_NUM_THREADS="1", PYTHON=sys.executable)
    run = subprocess.run(
        [
            str(ROOT / "tools/dist_train.sh"), str(RECIPE), "2",
            "--work-dir", str(tmp_path / "run"),
        ],
        env=environment, capture_output=True, text=True, timeout=600, cwd=ROOT,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    # 64 clips, 8 a process: 4 iterations.
    assert re.search(r"Epoch\(train\) +\[1\]\[4/4\]", run.stdout + run.stderr)
    checkpoint = torch.load(tmp_path / "run/epoch_2.pth", weights_only=False)
    assert checkpoint["meta"]["iter"] == 8
    assert all(value.isfinite().all() for value in checkpoint["state_dict"].values())


@pytest.mark.slow
def test_what_two_processes_refuse_is_told_once(tmp_path):
    recipe = ROOT / "configs/pmg/vit-toy_photographs.py"
    environment = dict(os.environ, PORT=str(PORT + 2), OMP_NUM_THREADS="1", PYTHON=sys.executable)
    run = subprocess.run(
        [
            str(ROOT / "tools/dist_train.sh"), str(recipe), "2",
            "--work-dir", str(tmp_path / "run"), "--cfg-options",
            f"train_dataloader.dataset.images.root={tmp_path / 'absent'}",
        ],
        env=environment, capture_output=True, text=True, timeout=600, cwd=ROOT,
    )  # fmt: skip
    assert run.returncode == 1
    assert run.stderr.count(f"The image folder {tmp_path / 'absent'} does not exist") == 1
    assert 'tools/train.py", line' not in run.stderr  # torchrun's own frames are not ours to hide
