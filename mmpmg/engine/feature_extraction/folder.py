"""The folder of unfinished rows beside the file that is being extracted, shared by shards."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmpmg.engine.folder_lock import STALE, Lock, describe, read_holder
from mmpmg.engine.image_generation.layout import Shard
from mmpmg.engine.image_generation.manifest import write_durably

from .errors import ExtractionError
from .settings import differences

_PATIENCE = 3600.0  # seconds: writing a file of many gigabytes takes its time


class PartsFolder:
    """``OUT.parts``, see `mmpmg.engine.feature_extraction.parts`.

    Args:
        out: the file that is being extracted.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.path = out.with_name(f"{out.name}.parts")

    @contextmanager
    def guarded(self) -> Iterator[Lock]:
        """Hold the folder's lock.

        Raises:
            LockError: another run has held it for an hour, or has taken it.
        """
        lock = Lock.acquire(self.path / "folder.lock", patience=_PATIENCE)
        try:
            yield lock
        finally:
            lock.release()

    def join(self, settings: Mapping[str, Any], shard: Shard) -> Lock:
        """Begin, or go on with what was begun with the same settings.

        Args:
            settings: that the features follow from.
            shard: which part of the videos.

        Returns:
            The lock of the shard.

        Raises:
            ExtractionError: it was begun with other settings, or others are at work on the same
                videos.
            OSError: the folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        with self.guarded():
            file = self.path / "settings.json"
            if file.exists():
                self._compare(self._settings(file), settings)
            else:
                part = self.path / "settings.part"
                write_durably(part, [json.dumps(settings, indent=1)])
                os.replace(part, file)
            for holder in self.at_work():
                if holder["count"] != shard.count or holder["number"] == shard.number:
                    raise ExtractionError(
                        f"{self.out} is being extracted by {describe(holder)}. Runs at the same "
                        "time must be different shards of one COUNT: --shard 0/8, --shard 1/8, "
                        f"... (A machine that died is forgotten after {STALE:.0f} s.)"
                    )
            return Lock.acquire(
                self.path / f"shard-{shard.number:05d}-of-{shard.count:05d}.lock",
                {"shard": str(shard), "number": shard.number, "count": shard.count},
            )

    def at_work(self) -> Iterator[dict[str, Any]]:
        """Yield the holders of live shard locks."""
        for file in sorted(self.path.glob("shard-*.lock")):
            holder = read_holder(file)
            if holder is not None and not holder["dead"] and "shard" in holder:
                yield holder

    def clean(self) -> None:
        """Remove the folder: the finished file says it all."""
        shutil.rmtree(self.path, ignore_errors=True)
        shutil.rmtree(self.path, ignore_errors=True)  # a process may have looked at its lock

    def _settings(self, file: Path) -> dict[str, Any]:
        """Read the settings that it was begun with."""
        try:
            return dict(json.loads(file.read_text()))
        except (ValueError, TypeError) as error:
            raise ExtractionError(
                f"{file} is damaged, so it is not known with which settings {self.out} was begun: "
                f"remove {self.path} to begin anew"
            ) from error

    def _compare(self, before: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
        found = differences(before, settings)
        if found:
            raise ExtractionError(
                f"{self.out} was begun with other settings: {'; '.join(found)}. Go on as it was "
                f"begun, name another --out, or remove {self.path}"
            )
