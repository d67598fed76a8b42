"""Who runs a cell: processes of one machine or of several share a study through its folder.

A claim is the lock that `mmpmg.engine.folder_lock` describes: made in one step, with a
heartbeat, dead at once with its process on this machine and after a minute's silence on another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmpmg.engine.folder_lock import HeldError, Lock, LockError, read_holder
from mmpmg.evaluation.study.cells import CLAIM


class Claim:
    """A cell that nobody else runs as long as this is held; see `take`.

    Args:
        locks: That hold it.
    """

    def __init__(self, locks: Sequence[Lock]) -> None:
        self._locks = locks

    @classmethod
    def take(cls, folder: Path, shared: Path | None = None) -> Claim | None:
        """Claim a cell; None where a live process has it.

        Args:
            folder: The cell's folder; it is made.
            shared: A claim that it has in common with cells of other studies; None: none.
        """
        locks: list[Lock] = []
        for path in filter(None, (shared, folder / CLAIM)):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                if not is_held(path):
                    locks.append(Lock.acquire(path))
                    continue
            except HeldError:  # another was faster
                pass
            cls(locks).release()
            return None
        return cls(locks)

    def keep(self) -> bool:
        """Show that the holder lives; False: another process has taken the claim over."""
        try:
            for lock in self._locks:
                lock.beat()
        except LockError:
            return False
        except OSError:  # a shared folder that hesitates; the next beat tells
            return True
        return True

    def release(self) -> None:
        """Give it back."""
        for lock in self._locks:
            lock.release()


def is_held(path: Path) -> bool:
    """Whether a live process holds a claim."""
    holder = read_holder(path)
    return holder is not None and not holder["dead"]
