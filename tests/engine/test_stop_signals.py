from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

import pytest

from mmpmg.engine import stop_signals as module
from mmpmg.engine.stop_signals import sigterm_as_interrupt

fork = multiprocessing.get_context("fork")


def stopped_process(pipe, repeats: float) -> None:
    """Work, be stopped, and be signalled again while tidying up; report what has happened."""
    module._REPEATS = repeats
    before, told = signal.getsignal(signal.SIGTERM), []
    try:
        with sigterm_as_interrupt():
            try:
                pipe.send("at work")
                time.sleep(60)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)
                told.append("tidied up")
    except KeyboardInterrupt:
        told.append("interrupted")
    pipe.send([*told, signal.getsignal(signal.SIGTERM) is before])


@pytest.mark.parametrize(("repeats", "tidied"), [(60.0, ["tidied up"]), (0.0, [])])
def test_a_process_is_interrupted_by_sigterm(repeats, tidied):
    """A repetition does not break the tidying up; one much later does, as Ctrl-C would."""
    ours, theirs = fork.Pipe()
    process = fork.Process(target=stopped_process, args=(theirs, repeats))
    process.start()
    assert ours.recv() == "at work"
    os.kill(process.pid, signal.SIGTERM)
    assert ours.poll(30)
    assert ours.recv() == [*tidied, "interrupted", True]
    process.join(30)
    assert process.exitcode == 0


def test_in_a_thread_signals_stay_as_they_are():
    before, found = signal.getsignal(signal.SIGTERM), []

    def work():
        with sigterm_as_interrupt():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]
