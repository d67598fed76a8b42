"""Long work stops at a scheduler's signal as it does at Ctrl-C."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

# Seconds in which a repeated SIGTERM does not break the tidying up: where Slurm signals every
# process of a job, srun hands its own on as well.
_REPEATS = 5.0


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt at SIGTERM too, which schedulers send before they kill.

    Only the main thread may say what a signal does; in another one nothing is changed.
    """
    came: list[float] = []

    def stop(*_: object) -> None:
        if came and time.monotonic() - came[-1] < _REPEATS:
            return
        came.append(time.monotonic())
        _bear_dead_workers()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _bear_dead_workers() -> None:
    """Have PyTorch raise no error, wherever this process is, about workers that SIGTERM ended."""
    before = signal.getsignal(signal.SIGCHLD)
    if not callable(before):
        return

    def tell(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(RuntimeError):
            before(number, frame)

    signal.signal(signal.SIGCHLD, tell)
