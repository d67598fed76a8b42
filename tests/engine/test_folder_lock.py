from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import threading
import time

import pytest

from mmpmg.engine import folder_lock as module
from mmpmg.engine.folder_lock import HeldError, Lock, LockError, read_holder

fork = multiprocessing.get_context("fork")


def write_foreign(path, age=0.0, token="theirs"):
    """A lock of another machine, last touched ``age`` seconds ago."""
    holder = {"token": token, "host": "node7/boot/ns", "pid": 1, "started": "5", "shard": "3/8"}
    path.write_text(json.dumps(holder))
    touch(path, age)


def touch(path, age=0.0):
    now = time.time() - age
    os.utime(path, (now, now))


def test_one_at_a_time(tmp_path):
    path = tmp_path / "a.lock"
    lock = Lock.acquire(path, {"shard": "0/2"})
    with pytest.raises(HeldError, match=f"process {os.getpid()} on .*--shard 0/2"):
        Lock.acquire(path)
    lock.release()
    assert list(tmp_path.iterdir()) == []
    Lock.acquire(path).release()


def test_patience_waits_for_a_live_holder(tmp_path):
    first = Lock.acquire(tmp_path / "a.lock")
    threading.Timer(0.3, first.release).start()
    second = Lock.acquire(tmp_path / "a.lock", patience=20)
    assert read_holder(second.path)["token"] == second.token


def test_a_killed_process_blocks_nobody(tmp_path):
    path = tmp_path / "a.lock"

    def take_and_die():
        Lock.acquire(path)
        os.kill(os.getpid(), signal.SIGKILL)

    process = fork.Process(target=take_and_die)
    process.start()
    process.join()
    assert path.exists()
    began = time.monotonic()
    Lock.acquire(path)
    assert time.monotonic() - began < 5


def test_the_same_number_of_another_process_is_not_the_holder(tmp_path):
    path = tmp_path / "a.lock"
    holder = {**module._identity(), "token": "old", "started": "before this process"}
    path.write_text(json.dumps(holder))
    assert read_holder(path)["dead"]


def test_a_lock_of_another_machine_dies_of_silence(tmp_path, monkeypatch):
    path = tmp_path / "a.lock"
    write_foreign(path, age=module.STALE + 1)
    Lock.acquire(path).release()

    monkeypatch.setattr(module, "STALE", 1.0)
    write_foreign(path)
    began = time.monotonic()
    Lock.acquire(path)
    assert 0.5 < time.monotonic() - began < 20


def test_a_lock_of_another_machine_that_beats_is_respected(tmp_path):
    path = tmp_path / "a.lock"
    write_foreign(path, age=module.STALE - 3)
    threading.Timer(0.3, touch, [path]).start()
    with pytest.raises(HeldError, match="process 1 on node7, --shard 3/8"):
        Lock.acquire(path)
    assert read_holder(path)["token"] == "theirs"


def test_a_torn_lock_is_not_free_at_once(tmp_path, monkeypatch):
    path = tmp_path / "a.lock"
    path.write_text('{"tok')
    assert not read_holder(path)["dead"]
    touch(path, age=module.STALE + 1)
    Lock.acquire(path)


def refuse(number):
    def call(*_, **__):
        raise OSError(number, os.strerror(number))

    return call


@pytest.mark.parametrize("links", [True, False])
def test_a_full_disk_leaves_no_lock(tmp_path, monkeypatch, links):
    if links:
        monkeypatch.setattr(module.Path, "write_text", refuse(errno.ENOSPC))
    else:
        monkeypatch.setattr(module.os, "link", refuse(errno.EPERM))

        def open_full(path, mode):
            path.touch()
            return open("/dev/full", "w")

        monkeypatch.setattr(module, "open", open_full, raising=False)
    with pytest.raises(OSError, match="No space left"):
        Lock.acquire(tmp_path / "a.lock")
    assert list(tmp_path.iterdir()) == []


def test_a_file_system_without_links_has_locks_too(tmp_path, monkeypatch):
    monkeypatch.setattr(module.os, "link", refuse(errno.EPERM))
    lock = Lock.acquire(tmp_path / "a.lock")
    with pytest.raises(HeldError):
        Lock.acquire(tmp_path / "a.lock")
    lock.release()
    assert list(tmp_path.iterdir()) == []


def test_a_heartbeat_touches_the_lock_and_notices_its_loss(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BEAT", 0.0)
    lock = Lock.acquire(tmp_path / "a.lock")
    touch(lock.path, age=40)
    lock.beat()
    assert time.time() - lock.path.stat().st_mtime < 20
    write_foreign(lock.path)
    with pytest.raises(LockError, match="was lost"):
        lock.beat()
    lock.release()
    assert read_holder(lock.path)["token"] == "theirs"  # it is not ours to release
    lock.path.unlink()
    with pytest.raises(LockError, match="was lost"):
        lock.beat()


def test_of_many_that_find_a_dead_lock_one_at_a_time_has_it(tmp_path):
    """Each adds one to a number in a file, which goes wrong when two do so at once."""
    path, number = tmp_path / "a.lock", tmp_path / "number"
    number.write_text("0")
    write_foreign(path, age=1000)

    def count():
        for _ in range(20):
            lock = Lock.acquire(path, patience=60)
            value = int(number.read_text())
            time.sleep(0.0005)
            number.write_text(str(value + 1))
            lock.release()

    processes = [fork.Process(target=count) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert number.read_text() == "80"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["number"]
