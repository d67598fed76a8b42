"""A cell is one process's; without trainings."""

from __future__ import annotations

import multiprocessing
import os
import sys

import pytest
import torch

from mmpmg.engine import folder_lock
from mmpmg.engine.folder_lock import Lock
from mmpmg.evaluation.study import cell_process
from mmpmg.evaluation.study.cells import CLAIM
from mmpmg.evaluation.study.claims import Claim


def test_a_claim_that_another_process_has_taken_over_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_lock, "BEAT", 0.0)
    claim = Claim.take(tmp_path / "cell")
    assert claim.keep() and Claim.take(tmp_path / "cell") is None
    (tmp_path / "cell" / CLAIM).unlink()
    other = Claim.take(tmp_path / "cell")
    assert not claim.keep() and other.keep()


def test_the_process_of_a_cell_that_is_another_one_s_says_so(tmp_path, monkeypatch, capsys):
    lock = Lock.acquire(tmp_path / "training.lock")
    monkeypatch.setattr(cell_process, "_WAIT", 0.0)
    words = ["cell_process", tmp_path, "--kind", "finetune", "--threads", torch.get_num_threads()]
    monkeypatch.setattr(sys, "argv", list(map(str, words)))
    with pytest.raises(SystemExit) as ended:
        cell_process.main()
    assert ended.value.code == cell_process.ELSEWHERE
    said = capsys.readouterr().err
    assert said.startswith(f"tools/study.py leaves the cell {tmp_path} to another process: process")
    assert len(said.splitlines()) == 1
    lock.release()


def test_the_process_of_a_cell_that_is_taken_from_it_says_so_and_ends(tmp_path):
    log = tmp_path / "log"

    def work():
        sys.stderr = log.open("w")
        folder_lock.BEAT = 0.0
        lock = Lock.acquire(tmp_path / "training.lock")
        lock.path.unlink()
        cell_process._die_with(os.getppid(), lock, tmp_path)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join(60)
    assert process.exitcode == cell_process.ELSEWHERE
    assert f"the cell {tmp_path} to another process: the lock" in log.read_text()
