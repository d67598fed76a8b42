"""Processes that read videos survive files that crash or hang them."""

import os
import signal
import time

import pytest

from mmpmg.datasets.preparation import PreparationError, video_processes
from mmpmg.datasets.preparation.video_processes import ReadFailure, read_videos
from mmpmg.datasets.video_reading import VideoReadError


def length(path):
    if "crash" in path:
        os.kill(os.getpid(), signal.SIGKILL)
    if "hang" in path:
        time.sleep(60)
    if "bad" in path:
        raise VideoReadError(path, "cannot be decoded")
    if "absent" in path:
        raise ImportError("No module named 'decord'")
    if "bug" in path:
        raise KeyError("mine")
    return len(path)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_video_is_answered_once_whatever_the_others_do(workers):
    paths = [f"{k:0{k % 7 + 1}d}" for k in range(60)]
    paths[3], paths[4], paths[30], paths[59] = "crash", "crash", "bad", "crash"
    paths[17] = "hang"
    answers = list(read_videos(length, paths, workers, timeout=1.5))
    assert sorted(number for number, _ in answers) == list(range(60))
    for number, result in answers:
        path = paths[number]
        expected = {
            "crash": ReadFailure("crashed the process that read it (SIGKILL)"),
            "hang": ReadFailure("was not read within 2 s"),
            "bad": ReadFailure("cannot be decoded"),
        }.get(path, len(path))
        assert result == expected, path


def test_other_errors_are_raised_and_no_process_is_left():
    with pytest.raises(KeyError, match="mine"):
        list(read_videos(length, ["a", "bug", "b"], 2))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_machine_without_decord_is_told_what_to_do():
    with pytest.raises(PreparationError, match="'decord'; .*pip install decord.*--no-open"):
        list(read_videos(length, ["absent"], 1))


def test_stopping_early_leaves_no_process():
    answers = read_videos(length, ["a"] * 100 + ["hang"], 2)
    next(answers)
    answers.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_nothing_to_read():
    assert list(read_videos(length, [], 2)) == []


def test_fewer_than_no_processes_are_refused():
    with pytest.raises(PreparationError, match=r"--workers -1: must be 1 or more, or 0"):
        list(read_videos(length, ["a", "b"], -1))


def test_videos_that_nobody_read_are_no_good_videos(monkeypatch):
    monkeypatch.setattr(video_processes, "_cores", lambda: 0)
    with pytest.raises(PreparationError, match="only 0 of 2 videos were read"):
        list(read_videos(length, ["a", "b"], 0))
