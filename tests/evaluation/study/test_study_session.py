"""Which cell comes next, and what becomes of one that fails, dies or stops; without trainings."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmpmg.evaluation.study import session as module
from mmpmg.evaluation.study.cell_hooks import STOPPED
from mmpmg.evaluation.study.cells import FINETUNE, PRETRAIN, Cell, read_status, write_json
from mmpmg.evaluation.study.claims import Claim
from mmpmg.evaluation.study.forecast import Forecast
from mmpmg.evaluation.study.runner import plan
from mmpmg.evaluation.study.session import Session

SIZE = SimpleNamespace(threads=1)


def facts(cell: Cell) -> dict:
    scores = dict(top1=50.0, correct=1, videos=2) if cell.kind == FINETUNE else {}
    return dict(digest="d", loss=1.0, seconds=30.0, startup=5.0, epoch_seconds=3.0, **scores)


@pytest.fixture
def grid(tmp_path):
    """Two arms with their pre-trainings, and one from scratch."""
    cells = []
    for arm in ("a", "b"):
        folder = tmp_path / arm
        pre = Cell("s", "cpu", PRETRAIN, arm, 9, 0, None, folder / "pretrain")
        cells += [pre, Cell("s", "cpu", FINETUNE, arm, 9, 0, 0, folder / "fold0", pre)]
    return [*cells, Cell("s", "cpu", FINETUNE, "scratch", 0, 0, 0, tmp_path / "scratch/fold0")]


@pytest.fixture
def ran(monkeypatch):
    """Make processes end at once, as `ends` says: (arm, kind) -> what each of its starts does."""
    log, ends = [], {}

    class Ended:
        def __init__(self, cell, claim, threads, until, save_every):
            self.cell, self.claim, self.ended_by_us = cell, claim, False
            self.began = time.time() - 10
            log.append((cell.arm, cell.kind))
            todo = ends.get((cell.arm, cell.kind), [])
            what = todo.pop(0) if todo else "done"
            state = json.loads((cell.folder / "state.json").read_text())
            if what == "done":
                write_json(cell.folder / "result.json", facts(cell))
            elif what == "failed":
                write_json(cell.folder / "state.json", {**state, "state": "failed", "error": "NaN"})
            elif what == "hangs":  # a tenth of the first epoch in these 10 seconds
                half = {**state, "epoch_share": 0.1, "startup": 2.0}
                write_json(cell.folder / "state.json", half)
            codes = {"done": 0, "failed": 1, "crashed": 1, "killed": -9, "stopped": STOPPED,
                     "hangs": None}  # fmt: skip
            self.process = SimpleNamespace(poll=lambda: codes[what], returncode=codes[what])

        def last_words(self):
            return "Segmentation fault"

        def end(self):
            self.ended_by_us = True

    monkeypatch.setattr(module, "Child", Ended)
    monkeypatch.setattr(module, "_POLL", 0)
    return SimpleNamespace(log=log, ends=ends)


def work(cells, digest="d", until=None, retry=(), parallel=1) -> tuple[Session, list[str]]:
    said: list[str] = []
    recipes = SimpleNamespace(digest=lambda cell: digest, write=lambda cell: None)
    session = Session(recipes, SIZE, cells, until, parallel, 20.0, said.append)
    session.retried = {cell.folder for cell in retry}
    session.work()
    return session, said


def test_finished_cells_are_not_run_again(grid, ran):
    session, said = work(grid)
    assert ran.log == [(cell.arm, cell.kind) for cell in grid]
    assert (session.ended().done, session.ended().left) == (5, 0)
    assert [line for line in said if line.startswith("[5/5]")]
    work(grid)
    assert len(ran.log) == 5


def test_the_others_go_on_when_one_fails(grid, ran):
    ran.ends["a", PRETRAIN] = ["failed"]
    session, said = work(grid)
    assert (session.ended().done, session.ended().failed) == (3, 2)
    assert ("a", FINETUNE) not in ran.log
    assert read_status(grid[1]).error == "its pre-training failed: NaN"
    assert any("FAILED: NaN" in line for line in said)
    work(grid)
    assert ran.log.count(("a", PRETRAIN)) == 1, "not without being asked to"
    session, _ = work(grid, retry=[grid[0]])
    assert session.ended().done == 5 and ran.log[-2:] == [("a", PRETRAIN), ("a", FINETUNE)]


def test_a_cell_that_fails_again_is_retried_once(grid, ran):
    ran.ends["scratch", FINETUNE] = ["failed", "failed", "done"]
    work(grid)
    session, _ = work(grid, retry=[grid[-1]])
    assert session.ended().failed == 1 and ran.log.count(("scratch", FINETUNE)) == 2


def test_a_process_that_ends_without_a_word_is_quoted(grid, ran):
    ran.ends["scratch", FINETUNE] = ["crashed"]
    work(grid)
    assert read_status(grid[-1]).error == "Segmentation fault"


def test_what_is_killed_is_tried_once_more(grid, ran):
    ran.ends["b", FINETUNE] = ["killed"]
    ran.ends["scratch", FINETUNE] = ["killed", "killed"]
    session, _ = work(grid)
    assert session.ended().done == 4
    status = read_status(grid[-1])
    assert status.state == "failed" and "signal 9, 2 times" in status.error


def test_what_failed_by_other_settings_is_run_again(grid, ran):
    ran.ends["scratch", FINETUNE] = ["failed"]
    work(grid[-1:])
    (grid[-1].run).mkdir()
    (grid[-1].run / "epoch_3.pth").touch()
    session, _ = work(grid[-1:], digest="other")
    assert session.ended().done == 1
    assert not (grid[-1].run / "epoch_3.pth").exists(), "nothing of other settings is gone on from"


def test_a_stopped_cell_waits_for_the_next_call(grid, ran):
    ran.ends["a", PRETRAIN] = ["stopped"]
    session, _ = work(grid)
    assert ran.log.count(("a", PRETRAIN)) == 1 and session.ended().left == 2
    session, _ = work(grid)
    assert session.ended().left == 0


def test_an_epoch_longer_than_the_slice_is_told(grid, ran):
    ran.ends["scratch", FINETUNE] = ["hangs"]
    session, said = work(grid[-1:], until=time.time() + module._MARGIN + 0.2)
    assert session.ended().left == 1 and not session.children
    assert "inside an epoch, whose work is lost; an epoch takes about 8" in said[-1]  # 8 s / 0.1
    # for three epochs and two starts, 244 s, of which it had 10; more where this test is slow
    assert re.search(r"raise --seconds by 2[3-7]0 or more$", said[-1])
    assert Claim.take(grid[-1].folder) is not None, "the claim was given back"


def test_a_cell_that_does_not_fit_is_not_begun_late_in_a_slice(grid, ran):
    work(grid[:1])
    write_json(grid[0].folder / "result.json", {**facts(grid[0]), "epoch_seconds": 1000.0})
    soon = time.time() + 60
    work(grid, until=soon)
    assert ran.log[1:] == [("a", FINETUNE), ("scratch", FINETUNE)]
    # first in its slice it is tried, as loads differ
    work(grid, until=soon)
    assert ran.log[3:] == [("b", PRETRAIN), ("b", FINETUNE)]


def test_claimed_cells_are_left_to_others(grid, ran, monkeypatch):
    monkeypatch.setattr(Session, "_others", lambda self: False)
    claim = Claim.take(grid[0].folder)
    assert Claim.take(grid[0].folder) is None
    work(grid)
    assert not [entry for entry in ran.log if entry[0] == "a"]
    assert read_status(grid[0]).state == "running"
    claim.release()
    work(grid)
    assert [entry for entry in ran.log if entry[0] == "a"] == [("a", PRETRAIN), ("a", FINETUNE)]


def test_what_another_finished_after_the_look_is_not_run(grid, ran, monkeypatch):
    take = Claim.take

    def late(folder: Path):
        claim = take(folder)  # by then the other has written its result and given its claim back
        write_json(folder / "result.json", facts(grid[-1]))
        return claim

    monkeypatch.setattr(Claim, "take", late)
    session, _ = work(grid[-1:])
    assert ran.log == [] and session.ended().done == 1


def test_forecasts_come_from_what_was_measured(grid):
    for cell, seconds in ((grid[0], 100.0), (grid[1], 20.0)):
        cell.folder.mkdir(parents=True)
        write_json(cell.folder / "result.json", {**facts(cell), "seconds": seconds})
    grid[2].folder.mkdir(parents=True)
    begun = dict(state="stopped", epoch=3, epochs=4, seconds=60.0, startup=5.0)
    write_json(grid[2].folder / "state.json", begun)
    found = [(cell, read_status(cell)) for cell in grid]
    forecast = Forecast(found)
    assert forecast.whole(grid[0]) == 105 and forecast.whole(grid[3]) == 25
    assert forecast.left(*found[2]) == 20 + 5  # one of four epochs, and a start
    assert forecast.total(found, 1) == 25 + 25 + 25
    assert forecast.total(found, 2) == 37.5
    assert forecast.least(grid[4]) == 1.25 * 5 + 1.5 * 3 + 3
    text = plan(grid, 1)
    assert "b, 9 clips, seed 0, pretrain: missing, 3 of 4 epochs, about 25 s" in text
    assert text.endswith("2 done, 0 running, 0 failed, 3 missing; about 75 s left")
    assert "about ? left" in plan(grid[2:], 1)
