"""What forked tools leave behind where a test ends before them."""

import multiprocessing
import time

import pytest
from integration import forked_tools
from integration.forked_tools import call_in_two


def wait(rank):
    time.sleep(300)


def fail_alone(rank):
    time.sleep(300 * rank)
    raise SystemExit(3)


def test_an_interrupted_test_ends_its_processes(monkeypatch):
    """Else Python, and with it Ctrl-C, would wait at its end until they have trained."""

    def interrupt(seconds):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(forked_tools.time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            call_in_two(wait)
    assert not multiprocessing.active_children()


def test_where_one_fails_the_other_is_ended():
    with pytest.raises(AssertionError, match=r"\[3, -9\]"):
        call_in_two(fail_alone)
    assert not multiprocessing.active_children()
