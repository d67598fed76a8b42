"""A cell's process as the study sees it: what it is given, and that it ends with all it started."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mmpmg.evaluation.study import child as module
from mmpmg.evaluation.study.cells import FINETUNE, PRETRAIN, Cell
from mmpmg.evaluation.study.child import Child
from mmpmg.evaluation.study.claims import Claim


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def program(monkeypatch, tmp_path):
    """Stands in for Python: notes how it was called, starts a worker, and ignores SIGTERM."""
    file = tmp_path / "program.sh"
    file.write_text(
        f"#!/bin/bash\ntrap '' TERM\nsleep 100 & echo $! > {tmp_path}/worker.part\n"
        f"env > {tmp_path}/env\necho 'last words'\n"
        f'echo "$@" > {tmp_path}/called\nmv {tmp_path}/worker.part {tmp_path}/worker\nwait\n'
    )
    file.chmod(0o755)
    monkeypatch.setattr(module.sys, "executable", str(file))


def test_a_child_ends_with_its_workers(program, tmp_path):
    cell = Cell("s", "cpu", PRETRAIN, "a", 9, 0, None, tmp_path / "my cell")
    child = Child(cell, Claim.take(cell.folder), 2, 1e12, 20.0)
    began = time.monotonic()
    while not (tmp_path / "worker").exists():
        assert time.monotonic() - began < 60
        time.sleep(0.02)
    worker = int((tmp_path / "worker").read_text())
    assert os.getpgid(child.process.pid) == child.process.pid != os.getpgid(0)
    assert alive(worker) and alive(child.process.pid)
    child.end()
    assert child.process.returncode == -9
    while alive(worker):  # it was killed; on busy cores it goes a moment later
        assert time.monotonic() - began < 60
        time.sleep(0.02)
    assert child.last_words() == "last words"

    called = (tmp_path / "called").read_text()
    assert f"{cell.folder} --kind pretrain --threads 2 --clips 9" in called
    assert f"--parent {os.getpid()}" in called and "--until 1000000000000.0" in called
    environment = dict(
        line.partition("=")[::2] for line in (tmp_path / "env").read_text().splitlines()
    )
    assert environment["OMP_NUM_THREADS"] == environment["MKL_NUM_THREADS"] == "2"
    command = (cell.folder / "command.sh").read_text()
    assert "OMP_NUM_THREADS=2" in command and f"'{cell.folder}'" in command
    # What was run, not when: the same for every attempt.
    assert "--until" not in command and "--parent" not in command


def test_a_finetuning_has_no_budget(program, tmp_path):
    cell = Cell("s", "cpu", FINETUNE, "a", 9, 0, 0, tmp_path / "cell")
    child = Child(cell, Claim.take(cell.folder), 1, None, 20.0)
    child.end()
    command = (cell.folder / "command.sh").read_text()
    assert "--clips" not in command and "--kind finetune" in command
