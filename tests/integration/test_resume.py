"""A run that was killed and resumed ends in the weights of one that was not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parent.parent.parent
RECIPE = ROOT / "configs/pmg/vit-toy_generated_smoke.py"
EPOCHS = 3


def command(work_dir, *options):
    return [
        sys.executable, str(ROOT / "tools/train.py"), str(RECIPE), "--work-dir", str(work_dir),
        *options, "--cfg-options", f"train_cfg.max_epochs={EPOCHS}",
        # draws from the global generators, which no checkpoint holds
        "model.backbone.drop_path_rate=0.2",
    ]  # fmt: skip


ENVIRONMENT = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(ROOT))


@pytest.mark.slow
def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    whole = subprocess.run(
        command(tmp_path / "whole"), env=ENVIRONMENT, capture_output=True, text=True, timeout=600
    )
    assert whole.returncode == 0, whole.stderr[-3000:]

    broken = tmp_path / "broken"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command(broken), env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True
        )
        deadline = time.time() + 300
        while not (broken / "epoch_1.pth").exists() and time.time() < deadline:
            assert process.poll() is None, (tmp_path / "log").read_text()[-3000:]
            time.sleep(0.05)
        time.sleep(0.5)  # somewhere in the second epoch
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (broken / f"epoch_{EPOCHS}.pth").exists(), "killed too late to prove anything"

    resumed = subprocess.run(
        command(broken, "--resume"), env=ENVIRONMENT, capture_output=True, text=True, timeout=600
    )
    assert resumed.returncode == 0, resumed.stderr[-3000:]
    states = [
        torch.load(folder / f"epoch_{EPOCHS}.pth", weights_only=False)
        for folder in (tmp_path / "whole", broken)
    ]
    for key, value in states[0]["state_dict"].items():
        assert torch.equal(value, states[1]["state_dict"][key]), key
    moments = [state["optimizer"]["state"] for state in states]
    for index, moment in moments[0].items():
        assert torch.equal(moment["exp_avg_sq"], moments[1][index]["exp_avg_sq"])
