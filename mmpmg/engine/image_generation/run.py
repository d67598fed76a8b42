"""Images to disk: a generator's images as a tree of class folders that ``FolderImages`` reads."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmpmg.engine.folder_lock import STALE, Lock, describe
from mmpmg.engine.stop_signals import sigterm_as_interrupt

from .command import FORMATS, Command, build_source
from .errors import GenerationError, InterruptedGeneration
from .finish import finish, last_words
from .folder import BusyError, ImageFolder, unwritable
from .journal import Journal
from .layout import Shard
from .progress import Progress
from .workers import Job, Workers


@dataclass(frozen=True)
class GenerationOptions:
    """What to generate, and where to.

    Args:
        source: a key of `SOURCES`.
        num: how many images, 1 or more; more than before extends a folder.
        out: the folder.
        workers: processes; 0: one for each core that this process may use.
        shard: which part of the work, ``"NUMBER/COUNT"``, NUMBER from 0.
        size: side, or height and width, in pixels; None: the source's default, as below.
        seed: of the source.
        num_categories: of the source.
        options: further arguments of the source's constructor.
        format: a key of `FORMATS`.
    """

    source: str
    num: int
    out: str
    workers: int = 0
    shard: str = "0/1"
    size: int | Sequence[int] | None = None
    seed: int | None = None
    num_categories: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    format: str = "png"


def generate(options: GenerationOptions) -> None:
    """Make the images that are not there yet; the last shard to finish writes the manifest.

    The folder's bytes follow from the options but ``workers`` and ``shard``, however the work is
    split and however often it is broken off.

    Args:
        options: see the class.

    Raises:
        InterruptedGeneration: the user or the scheduler stopped it.
        GenerationError: an option is illegal, the folder is another command's, cannot be written
            to or is being written to by another run, a generator fails, or a worker dies. What is
            finished stays finished.
    """
    if options.num < 1:
        raise GenerationError(f"--num {options.num}: must be 1 or more")
    if options.workers < 0:
        raise GenerationError(f"--workers {options.workers}: must be 1 or more (0: all cores)")
    if options.format not in FORMATS:
        raise GenerationError(f"--format {options.format}: must be one of {', '.join(FORMATS)}")
    shard = Shard.parse(options.shard)
    shorthand = {"size": options.size, "seed": options.seed,
                 "num_categories": options.num_categories}  # fmt: skip
    images, parameters = build_source(options.source, {**options.options, **shorthand}, options.num)
    folder = ImageFolder(Path(options.out))
    folder.create()
    workers = options.workers or len(os.sched_getaffinity(0))
    with _stops_told():
        with Workers(images, workers, options.format) as crew:
            command = Command.of(
                options.source, parameters, images, options.num, options.format, crew.probe()
            )
            lock = _join(folder, command, shard)
            if lock is None:
                print("All images are there already.")
                print(last_words(folder.out, command))
                return
            try:
                _make(folder, command, shard, lock, crew)
            except OSError as error:
                raise unwritable(folder.out, error) from None
            finally:
                crew.stop()  # or one might write into the folder that is being removed
                shutil.rmtree(folder.state / f"tmp-{lock.token}", ignore_errors=True)
                lock.release()
        finish(folder, command, shard)


def _join(folder: ImageFolder, command: Command, shard: Shard) -> Lock | None:
    """Begin; wait for a run of another machine that may be dead until that is certain."""
    first: dict[str, Any] = {}
    tries = 0
    while True:
        folder.create()
        try:
            return folder.join(command, shard)
        except FileNotFoundError as error:
            tries += 1  # another run has just finished the folder and removed its state
            if tries == 100:
                raise unwritable(folder.out, error) from None
            time.sleep(0.01)
        except BusyError as error:
            holder = error.holder
            if holder["here"] or first.get(holder["token"], holder["beat"]) != holder["beat"]:
                raise
            if not first:
                print(f"Waiting {STALE:.0f} s at most, to see whether {describe(holder)} is alive.")
            first[holder["token"]] = holder["beat"]
            time.sleep(0.5)
        except OSError as error:
            raise unwritable(folder.out, error) from None


def _make(folder: ImageFolder, command: Command, shard: Shard, lock: Lock, crew: Workers) -> None:
    """Make what is missing of a shard."""
    with folder.locks_explained():
        record = folder.record(command, lock)
    places = shard.places(command.num)
    record.made[folder.lost(record, places)] = False
    due = np.flatnonzero(~record.made[places.start : places.stop]) + places.start
    done = len(places) - len(due)
    part = f" of shard {shard}" if shard.count > 1 else ""
    print(
        f"{len(due)} images{part} to make with {crew.count} worker{'s' * (crew.count > 1)}"
        + (f"; {done} are there already" if done else "")
        + f" -> {folder.out}",
        flush=True,
    )
    progress = Progress(len(places), done)
    name = f"journal-{shard.number:05d}-of-{shard.count:05d}-{lock.token}"
    try:
        with (
            folder.locks_explained(),
            Journal(folder.state / name, command.layout, f"shard {shard}") as journal,
        ):

            def tick() -> None:
                lock.beat()
                journal.tick()
                progress.tick()

            job = Job(command.layout, folder.out, folder.state / f"tmp-{lock.token}")
            for place, said in crew.make(job, due, tick):
                journal.add(place, said)
                progress.add()
            progress.finish()
    except KeyboardInterrupt:
        raise InterruptedGeneration(_go_on("Stopped.", progress)) from None
    except OSError as error:
        raise GenerationError(_go_on(f"{unwritable(folder.out, error)}.", progress)) from None
    except GenerationError as error:
        raise GenerationError(_go_on(f"{error}", progress)) from None


def _go_on(message: str, progress: Progress) -> str:
    return (
        f"{message}\n{progress.done} of {progress.total} images are finished and none is "
        "half-written; the same command goes on from there."
    )


@contextmanager
def _stops_told() -> Iterator[None]:
    """Say what Ctrl-C, or a scheduler's signal, leaves behind."""
    try:
        with sigterm_as_interrupt():
            yield
    except KeyboardInterrupt:
        raise InterruptedGeneration("Stopped; the same command goes on from there.") from None
