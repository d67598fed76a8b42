"""One call of a study: which cell is next, and what became of the processes."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmpmg.evaluation.study.cell_hooks import STOPPED
from mmpmg.evaluation.study.cell_process import ELSEWHERE
from mmpmg.evaluation.study.cell_recipe import Recipes
from mmpmg.evaluation.study.cell_result import note
from mmpmg.evaluation.study.cells import (
    DONE,
    FAILED,
    FINETUNE,
    MISSING,
    RESULT,
    RUNNING,
    STATE,
    Cell,
    Status,
    read_json,
    read_status,
    write_json,
)  # fmt: skip
from mmpmg.evaluation.study.child import Child
from mmpmg.evaluation.study.claims import Claim, is_held
from mmpmg.evaluation.study.declaration import Size
from mmpmg.evaluation.study.forecast import Forecast, duration, epoch_seconds
from mmpmg.evaluation.study.taking_over import TAKEN_FROM, Finished, shared_claim

_POLL = 0.2  # seconds
_LOOK = 2.0  # seconds between looks for work where there was none
_MARGIN = 4.0  # seconds before the deadline in which processes are ended
_DEATHS = 2
_NEW = dict(
    epoch=0, epochs=0, epoch_share=0.0, seconds=0.0, epoch_seconds=None, startup=None, deaths=0,
    updates=0, clips=0, loss=None,
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Args:
        done: Cells that are done.
        failed: Cells that have failed.
        left: Cells that are neither.
    """

    done: int
    failed: int
    left: int


