"""Processes that read videos, and outlive files which crash or hang the decoder."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from ..video_reading import VideoReadError
from .errors import PreparationError

_CHUNK = 16  # videos that a process is given at once
_METHODS = multiprocessing.get_all_start_methods()
_CONTEXT: Any = multiprocessing.get_context("fork" if "fork" in _METHODS else "spawn")


@dataclass(frozen=True)
class ReadFailure:
    """A video that could not be read, and why."""

    reason: str


@dataclass
class _Worker:
    process: BaseProcess
    pipe: Connection
    due: list[int] = field(default_factory=list)
    heard: float = 0.0
    lost: bool = False


def read_videos(
    function: Callable[[str], Any], paths: Sequence[str], workers: int, timeout: float = 120.0
) -> Iterator[tuple[int, Any]]:
    """Call a function with each of many videos, in processes.

    A file can crash decord (process and all) or make it hang; it is named, and the others go on.

    Args:
        function: takes a path; of a module, so that it can be sent; raises `VideoReadError`.
        paths: of videos.
        workers: number of processes; 0: as many as there are cores.
        timeout: seconds after which a video counts as hanging.

    Yields:
        Number of a video and what the function returned, or a `ReadFailure`; in any order.

    Raises:
        PreparationError: decord is not installed, or ``workers`` is below 0.
        Exception: whatever else the function raises.
    """
    if workers < 0:
        raise PreparationError(f"--workers {workers}: must be 1 or more, or 0 for one per core")
    count = min(workers or _cores(), len(paths))
    given = answered = 0
    pool: list[_Worker] = []
    try:
        for _ in range(count):
            pool.append(_start(function, pool))
        while True:
            for worker in pool:
                if not worker.due and given < len(paths):
                    size = min(_CHUNK, max(1, (len(paths) - given) // (4 * count)))
                    _give(worker, list(range(given, given + size)), paths)
                    given += size
            busy = [worker for worker in pool if worker.due]
            if not busy:
                break
            ready = wait([worker.pipe for worker in busy], timeout=1.0)
            for worker in busy:
                if worker.pipe in ready:
                    answered += 1
                    yield _hear(worker)
                elif time.monotonic() - worker.heard > timeout:
                    worker.lost = True
                    answered += 1
                    yield worker.due.pop(0), ReadFailure(f"was not read within {timeout:.0f} s")
                if worker.lost:
                    _stop(worker)
                    pool.remove(worker)
                    pool.append(_start(function, pool))
                    _give(pool[-1], worker.due, paths)
        if answered != len(paths):  # else videos that nobody read would count as good
            raise PreparationError(f"only {answered} of {len(paths)} videos were read")
    finally:
        for worker in pool:
            _stop(worker)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start(function: Callable[[str], Any], others: Sequence[_Worker]) -> _Worker:
    ours, theirs = _CONTEXT.Pipe()
    inherited = [ours, *(worker.pipe for worker in others)]
    process = _CONTEXT.Process(
        target=_work,
        args=(function, theirs, inherited if _CONTEXT.get_start_method() == "fork" else []),
        daemon=True,
    )
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _stop(worker: _Worker) -> None:
    worker.process.kill()
    worker.process.join()
    worker.pipe.close()


def _give(worker: _Worker, numbers: list[int], paths: Sequence[str]) -> None:
    worker.due, worker.heard = numbers, time.monotonic()
    with contextlib.suppress(OSError):  # it has died; `_hear` says so
        worker.pipe.send([(number, paths[number]) for number in numbers])


def _hear(worker: _Worker) -> tuple[int, Any]:
    """Return what a worker says, or that its video killed it."""
    try:
        number, result = worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join(5)
        code = worker.process.exitcode or 0
        worker.lost = True
        cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return worker.due.pop(0), ReadFailure(f"crashed the process that read it ({cause})")
    if isinstance(result, ImportError):
        raise PreparationError(
            f"{result}; videos are read by decord: pip install decord (there are wheels for Linux "
            "on x86-64 and for Windows), or only look whether they exist with --no-open"
        )
    if isinstance(result, Exception):
        raise result
    worker.due.remove(number)
    worker.heard = time.monotonic()
    return number, result


def _work(
    function: Callable[[str], Any], pipe: Connection, inherited: Sequence[Connection]
) -> None:
    """Answer until the parent is gone."""
    for other in inherited:
        other.close()  # else the parent's death would not end the pipe
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to answer: it ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not the parent's, which may raise
    try:
        while True:
            for number, path in pipe.recv():
                try:
                    result: Any = function(path)
                except VideoReadError as error:
                    result = ReadFailure(str(error).removeprefix(f"{path}: "))
                except Exception as error:
                    result = error
                pipe.send((number, result))
    except (EOFError, ConnectionError):
        pass
