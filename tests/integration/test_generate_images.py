"""tools/generate_images.py as a process that is killed."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import re
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine.image_generation.dot_images import content, use_dots
from integration.tiny_runs import ROOT

from mmpmg.engine.image_generation.folder import STATE
from mmpmg.engine.image_generation.manifest import MANIFEST

TOOL = ROOT / "tools/generate_images.py"
DOTS = ["dots", "--num", "240", "--num-categories", "7", "--options", "delay=0.004"]


def run_here(arguments: list[str], log: Path) -> None:
    """Become the tool; what it says goes to a log."""
    os.setsid()
    # A suite that was started in the background ignores it, and so would what it starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
    sys.argv = [str(TOOL), *arguments]
    try:
        runpy.run_path(str(TOOL), run_name="__main__")
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(99)
    sys.stdout.flush()
    os._exit(0)


def start(arguments: list[str], log: Path) -> multiprocessing.process.BaseProcess:
    """Start the tool as a process of its own, without the seconds that imports take."""
    fork = multiprocessing.get_context("fork")
    process = fork.Process(target=run_here, args=(arguments, log))
    process.start()
    return process


def kill(process: multiprocessing.process.BaseProcess, workers_too: bool) -> None:
    os.kill(process.pid, signal.SIGKILL)
    if workers_too:
        with contextlib.suppress(ProcessLookupError):  # it had not yet come so far
            os.killpg(process.pid, signal.SIGKILL)
    process.join()


def finish(arguments: list[str], log: Path) -> None:
    process = start(arguments, log)
    process.join()
    assert process.exitcode == 0, log.read_text()


def count(out: Path) -> int:
    return len(list(out.glob("*/*.png")))


@pytest.fixture(autouse=True)
def _dots(monkeypatch):
    use_dots(monkeypatch)
    from mmpmg.engine.image_generation import SOURCES

    assert "dots" in SOURCES  # the tool's choices


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        use_dots(patch)
        finish([*DOTS, "--workers", "1", "--out", str(folder / "dots")], folder / "log")
    return content(folder / "dots")


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_moments_it_ends_with_the_same_folder(tmp_path, whole, seed):
    """SIGKILL, to the process alone or to its workers too, until it is through."""
    rng = random.Random(seed)
    out, log = tmp_path / "dots", tmp_path / "log"
    arguments = [*DOTS, "--workers", "2", "--out", str(out)]
    kills, progress = 0, [0]
    while True:
        process = start(arguments, log)
        process.join(rng.uniform(0.02, 0.15) * (1 + kills / 10))  # a busy machine needs longer
        if process.exitcode is not None:
            break
        kill(process, workers_too=rng.random() < 0.5)
        kills += 1
        assert kills < 60
        assert not (out / MANIFEST).exists() or content(out).items() >= whole.items()
        for path in out.glob("*/*.png"):  # none is half-written
            assert path.read_bytes() == whole[str(path.relative_to(out))]
        progress.append(count(out))
    assert process.exitcode == 0, log.read_text()
    assert content(out) == whole
    assert kills >= 3
    assert len(set(progress)) > 2 and progress == sorted(progress)  # killed in the middle of it


def test_killed_shards_end_with_the_same_folder(tmp_path, whole):
    """Three shards at once, each killed a few times and started again."""
    rng = random.Random(5)
    out, log = tmp_path / "dots", tmp_path / "log"
    arguments = [
        [*DOTS, "--workers", "1", "--out", str(out), "--shard", f"{n}/3"] for n in range(3)
    ]
    left, kills = {}, 0
    for number in range(3):
        left[number] = start(arguments[number], log)
    while left:
        time.sleep(0.05)
        number = rng.choice(list(left))
        process = left[number]
        if process.exitcode is None and kills < 12:
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
            kills += 1
            left[number] = start(arguments[number], log)
        elif process.exitcode is not None:
            if process.exitcode > 0:
                pytest.fail(log.read_text())
            left.pop(number)
    assert content(out) == whole
    assert kills > 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_says_how_to_go_on(tmp_path, whole, number):
    out, log = tmp_path / "dots", tmp_path / "log"
    arguments = [*DOTS, "--workers", "2", "--out", str(out)]
    process = start(arguments, log)
    while count(out) < 20:
        time.sleep(0.01)
    os.killpg(process.pid, number)  # as a terminal and Slurm do
    process.join(20)
    assert process.exitcode == 130
    text = log.read_text()
    assert "Traceback" not in text
    assert "of 240 images are finished and none is half-written; the same command" in text
    assert list(out.glob(f"{STATE}/*.lock")) == list(out.glob(f"{STATE}/tmp-*")) == []
    before = count(out)
    finish(arguments, log)
    made, there = re.findall(
        r"(\d+) images to make with 2 workers; (\d+) are there", log.read_text()
    )[0]
    assert int(made) + int(there) == 240
    assert before - 2 <= int(there) <= before  # each worker's last may not have been noted
    assert content(out) == whole


def test_a_failure_is_one_message_and_status_1(tmp_path):
    log = tmp_path / "log"
    process = start([*DOTS, "--out", str(tmp_path), "--shard", "9/8"], log)
    process.join()
    assert process.exitcode == 1
    assert log.read_text().startswith("error: --shard 9/8: shards count from 0, so 0/8 to 7/8")
    assert len(log.read_text().splitlines()) == 1


@pytest.mark.slow
def test_from_the_command_line(tmp_path):
    """The tool as a user starts it: generate, be killed, go on, verify."""
    out = tmp_path / "shaders"
    command = [sys.executable, str(TOOL)]
    arguments = ["shaders", "--num", "60", "--num-categories", "4", "--size", "24"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def run(*more: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [*command, *more], capture_output=True, text=True, cwd=tmp_path, env=environment
        )

    process = subprocess.Popen(
        [*command, *arguments, "--out", str(out), "--workers", "2"],
        cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and count(out) < 5:
        time.sleep(0.002)
    process.kill()
    process.wait()
    assert not (out / MANIFEST).exists()
    finished = run(*arguments, "--out", str(out), "--workers", "1")
    assert finished.returncode == 0, finished.stderr
    assert "there already" in finished.stdout
    assert f"60 images of 4 categories are in {out}" in finished.stdout
    check = ["sha256sum", "-c", "--quiet", MANIFEST]
    assert subprocess.run(check, cwd=out).returncode == 0
    (out / "00002/00002_000003.png").write_bytes(b"")
    verified = run("--verify", str(out))
    assert verified.returncode == 1 and "changed: 00002/00002_000003.png" in verified.stderr
