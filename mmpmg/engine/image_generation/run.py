"""Images to disk: a generator's images as a tree of class folders that ``FolderImages`` reads."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .command import FORMATS, Command, build_source
from .errors import GenerationError, InterruptedGeneration
from .folder import ImageFolder, unwritable
from .journal import Journal
from .layout import Shard
from .lock import Lock
from .manifest import MANIFEST, Record
from .progress import Progress
from .workers import Job, Workers

_RECIPES = {
    "fractaldb": "configs/pmg/vit-b_fractaldb.py",
    "visual-atom": "configs/pmg/vit-b_visual-atom.py",
}
_RECIPE = "configs/pmg/vit-b_shaders1k.py"  # any recipe that reads a folder


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
    with _stopped_by_signals():
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
                shutil.rmtree(folder.state / f"tmp-{lock.token}", ignore_errors=True)
                lock.release()
        _finish(folder, command, shard)


def merge(out: str) -> None:
    """Write the manifest of a folder whose shards are all done, if the last one did not.

    Args:
        out: the folder.

    Raises:
        GenerationError: images are missing, or a shard is still at work.
    """
    folder = ImageFolder(Path(out))
    if not folder.state.is_dir() and (folder.out / MANIFEST).exists():
        print(f"{out} is finished: its manifest is {folder.out / MANIFEST}")
        return
    command = folder.begun()
    if command is None:
        raise GenerationError(f"{out} holds nothing to merge: no run has begun there")
    missing = _finish(folder, command, None)
    if missing is None:
        raise GenerationError(f"{out}: other shards are still at work; the last one merges")
    if len(missing):
        count = max([1, *(int(name.split("-")[3]) for name in folder.journals())])
        lacks = {
            f"--shard {shard} lacks {number}"
            for shard in (Shard(number, count) for number in range(count))
            for places in [shard.places(command.num)]
            if (number := int(np.sum((missing >= places.start) & (missing < places.stop))))
        }
        raise GenerationError(
            f"{out}: {len(missing)} of {command.num} images are missing "
            f"({', '.join(sorted(lacks))}). Run again: {command.shell(out)} [--shard ...]"
        )


def last_words(out: Path, command: Command) -> str:
    """Say where the images are, how to check them, and what to type to train on them.

    Args:
        out: the folder.
        command: what made them.
    """
    where = shlex.quote(str(out))
    categories = min(command.num, command.num_categories)
    recipe = _RECIPES.get(command.source, _RECIPE)
    key = "train_dataloader.dataset"
    note = ""
    if re.search(r"[\s,()\[\]'\"]", str(out)):
        note = (
            "\n(--cfg-options is MMEngine's and takes no spaces, commas, brackets or quotes: "
            "rename the folder, or write these keys into a recipe.)"
        )
    return (
        f"{command.num} images of {categories} categories are in {where}\n"
        f"Check them:     tools/generate_images.py --verify {where}\n"
        f"            or  (cd {where} && sha256sum -c --quiet {MANIFEST})\n"
        f"Train on them:  tools/dist_train.sh {recipe} 8 --cfg-options \\\n"
        f"    {key}.images.root={where} \\\n"
        f"    {key}.num_images={command.num} {key}.subset=balanced{note}"
    )


def _join(folder: ImageFolder, command: Command, shard: Shard) -> Lock | None:
    for _ in range(10):
        folder.create()
        try:
            return folder.join(command, shard)
        except FileNotFoundError:
            continue  # another run has just finished the folder and removed its state
        except OSError as error:
            raise unwritable(folder.out, error) from None
    raise GenerationError(f"{folder.out} changes all the time: are other runs being started?")


def _make(folder: ImageFolder, command: Command, shard: Shard, lock: Lock, crew: Workers) -> None:
    """Make what is missing of a shard."""
    record = folder.record(command, lock)
    places = shard.places(command.num)
    record.made[folder.lost(record, places)] = False
    due = np.flatnonzero(~record.made[places.start : places.stop]) + places.start
    done = len(places) - len(due)
    part = f" of shard {shard}" if shard.count > 1 else ""
    print(
        f"{len(due)} images{part} to make"
        + (f"; {done} are there already" if done else "")
        + f" -> {folder.out}",
        flush=True,
    )
    progress = Progress(len(places), done)
    name = f"journal-{shard.number:05d}-of-{shard.count:05d}-{lock.token}"
    try:
        with Journal(folder.state / name, command.layout, f"shard {shard}") as journal:

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


def _finish(folder: ImageFolder, command: Command, shard: Shard | None) -> np.ndarray | None:
    """Merge if nobody else is at work; return what is missing, or None."""
    try:
        with folder.guarded() as lock:
            if any(True for _ in folder.at_work()):
                record = None
            else:
                record = folder.merge(command, lock)
    except FileNotFoundError:
        if not (folder.out / MANIFEST).exists():
            raise
        record = Record(command.layout)  # another shard was the last
        record.read(folder.out / MANIFEST)
    except OSError as error:
        raise unwritable(folder.out, error) from None
    missing = None if record is None else record.missing()
    if record is not None and missing is not None and not len(missing):
        for place, reason in list(record.skipped.items())[:5]:
            if not record.made[place]:
                print(f"skipped {command.layout.path(place)}: {reason}")
        print(last_words(folder.out, command))
    elif shard is not None:
        left = "" if missing is None else f": {len(missing)} images are missing"
        print(
            f"Shard {shard} is done, others are not{left}. The last one writes the manifest "
            f"(or: tools/generate_images.py --merge {shlex.quote(str(folder.out))})."
        )
    return missing


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Let SIGTERM, which schedulers send before they kill, stop a run as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        raise InterruptedGeneration("Stopped; the same command goes on from there.") from None
    finally:
        signal.signal(signal.SIGTERM, before)
