"""Who runs a cell: processes of one machine or of several share a study through its folder.

A claim is the lock that `mmpmg.engine.image_generation.lock` describes: made in one step, with a
heartbeat, dead at once with its process on this machine and after a minute's silence on another.
"""

from __future__ import annotations

from pathlib import Path

from mmpmg.engine.image_generation.errors import GenerationError
from mmpmg.engine.image_generation.lock import HeldError, Lock, read_holder
from mmpmg.evaluation.study.cells import CLAIM


class Claim:
    """A cell that nobody else runs as long as this is held; see `take`.

    Args:
        lock: That holds it.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock

    @classmethod
    def take(cls, folder: Path) -> Claim | None:
        """Claim a cell; None where a live process has it.

        Args:
            folder: The cell's folder; it is made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CLAIM
        holder = read_holder(path)
        if holder is not None and not holder["dead"]:
            return None
        try:
            return cls(Lock.acquire(path))
        except HeldError:  # another was faster
            return None

    def keep(self) -> bool:
        """Show that the holder lives; False: another process has taken the claim over."""
        try:
            self._lock.beat()
        except GenerationError:
            return False
        except OSError:  # a shared folder that hesitates; the next beat tells
            return True
        return True

    def release(self) -> None:
        """Give it back."""
        self._lock.release()
