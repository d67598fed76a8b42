"""A cell's process, as the study that started it sees it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import mmpmg
from mmpmg.evaluation.study.cells import COMMAND, LOG, PRETRAIN, Cell
from mmpmg.evaluation.study.claims import Claim
from mmpmg.written_beside import written_beside

_GRACE = 1.0  # seconds between asking a process to end and ending it


class Child:
    """A cell that runs in a process of its own, and in a group of its own.

    Args:
        cell: Which one; its recipe is written.
        claim: Held until `close`.
        threads: Of torch, >= 1.
        until: Deadline, seconds since the epoch; None: none.
        save_every: Seconds between checkpoints.
    """

    def __init__(
        self, cell: Cell, claim: Claim, threads: int, until: float | None, save_every: float
    ) -> None:
        self.cell, self.claim = cell, claim
        self.began = time.time()
        self.ended_by_us = False
        command = [
            sys.executable, "-m", "mmpmg.evaluation.study.cell_process", str(cell.folder),
            "--kind", cell.kind, "--threads", str(threads),
        ]  # fmt: skip
        if cell.kind == PRETRAIN:
            command += ["--clips", str(cell.clips)]
        package = str(Path(mmpmg.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
        environment = dict(
            OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
            OMP_WAIT_POLICY="PASSIVE", PYTHONPATH=path,
        )  # fmt: skip
        _write_command(cell, command, environment)
        more = ["--born", str(self.began), "--parent", str(os.getpid())]
        more += ["--save-every", str(save_every)]
        more += [] if until is None else ["--until", str(until)]
        with (cell.folder / LOG).open("a") as log:
            # Its own session: Ctrl-C reaches the study alone, which ends its cells in order.
            self.process = subprocess.Popen(
                [*command, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **environment}, start_new_session=True,
            )  # fmt: skip

    def end(self) -> None:
        """End the process and its data workers; what the last checkpoint holds is kept."""
        self.ended_by_us = True
        # Both: a worker may outlive the process that was asked to end.
        for ending in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(self.process.pid, ending)
                self.process.wait(_GRACE)
        self.process.wait()

    def last_words(self) -> str:
        """Return the last line that the process wrote; ""."""
        lines = (self.cell.folder / LOG).read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:500]


def _write_command(cell: Cell, command: list[str], environment: dict[str, str]) -> None:
    lines = [
        "#!/bin/sh",
        f"# {cell.study} ({cell.size}): {cell.label}",
        f"cd {shlex.quote(os.getcwd())}",
    ]
    settings = [f"{name}={shlex.quote(value)}" for name, value in environment.items()]
    lines.append(" ".join(["exec env", *settings, shlex.join(command)]))
    with written_beside(cell.folder / COMMAND) as unfinished:
        unfinished.write_text("\n".join(lines) + "\n")
        unfinished.chmod(0o755)
