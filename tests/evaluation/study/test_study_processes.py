"""Whole studies of stub size as real processes that are really killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from stub_study import nested_ops, results, write_study

from mmpmg.evaluation.study.cells import Cell, grid, read_json, read_status
from mmpmg.evaluation.study.command import LEFT, StudyOptions, study
from mmpmg.evaluation.study.declaration import read_study

pytestmark = pytest.mark.slow
FORK = multiprocessing.get_context("fork")  # without seconds of imports
LONG = 600
EPOCHS = 14


def _call(options: StudyOptions, log: Path) -> None:
    os.setsid()
    sys.stdout = sys.stderr = log.open("a")  # not the one that pytest looks at
    os._exit(study(options))


def started(file: Path, out: Path, log: Path, **options) -> multiprocessing.Process:
    """Start a call of tools/study.py in a process of its own."""
    asked = StudyOptions(str(file), out=out, save_every=0.0, **options)
    process = FORK.Process(target=_call, args=(asked, log))
    process.start()
    return process


def wait(condition: Callable[[], object], process: multiprocessing.Process, log: Path) -> None:
    began = time.monotonic()
    while not condition():
        assert process.is_alive(), log.read_text()
        assert time.monotonic() - began < LONG, log.read_text()
        time.sleep(0.01)


def kill(process: multiprocessing.Process) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.join()


def cells_of(file: Path, out: Path) -> list[Cell]:
    declared = read_study(file)
    return grid(declared, declared.size("stub"), out)


@pytest.fixture(scope="module")
def declared(tmp_path_factory):
    """Zoom, one arm from scratch, and one whose learning rate is absurd."""
    broken = {"change": {"optim_wrapper": {"optimizer": {"lr": 1.0e9}}}}
    arms = {
        "scratch": {"pretrain": "none"},
        "Zoom": {
            "change": nested_ops(zoom="ZoomInOut"),
            "finetune_change": {"train_cfg": {"max_epochs": EPOCHS}},
        },
        "Broken": broken,
    }
    file = write_study(tmp_path_factory.mktemp("stub"), arms=arms)
    content = yaml.safe_load(file.read_text())
    content["sizes"]["stub"]["clips"] = [12 * EPOCHS]
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    return file


@pytest.fixture(scope="module")
def undisturbed(declared, tmp_path_factory):
    """Two processes on one study, of which nobody kills any."""
    out = tmp_path_factory.mktemp("whole")
    logs = [out / "one.log", out / "two.log"]
    both = [started(declared, out, log, parallel=1) for log in logs]
    for process in both:
        process.join(LONG)
    return out, logs, [process.exitcode for process in both]


def test_two_processes_share_a_study_and_a_broken_cell_is_told(declared, undisturbed):
    out, logs, codes = undisturbed
    said = "".join(log.read_text() for log in logs)
    # Some cells have failed; one of the two may have ended while the other's last cell ran.
    assert 1 in codes and {*codes} <= {1, LEFT}, said
    cells = {(cell.arm, cell.kind): cell for cell in cells_of(declared, out)}
    states = {key: read_status(cell).state for key, cell in cells.items()}
    assert states == {
        ("scratch", "finetune"): "done",
        ("Zoom", "pretrain"): "done",
        ("Zoom", "finetune"): "done",
        ("Broken", "pretrain"): "failed",
        ("Broken", "finetune"): "failed",
    }
    for key, cell in cells.items():
        starts = len(list(cell.run.glob("2*")))
        assert starts == (key != ("Broken", "finetune")), f"{key} was started {starts} times"
        assert not (cell.folder / "claim").exists() and not (cell.folder / "training.lock").exists()
    why = read_status(cells["Broken", "pretrain"]).error
    assert "NonFiniteLossError" in why and "\n" not in why
    assert f"Broken, {12 * EPOCHS} clips, seed 0, pretrain: FAILED: NonFiniteLossError" in said
    assert read_status(cells["Broken", "finetune"]).error.startswith("its pre-training failed: Non")
    facts = read_json(cells["Zoom", "pretrain"].folder / "result.json")
    assert (facts["clips"], facts["updates"]) == (12 * EPOCHS, 3 * EPOCHS)
    command = (cells["Zoom", "pretrain"].folder / "command.sh").read_text()
    assert "OMP_NUM_THREADS=1" in command and "cell_process" in command


def test_a_study_killed_three_times_gives_the_same_results(declared, undisturbed, tmp_path):
    log, arms = tmp_path / "log", ["Zoom"]
    pretrain, finetune = (c for c in cells_of(declared, tmp_path) if c.arm == "Zoom")

    for cell in (pretrain, finetune):
        process = started(declared, tmp_path, log, parallel=1, arms=arms)

        def is_under_way(cell=cell):
            return 2 <= (read_json(cell.folder / "state.json") or {}).get("epoch", 0) < EPOCHS

        wait(is_under_way, process, log)
        kill(process)
        assert not (cell.folder / "result.json").exists(), "killed too late to prove anything"
        assert list(cell.run.glob("epoch_*.pth"))
    process = started(declared, tmp_path, log, parallel=1, arms=arms)
    time.sleep(random.uniform(0, 5))
    kill(process)

    process = started(declared, tmp_path, log, parallel=1, arms=arms)
    process.join(LONG)
    assert process.exitcode == 0, log.read_text()
    assert log.read_text().count("goes on after epoch") >= 2
    whole = {name: r for name, r in results(undisturbed[0]).items() if "/Zoom/" in name}
    assert json.dumps(results(tmp_path), indent=1) == json.dumps(whole, indent=1)
