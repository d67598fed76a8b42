"""The state of a folder of images while it is being made, for one run or many machines.

::

    DIR/00012/00012_000034.png      an image: whole, as it has its name
    DIR/manifest.sha256             there when, and only when, the folder is finished
    DIR/.generation/command.json    what is being made
    DIR/.generation/journal-*       lines of the manifest, a file for each run and shard
    DIR/.generation/shard-*.lock    a shard that is at work
    DIR/.generation/folder.lock     held for moments, to look at and change all this
    DIR/.generation/tmp-*/          files that are being written, a folder for each run

A run believes an image to be made when a journal has its line and its file is there. One that is
killed between the two, or in the middle of a line, costs that image again, with the same bytes
under the same name. ``FolderImages`` passes over hidden names, and so over ``.generation``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mmpmg import typed
from mmpmg.engine.folder_lock import Lock, LockError, describe, read_holder

from .command import Command
from .errors import GenerationError
from .layout import Shard, by_category
from .manifest import (
    MANIFEST,
    Record,
    read_command,
    sync_folder,
    write_durably,
    write_manifest,
)

STATE = ".generation"
_PATIENCE = 600.0  # seconds: a merge of a million lines takes some ten


class BusyError(GenerationError):
    """Another run holds what this one asks for.

    Args:
        out: the folder.
        holder: the other, as `read_holder` describes it.
    """

    def __init__(self, out: Path, holder: dict[str, Any]) -> None:
        super().__init__(
            f"{out} is being written by {describe(holder)} (of --num {holder['num']}). Runs at the "
            "same time must have the same --num and be different shards of one COUNT: "
            "--shard 0/8, --shard 1/8, ..."
        )
        self.holder = holder


class ImageFolder:
    """A folder of images; see the module.

    Args:
        out: the folder.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.state = out / STATE

    def create(self) -> None:
        """Create the folder, unless it is there.

        Raises:
            GenerationError: it cannot be created or written to, or holds other files.
        """
        if self.out.exists() and not self.out.is_dir():
            raise GenerationError(f"--out {self.out} is a file: name a folder")
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            foreign = any(
                not path.name.startswith(".") and path.name != "lost+found"
                for path in self.out.iterdir()
            )
            if foreign and not (self.state.is_dir() or (self.out / MANIFEST).exists()):
                raise GenerationError(
                    f"--out {self.out} holds other files, and was not made by this tool: name a "
                    "new or an empty folder"
                )
            self.state.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(self.out, error) from None

    @contextmanager
    def guarded(self) -> Iterator[Lock]:
        """Hold the folder's lock.

        Raises:
            GenerationError: another run has held it for long, or has taken it.
        """
        with self.locks_explained():
            lock = Lock.acquire(self.state / "folder.lock", patience=_PATIENCE)
            try:
                yield lock
            finally:
                lock.release()

    @contextmanager
    def locks_explained(self) -> Iterator[None]:
        """Name the command and the folder in what a lock of the folder raises.

        Raises:
            GenerationError: the lock raised its own error.
        """
        try:
            yield
        except LockError as error:
            tool = typed.tool("generate_images.py")
            raise GenerationError(
                f"{tool} cannot go on in {self.out}: {error}. What is finished counts"
            ) from None

    def begun(self) -> Command | None:
        """Return the command whose run is under way or was broken off.

        Raises:
            GenerationError: its file is damaged.
        """
        file = self.state / "command.json"
        try:
            return Command.from_json(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise GenerationError(f"{file} cannot be read: {error}") from None

    def check(self, command: Command) -> None:
        """Refuse a command that is not the one that this folder is being made by.

        Raises:
            GenerationError: it differs in more than a larger ``num``.
        """
        for before in (self.begun(), read_command(self.out)):
            if before is None:
                continue
            differences = before.differences(command)
            if differences:
                raise GenerationError(
                    f"{self.out} was begun by another command: it has {'; '.join(differences)}. "
                    f"Go on as it was begun, or name another --out. It was: "
                    f"{before.shell(str(self.out))} (mmpmg {before.version}, {before.encoder})"
                )
            if before.num > command.num:
                raise GenerationError(
                    f"{self.out} was begun with --num {before.num}; --num {command.num} is fewer. "
                    "Name another --out, or take some of the images in the recipe: "
                    f"train_dataloader.dataset.num_images={command.num}, subset='balanced'"
                )

    def is_finished(self, command: Command) -> bool:
        """Tell whether every image of a command is in the manifest, and its file there."""
        if read_command(self.out) != command:
            return False
        record = Record(command.layout)
        record.read(self.out / MANIFEST)
        return bool(record.made.all()) and not len(self.lost(record, range(command.num)))

    def join(self, command: Command, shard: Shard) -> Lock | None:
        """Begin or go on.

        Args:
            command: what to make.
            shard: which part.

        Returns:
            The lock of the shard; None: the folder is finished.

        Raises:
            GenerationError: the folder is being made by another command.
            BusyError: others are at work on the same images, or may be.
            FileNotFoundError: another run has just finished the folder; ask again.
        """
        with self.guarded() as guard:
            self.check(command)
            others = list(self.at_work())
            for holder in others:
                apart = holder["count"] == shard.count and holder["num"] == command.num
                if not apart or holder["number"] == shard.number:
                    raise BusyError(self.out, holder)
            if not others and self.is_finished(command):
                self.clean()
                return None
            if self.begun() != command:
                part = self.state / "command.part"
                write_durably(part, [command.to_json()])
                os.replace(part, self.state / "command.json")
            self._reopen(command, guard)
            lock = Lock.acquire(
                self.state / f"shard-{shard.number:05d}-of-{shard.count:05d}.lock",
                {"shard": str(shard), "number": shard.number, "count": shard.count,
                 "num": command.num},
            )  # fmt: skip
            alive = {holder["token"] for holder in self.at_work()}
            for folder in self.state.glob("tmp-*"):
                if folder.name.removeprefix("tmp-") not in alive:
                    shutil.rmtree(folder, ignore_errors=True)
            (self.state / f"tmp-{lock.token}").mkdir()
            return lock

    def _reopen(self, command: Command, lock: Lock) -> None:
        """Turn the manifest into a journal, as ``num`` is larger now or files are lost.

        The journal leaves lost files out: they are made again, and the checksum that counts is
        that of what is made, whatever became of the line in the manifest.
        """
        manifest, journal = self.out / MANIFEST, self.state / "journal-before"
        file = manifest if manifest.exists() else journal
        if not file.exists():
            return
        record = Record(command.layout)
        record.read(file, lock.beat)
        lost = self.lost(record, range(command.num))
        if file == manifest or len(lost):
            record.made[lost] = False
            part = self.state / "before.part"
            write_durably(part, record.lines())
            os.replace(part, journal)
        manifest.unlink(missing_ok=True)

    def at_work(self) -> Iterator[dict]:
        """Yield the holders of live shard locks."""
        for file in sorted(self.state.glob("shard-*.lock")):
            holder = read_holder(file)
            if holder is not None and not holder["dead"] and "shard" in holder:
                yield holder

    def journals(self) -> list[str]:
        """Return the names of all journals, each with its shard and count."""
        return sorted(path.name for path in self.state.glob("journal-*-of-*"))

    def record(self, command: Command, lock: Lock) -> Record:
        """Read all journals."""
        record = Record(command.layout)
        for journal in sorted(self.state.glob("journal-*")):
            record.read(journal, lock.beat)
        return record

    def lost(self, record: Record, places: range) -> np.ndarray:
        """Return the places whose images were made and are not there any more, ascending.

        Args:
            record: what was made.
            places: among which.
        """
        lost: list[int] = []
        for category, own in by_category(record.layout, places):
            made = np.flatnonzero(record.made[own.start : own.stop]) + own.start
            if len(made):
                folder = record.layout.folder(category)
                found = _names(self.out / folder)
                paths = ((place, record.layout.path(place)) for place in made.tolist())
                lost += [place for place, path in paths if path[len(folder) + 1 :] not in found]
        return np.array(lost, np.int64)

    def merge(self, command: Command, lock: Lock) -> Record:
        """Write the manifest, if every image is made, and forget how it came about.

        Args:
            command: what was made.
            lock: the folder's.

        Returns:
            What is made; its ``missing`` is empty if the folder is finished.
        """
        record = self.record(command, lock)
        record.made[self.lost(record, range(command.num))] = False
        if not len(record.missing()):
            for category in range(min(command.num, command.num_categories)):
                lock.beat()
                sync_folder(self.out / record.layout.folder(category))
            write_manifest(self.out, command, record, self.state / "manifest.part")
            self.clean()
        return record

    def clean(self) -> None:
        """Remove the state: the manifest says it all."""
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.state, ignore_errors=True)  # a process may have looked at its lock


def _names(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()


def unwritable(path: Path, error: OSError) -> GenerationError:
    """Return the error for a place that cannot be written to."""
    return GenerationError(f"{error.filename or path} cannot be written: {error.strerror}")