class Session:
    """One call of `run`; for its arguments see there."""

    def __init__(
        self, recipes: Recipes, size: Size, cells: Sequence[Cell], until: float | None,
        parallel: int, save_every: float, say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.recipes, self.size, self.cells = recipes, size, cells
        self.until, self.parallel, self.save_every, self.say = until, parallel, save_every, say
        self.children: list[Child] = []
        self.retried: set[Path] = set()
        self.begun = 0
        self.finished = Finished()
        self._over: set[Path] = set()
        self._told = False
        self._look_at = 0.0
        # Processes take their time to end, the more the busier the cores are.
        self.margin = 0.0 if until is None else max(_MARGIN, 0.02 * self.left)

    @property
    def left(self) -> float:
        """Seconds before the deadline."""
        return float("inf") if self.until is None else self.until - time.time()

    def work(self) -> None:
        """Start and reap processes until nothing is left to do, or no time."""
        waiting = False
        while True:
            for child in list(self.children):
                if child.process.poll() is not None:
                    self._reap(child)
                elif not child.claim.keep():
                    child.end()
                    self.children.remove(child)
                    self.say(f"{child.cell.label}: another process has taken it over")
            if self.left < self.margin:
                for child in list(self.children):
                    self._cut(child)
            while (
                len(self.children) < self.parallel
                and time.monotonic() >= self._look_at
                and self.left > self.margin
            ):
                if not self._start_one():
                    self._look_at = time.monotonic() + _LOOK
            if not self.children:
                waited, waiting = waiting, self._others()
                if not waiting and not waited:
                    return
                if not waiting:  # what was waited for is over: something may follow from it
                    self._look_at = 0.0
            time.sleep(_POLL)

    def end_all(self) -> None:
        """End all processes, and give their claims back."""
        for child in list(self.children):
            child.end()
            child.claim.release()
            self.children.remove(child)

    def ended(self) -> Ended:
        """Count the cells."""
        states = [read_status(cell).state for cell in self.cells]
        done, failed = states.count(DONE), states.count(FAILED)
        return Ended(done, failed, len(states) - done - failed)

    def found(self) -> list[tuple[Cell, Status]]:
        """Read all cells."""
        return [(cell, read_status(cell)) for cell in self.cells]

    def _others(self) -> bool:
        """Whether to wait for cells that other processes run, as more may follow from them."""
        found = self.found()
        running = any(status.state == RUNNING for _, status in found)
        wanted = any(status.state == MISSING for _, status in found)
        # For another study, of whose cells nobody but this process takes the results over.
        elsewhere = any(
            self._wanted(cell, status) and is_held(shared_claim(cell, self.recipes.digest(cell)))
            for cell, status in found
        )
        if (elsewhere or (running and wanted)) and self.left > self.margin:
            if not self._told:
                self.say("Waiting for cells that other processes run.")
                self._told = True
            return True
        return False

    def _start_one(self) -> bool:
        """Start the next cell that can be, or take its result over; False: there is none."""
        found = self.found()
        forecast = Forecast(found)
        for cell, status in found:
            if cell.folder in self._over or not self._wanted(cell, status):
                continue
            digest = self.recipes.digest(cell)
            # A slice that seems too short for anything is tried all the same: loads differ.
            short = self.left < forecast.least(cell) + self.margin and self.begun
            if short and not self.finished.like(cell, digest):
                continue
            claim = Claim.take(cell.folder, shared_claim(cell, digest))
            if claim is None:
                continue
            again = self._wanted(cell, self._unclaimed(cell))  # another may just have finished it
            if not again:
                claim.release()
                continue
            if self.finished.take_over(cell, digest):
                claim.release()
                self.say(self._progress(cell, read_status(cell)))
            else:
                self._start(cell, claim)
            return True
        return False

    def _unclaimed(self, cell: Cell) -> Status:
        """Read a cell that is claimed by this process."""
        if (cell.folder / RESULT).exists():
            return Status(DONE)
        state = read_json(cell.folder / STATE) or {}
        return Status(FAILED if state.get("state") == FAILED else MISSING)

    def _wanted(self, cell: Cell, status: Status) -> bool:
        if cell.source is not None and read_status(cell.source).state != DONE:
            return False
        return status.state == MISSING or (
            status.state == FAILED and (cell.folder in self.retried or self._is_stale(cell))
        )

    def _is_stale(self, cell: Cell) -> bool:
        """Whether a cell failed by settings that are not declared any more."""
        state = read_json(cell.folder / STATE) or {}
        return state.get("digest") not in (None, self.recipes.digest(cell))

    def _start(self, cell: Cell, claim: Claim) -> None:
        digest = self.recipes.digest(cell)
        state = read_json(cell.folder / STATE) or {}
        if state.get("digest") != digest or state.get("state") == FAILED:
            shutil.rmtree(cell.run, ignore_errors=True)
            state = {}
        self.retried.discard(cell.folder)
        now = {**_NEW, **state, "state": "begun", "error": "", "digest": digest}
        write_json(cell.folder / STATE, now)
        self.recipes.write(cell)
        until = None if self.until is None else self.until - self.margin
        self.children.append(Child(cell, claim, self.size.threads, until, self.save_every))
        self.begun += 1
        goes_on = f" goes on after epoch {now['epoch']} of {now['epochs']}" if now["epoch"] else ""
        self.say(f"{cell.label}:{goes_on or ' begins'} ({cell.folder})")

    def _cut(self, child: Child) -> None:
        """End a process for which the time is up."""
        child.end()
        self._over.add(child.cell.folder)
        facts = read_json(child.cell.folder / STATE) or {}
        ran = time.time() - child.began
        each = epoch_seconds(facts, ran)
        told = "" if each is None else f"; an epoch takes about {duration(each)} here"
        wanted = max(2 * ran, 3 * (each or 0.0) + 2 * (facts.get("startup") or 0.0))
        self.say(
            f"{child.cell.label}: the time was up inside an epoch, whose work is lost{told}. If "
            f"this comes again, raise --seconds by {max(10, round(wanted - ran, -1)):.0f} or more"
        )
        self._close(child)

    def _reap(self, child: Child) -> None:
        """Read what became of a process that has ended, and say it."""
        cell, code = child.cell, child.process.returncode
        state = read_json(cell.folder / STATE) or {}
        if child.ended_by_us or (code == 0 and (cell.folder / RESULT).exists()):
            pass
        elif code == STOPPED:
            self._over.add(cell.folder)
        elif code < 0 or code == ELSEWHERE:
            self._died(child, state)
        elif state.get("state") != FAILED:
            note(cell.folder, state=FAILED, error=child.last_words() or f"exit status {code}")
        self._close(child)
        status = read_status(cell)
        if status.state == DONE:
            self.say(self._progress(cell, status))
        elif status.state == FAILED:
            self.say(f"{cell.label}: FAILED: {status.error} (see {cell.folder}/output.log)")
        elif code == STOPPED:
            facts = status.facts
            self.say(
                f"{cell.label}: stopped after epoch {facts.get('epoch')} of {facts.get('epochs')}"
            )

    def _died(self, child: Child, state: dict) -> None:
        """Try a cell again that was killed from outside, unless that gets it nowhere."""
        deaths = state.get("deaths", 0) + 1
        number = -child.process.returncode
        why = f"it was ended by signal {number}" if number > 0 else child.last_words()
        if deaths < _DEATHS:
            write_json(child.cell.folder / STATE, {**state, "deaths": deaths})
            self.say(f"{child.cell.label}: {why}; it is tried once more")
        else:
            note(
                child.cell.folder, state=FAILED, deaths=deaths,
                error=f"{why}, {deaths} times without finishing an epoch; out of memory?",
            )  # fmt: skip

    def _close(self, child: Child) -> None:
        self._look_at = 0.0
        child.claim.release()
        self.children.remove(child)

    def _progress(self, cell: Cell, status: Status) -> str:
        found = self.found()
        done = sum(status.state == DONE for _, status in found)
        facts, scores = status.facts, ""
        if cell.kind == FINETUNE:
            scores = f"top-1 {facts['top1']:.1f} % ({facts['correct']} of {facts['videos']}), "
        rest = Forecast(found).total(found, self.parallel)
        eta = "" if rest is None else f"; about {duration(rest)} left"
        taken = f", taken over from {facts[TAKEN_FROM]}" if TAKEN_FROM in facts else ""
        return (
            f"[{done}/{len(found)}] {cell.label}: {scores}loss {facts['loss']:.3f}, "
            f"{duration(facts['seconds'])}{taken}{eta}"
        )
