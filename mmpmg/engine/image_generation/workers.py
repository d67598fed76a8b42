"""Processes that make images and write them."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmpmg.datasets.image_decoding import ImageReadError

from .errors import GenerationError
from .image_files import encode, write_file
from .layout import Layout

_CHUNK = 256  # images that a worker is given at once, at most
_NO_MEMORY = -4  # cv2.error's code, StsNoMem
_AHEAD = 2  # images before the end of its chunk at which it is given the next

#: place, and the checksum of its file or why there is none.
Result = tuple[int, "bytes | str"]


@dataclass(frozen=True)
class Job:
    """Where a run writes.

    Args:
        layout: where images lie.
        out: the folder of images.
        temporary: folder of the run for files that are being written.
    """

    layout: Layout
    out: Path
    temporary: Path


class Workers:
    """Processes that share the work; use as a context manager.

    They are forked, as PyTorch's are, before the parent has made an image: generators that hold a
    graphics context start it in their own process.

    Args:
        images: the source; `load` takes the numbers that `Layout.index` gives.
        count: how many, 1 or more.
        format: of the files, a key of `FORMATS`.
    """

    def __init__(self, images: Any, count: int, format: str) -> None:
        context = multiprocessing.get_context("fork")
        # One thread a worker. Here, not there: where this process has used OpenCV's threads, a fork
        # inherits their names without them, and would wait for them forever.
        cv2.setNumThreads(1)
        self.count = count
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            inherited = [*self._pipes, ours]
            process = context.Process(
                target=_work, args=(theirs, inherited, images, format), daemon=True
            )
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *reason: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop them at once, if they still run: what they were writing has a temporary name."""
        for process in self._processes:
            process.kill()
        for process, pipe in zip(self._processes, self._pipes, strict=True):
            process.join()
            pipe.close()

    def probe(self) -> str:
        """Return the checksum of the first image's file, or why it cannot be made."""
        self._send(0, None)
        for _, (_, said) in self._hear([0], lambda number: "the first image"):
            return said if isinstance(said, str) else said.hex()
        raise GenerationError("a worker stopped before it made the first image")

    def make(self, job: Job, places: np.ndarray, tick: Callable[[], None]) -> Iterator[Result]:
        """Make images, and yield results as they come, in any order.

        Args:
            job: where to.
            places: of the images, ascending.
            tick: called at least once a second.

        Raises:
            GenerationError: a file cannot be written, a generator fails, or a worker dies.
        """
        given = 0
        due: list[list[int]] = [[] for _ in self._pipes]

        def feed(number: int) -> None:
            nonlocal given
            if len(due[number]) <= _AHEAD and given < len(places):
                # Long chunks first, as a generator searches anew for each category that it meets;
                # short ones at the end, so that all workers end together.
                size = min(_CHUNK, max(1, (len(places) - given) // (4 * len(due))))
                chunk = places[given : given + size].tolist()
                given += size
                due[number] += chunk
                self._send(number, (job, chunk))

        for number in range(len(due)):
            feed(number)
        while any(due):
            tick()
            busy = [number for number, chunk in enumerate(due) if chunk]
            for number, result in self._hear(
                busy, lambda number: job.layout.path(due[number][0]), timeout=1.0
            ):
                due[number].remove(result[0])
                feed(number)
                yield result

    def _send(self, number: int, task: Any) -> None:
        with contextlib.suppress(OSError):  # it has died; `_hear` says so
            self._pipes[number].send(task)

    def _hear(
        self, busy: list[int], making: Callable[[int], str], timeout: float | None = None
    ) -> Iterator[tuple[int, Any]]:
        ready = wait([self._pipes[number] for number in busy], timeout)
        for number in busy:
            if self._pipes[number] not in ready:
                continue
            try:
                result = self._pipes[number].recv()
            except (EOFError, OSError):
                raise GenerationError(self._death(number, making(number))) from None
            if isinstance(result, GenerationError):
                raise result
            yield number, result

    def _death(self, number: int, making: str) -> str:
        process = self._processes[number]
        process.join(5)
        code = process.exitcode
        cause = f"was killed by {signal.Signals(-code).name}" if code and code < 0 else "ended"
        memory = (
            " Where memory ran out, lower --size or use fewer --workers."
            if code == -signal.SIGKILL
            else ""
        )
        return f"A worker (process {process.pid}) {cause} while it made {making}.{memory}"


def _work(pipe: Connection, inherited: list[Connection], images: Any, format: str) -> None:
    """Answer tasks until the parent is gone."""
    for other in inherited:
        other.close()  # else the parent's death would not end the pipe
    for number in (signal.SIGINT, signal.SIGTERM):
        # The parent's to answer: it ends its workers. No SIG_IGN: programs that a generator
        # starts would inherit it.
        signal.signal(number, lambda *_: None)
    parent = os.getppid()
    try:
        while True:
            task = pipe.recv()
            if task is None:
                data = _file_of(images, 0, format)
                pipe.send((0, _digest(data)))
                continue
            job, places = task
            for place in places:
                data = _file_of(images, job.layout.index(place), format)
                if os.getppid() != parent:
                    return
                if isinstance(data, bytes):
                    _write(job, job.layout.path(place), data)
                pipe.send((place, _digest(data)))
    except GenerationError as error:
        pipe.send(error)
    except (EOFError, ConnectionError):
        pass


def _digest(data: bytes | str) -> bytes | str:
    return hashlib.sha256(data).digest() if isinstance(data, bytes) else data


def _file_of(images: Any, index: int, format: str) -> bytes | str:
    """Return the file of an image, or why there is no such image."""
    try:
        return encode(images.load(index), format)
    except ImageReadError as error:
        return error.cause
    except Exception as error:
        if isinstance(error, MemoryError) or getattr(error, "code", None) == _NO_MEMORY:
            raise GenerationError(
                f"{images.name(index)} takes more memory than there is ({error}): lower --size, or "
                "use fewer --workers"
            ) from None
        raise GenerationError(
            f"{images.name(index)} failed: {type(error).__name__}: {error}\n"
            f"{traceback.format_exc().rstrip()}"
        ) from None


def _write(job: Job, path: str, data: bytes) -> None:
    try:
        write_file(job.out / path, job.temporary / f"{os.getpid()}.part", data)
    except OSError as error:
        raise GenerationError(f"{job.out / path} cannot be written: {error.strerror}") from None
