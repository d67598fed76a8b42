"""Tools as processes of their own, without the seconds in which each would import torch.

A server that has imported what tools import, and done nothing else, forks them. What a process that
begins with nothing finds is proven by `tiny_runs.run_tool` and by the tests of the launchers.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import socket
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from integration.tiny_runs import ROOT, Finished, tool_command

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    ["mmpmg", "mmpmg.engine.training", "mmaction.datasets", "mmaction.evaluation",
     "mmaction.models", "mmaction.visualization", "torch._dynamo", "torch.distributed.fsdp"]
)  # fmt: skip
TIMEOUT = 600.0


def fork_tool(tool: str, recipe: str, *arguments: object, changes: dict | None = None) -> Finished:
    """Run a tool as `run_tool` does, forked."""
    words = tool_command(tool, recipe, *arguments, changes=changes)
    return _finished([words], [{}])


def fork_train_in_two(recipe: str, *arguments: object, changes: dict | None = None) -> Finished:
    """Run tools/train.py in two processes, which find what torchrun would give them."""
    words = tool_command("train.py", recipe, "--launcher", "pytorch", *arguments, changes=changes)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    meeting = dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), WORLD_SIZE="2")
    ranks = [dict(meeting, RANK=str(rank), LOCAL_RANK=str(rank)) for rank in (0, 1)]
    return _finished([words, words], ranks)


def call_in_two(function: Callable[..., object], *arguments: object) -> None:
    """Call ``function(rank, *arguments)`` in two processes; it may compute gradients there."""
    processes = [SERVER.Process(target=function, args=(rank, *arguments)) for rank in (0, 1)]
    codes = _ended(processes)
    assert codes == [0, 0], f"they ended with {codes}"


def _finished(commands: Sequence[list[str]], more: Sequence[dict[str, str]]) -> Finished:
    with TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        processes = [
            SERVER.Process(target=_run, args=(words, {**os.environ, **variables}, str(output)))
            for words, variables in zip(commands, more, strict=True)
        ]
        codes = _ended(processes)
        return Finished(max(codes, key=abs), output.read_text())


def _ended(processes: Sequence[BaseProcess]) -> list[int]:
    """Start processes and return how they ended; where one fails, the others are ended."""
    deadline = time.monotonic() + TIMEOUT
    try:
        for process in processes:
            process.start()
        while any(process.exitcode is None for process in processes):
            if any(process.exitcode for process in processes) or time.monotonic() > deadline:
                time.sleep(1)  # to say the same
                break
            time.sleep(0.02)
    finally:  # at Ctrl-C too: Python would wait at its end for what they train
        for process in processes:
            if process.is_alive():
                process.kill()
                process.join()
    return [process.exitcode or 0 for process in processes]


def _run(words: list[str], environment: dict[str, str], output: str) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.environ.clear()
    os.environ.update(environment, OMP_NUM_THREADS="1")
    torch.set_num_threads(1)
    sys.argv = words
    runpy.run_path(str(ROOT / "tools" / Path(words[0]).name), run_name="__main__")
