"""Images to disk, from one process of tests; killed processes: tests/integration."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from engine.image_generation.dot_images import DotImages, content, use_dots
from mmaction.registry import DATASETS
from mmengine.config import Config, DictAction

from mmpmg.datasets import FolderImages, ImageToPseudoVideo
from mmpmg.engine import folder_lock
from mmpmg.engine.image_generation import (
    SOURCES,
    GenerationError,
    GenerationOptions,
    folder,
    generate,
    image_files,
    merge,
    run,
    verify,
)
from mmpmg.engine.image_generation.folder import STATE, ImageFolder
from mmpmg.engine.image_generation.manifest import MANIFEST

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _dots(monkeypatch):
    use_dots(monkeypatch)


def dots(out: Path, num: int = 23, **options) -> None:
    options.setdefault("workers", 1)
    generate(GenerationOptions(source="dots", num=num, out=str(out), **options))


def refusal(out: Path, **options) -> str:
    with pytest.raises(GenerationError) as error:
        dots(out, **options)
    return str(error.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What one worker makes of 23 images, uninterrupted."""
    with pytest.MonkeyPatch.context() as patch:
        use_dots(patch)
        out = tmp_path_factory.mktemp("whole") / "dots"
        dots(out)
    return content(out)


def test_the_folder_is_the_source(tmp_path, whole):
    dots(tmp_path / "dots")
    source = DotImages()
    folder = FolderImages(str(tmp_path / "dots"), cache=False)
    assert len(folder) == 23
    seen = set()
    for number in range(23):
        category, instance = map(int, re.findall(r"\d+", Path(folder.name(number)).stem))
        index = instance * source.num_categories + category
        np.testing.assert_array_equal(folder.load(number), source.load(index))
        assert folder.categories()[number] == category
        seen.add(index)
    assert seen == set(range(23))
    balanced = ImageToPseudoVideo(
        images=dict(type="FolderImages", root=str(tmp_path / "dots"), cache=False),
        num_images=20,
        subset="balanced",
        pipeline={},
    )
    assert len(balanced) == 20


@pytest.mark.parametrize("count", [2, 4])
def test_any_number_of_workers_makes_the_same_folder(tmp_path, whole, count):
    dots(tmp_path, workers=count)
    assert content(tmp_path) == whole


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_shards_make_the_same_folder(tmp_path, whole, order, capsys):
    for number in order:
        assert not (tmp_path / MANIFEST).exists()
        dots(tmp_path, shard=f"{number}/3")
    assert content(tmp_path) == whole
    output = capsys.readouterr().out
    assert output.count("is done, others are not") == 2
    assert output.count("Train on them") == 1


def test_shards_at_the_same_time_make_the_same_folder(tmp_path, whole):
    fork = multiprocessing.get_context("fork")
    shards = [
        fork.Process(
            target=dots, args=(tmp_path,), kwargs=dict(shard=f"{n}/4", options={"delay": 0.0})
        )
        for n in range(4)
    ]
    for process in shards:
        process.start()
    for process in shards:
        process.join()
    assert [process.exitcode for process in shards] == [0] * 4
    assert content(tmp_path) == whole


def test_a_repetition_changes_nothing(tmp_path, whole, capsys):
    dots(tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    dots(tmp_path)
    assert "All images are there already" in capsys.readouterr().out
    assert content(tmp_path) == whole
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}


def test_a_larger_number_extends(tmp_path, whole):
    dots(tmp_path, num=8)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.png")}
    dots(tmp_path, num=17, shard="1/2")
    assert not (tmp_path / MANIFEST).exists()  # not finished any more
    dots(tmp_path, num=17, shard="0/2")
    dots(tmp_path, num=23)
    assert content(tmp_path) == whole
    assert times.items() <= {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.png")}.items()


def test_a_smaller_number_is_refused(tmp_path):
    dots(tmp_path)
    before = content(tmp_path)
    message = refusal(tmp_path, num=22)
    assert "--num 23; --num 22 is fewer" in message and "dataset.num_images=22" in message
    assert {k: v for k, v in content(tmp_path).items() if STATE not in k} == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(size=7), "size 6, not 7"),
        (dict(seed=1), "seed 0, not 1"),
        (dict(num_categories=6), "num_categories 5, not 6"),
        (dict(format="jpeg"), "format png, not jpeg"),
        (dict(options={"delay": 0.001}), "delay 0.0, not 0.001"),
    ],
)
@pytest.mark.parametrize("finished", [True, False])
def test_another_command_is_refused(tmp_path, whole, options, words, finished):
    dots(tmp_path, shard="0/1" if finished else "0/2")
    message = refusal(tmp_path, **options)
    assert words in message
    assert "tools/generate_images.py dots --num 23" in message
    if not finished:
        dots(tmp_path, shard="1/2")
    dots(tmp_path)
    assert content(tmp_path) == whole


def test_another_source_version_or_generator_is_refused(tmp_path, monkeypatch):
    dots(tmp_path)
    with pytest.raises(GenerationError, match="source dots, not shaders"):
        generate(GenerationOptions("shaders", 23, str(tmp_path), 1, size=16))
    monkeypatch.setattr("mmpmg.engine.image_generation.command.__version__", "99")
    assert "version 0" in refusal(tmp_path) and "not 99" in refusal(tmp_path)
    monkeypatch.undo()
    use_dots(monkeypatch)
    load = DotImages.load
    monkeypatch.setattr(DotImages, "load", lambda self, index: 255 - load(self, index))
    assert "another generator made it" in refusal(tmp_path)


def test_other_files_of_the_user_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(DotImages, "fingerprint", lambda self: "ab" * 32, raising=False)
    dots(tmp_path)
    monkeypatch.setattr(DotImages, "fingerprint", lambda self: "cd" * 32)
    message = refusal(tmp_path, num=30)
    assert "fingerprint abababababab, not cdcdcdcdcdcd): the shaders differ" in message
    assert "fingerprint=" not in message  # it is no option
    monkeypatch.setattr(DotImages, "fingerprint", lambda self: "ab" * 32)
    dots(tmp_path, num=30)


def test_more_memory_than_there_is_is_one_message(tmp_path, monkeypatch):
    def load(self, index):
        raise MemoryError("Unable to allocate 224 GiB")

    monkeypatch.setattr(DotImages, "load", load)
    message = refusal(tmp_path)
    assert "lower --size" in message and "Traceback" not in message


def test_a_folder_of_other_files_is_refused(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"photo")
    assert "holds other files" in refusal(tmp_path)
    assert content(tmp_path) == {"holiday.jpg": b"photo"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(num=0), "--num 0: must be 1 or more"),
        (dict(num=-5), "--num -5"),
        (dict(workers=-1), "--workers -1"),
        (dict(shard="3/3"), "0/3 to 2/3"),
        (dict(size=0), "size=0"),
        (dict(seed=-1), "seed=-1"),
        (dict(num_categories=0), "num_categories=0"),
        (dict(format="gif"), "png, jpeg"),
        (dict(options={"sise": 3}), "takes no sise"),
        (dict(options={"images_per_category": 3}), "--num says"),
    ],
)
def test_an_illegal_option_is_refused_before_anything_is_made(tmp_path, options, words):
    assert words in refusal(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_an_argument_that_a_source_needs_is_named(tmp_path, monkeypatch):
    class RootImages(DotImages):
        def __init__(self, root: str, num_categories: int = 2) -> None:
            super().__init__(num_categories)

    monkeypatch.setitem(SOURCES, "root", "RootImages")
    monkeypatch.setitem(DATASETS._module_dict, "RootImages", RootImages)
    with pytest.raises(GenerationError, match="root needs --options root=..."):
        generate(GenerationOptions("root", 5, str(tmp_path)))


def test_a_source_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(SOURCES, "later", "LaterImages")
    with pytest.raises(GenerationError, match="no LaterImages; it has .*shaders"):
        generate(GenerationOptions("later", 5, str(tmp_path)))
    with pytest.raises(GenerationError, match="nonsense: must be one of"):
        generate(GenerationOptions("nonsense", 5, str(tmp_path)))


def test_out_must_be_a_folder_that_can_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file: name a folder" in refusal(tmp_path / "file")
    assert "below cannot be written: Not a directory" in refusal(tmp_path / "file" / "below")
    message = refusal(Path("/proc/images"))  # for root, too
    assert "/proc/images cannot be written" in message


def test_jpeg(tmp_path):
    dots(tmp_path, format="jpeg", size=32)
    folder = FolderImages(str(tmp_path), cache=False)
    assert len(folder) == 23 and folder.name(0).endswith("00000_000000.jpg")
    assert folder.load(0).shape == (32, 32, 3)
    verify(str(tmp_path))


def test_height_and_width(tmp_path):
    dots(tmp_path, num=5, size=[4, 9])
    assert FolderImages(str(tmp_path), cache=False).load(0).shape == (4, 9, 3)


def test_a_lost_file_is_made_again(tmp_path, whole):
    dots(tmp_path, shard="0/2")
    (tmp_path / "00000/00000_000001.png").unlink()
    dots(tmp_path)
    assert content(tmp_path) == whole
    (tmp_path / "00003/00003_000002.png").unlink()
    dots(tmp_path)
    assert content(tmp_path) == whole


@pytest.mark.parametrize("killed", [False, True])
def test_a_wrong_checksum_is_mended_by_making_its_file_again(tmp_path, whole, monkeypatch, killed):
    dots(tmp_path)
    text = (tmp_path / MANIFEST).read_text()
    at = text.index("  00003/00003_000001.png") - 1
    wrong = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
    (tmp_path / MANIFEST).write_text(wrong)
    with pytest.raises(GenerationError, match=r"changed: 00003/00003_000001\.png"):
        verify(str(tmp_path))
    if killed:  # the manifest is a journal already when the user removes the file
        (tmp_path / STATE).mkdir()
        (tmp_path / STATE / "journal-before").write_text(wrong)
        (tmp_path / MANIFEST).unlink()
    (tmp_path / "00003/00003_000001.png").unlink()
    dots(tmp_path)
    assert content(tmp_path) == whole


def test_what_a_killed_run_left_behind_is_removed(tmp_path, whole):
    dots(tmp_path, shard="0/2")
    left = tmp_path / STATE / "tmp-0123456789abcdef"
    left.mkdir()
    (left / "77.part").write_bytes(b"half of an im")
    (tmp_path / STATE / "journal-00001-of-00002-0123").write_text("# shard 1/2\nab12")
    (tmp_path / "00004").mkdir(exist_ok=True)
    (tmp_path / "00004/00004_000000.png").write_bytes(b"whole, but not in a journal")
    dots(tmp_path, shard="1/2")
    assert content(tmp_path) == whole


@pytest.mark.parametrize("fault", ["raise 3 2", "die 3 2"])
def test_a_fault_of_the_generator_ends_the_run_and_loses_nothing(tmp_path, fault):
    trouble = tmp_path / "trouble"
    good, out = tmp_path / "good", tmp_path / "dots"
    dots(good, options={"trouble": str(trouble)})
    trouble.write_text(fault)
    message = refusal(out, workers=2, options={"trouble": str(trouble)})
    if fault.startswith("die"):
        assert re.search(r"worker \(process \d+\) was killed by SIGKILL while it made", message)
        assert "00003/00003_0000" in message and "lower --size" in message
    else:
        assert "dots(0, (3, 2)) failed: ZeroDivisionError: no dots today" in message
    assert "the same command goes on" in message
    assert not (out / MANIFEST).exists()
    for path in out.glob("*/*.png"):
        assert path.read_bytes() == (good / path.relative_to(out)).read_bytes()
    trouble.unlink()
    dots(out, workers=2, options={"trouble": str(trouble)})
    assert content(out) == content(good)


def test_an_image_that_cannot_be_made_is_skipped_and_named(tmp_path, capsys):
    trouble, out, good = tmp_path / "trouble", tmp_path / "dots", tmp_path / "good"
    options = {"trouble": str(trouble)}
    dots(good, options=options)
    trouble.write_text("refuse 3 2")
    dots(out, options=options)
    assert "skipped 00003/00003_000002.png: it does not" in capsys.readouterr().out
    line = '# skipped 00003/00003_000002.png: "it does not\\ncompile"\n'
    assert line in (out / MANIFEST).read_text()
    assert len(FolderImages(str(out), cache=False)) == 22
    verify(str(out))
    assert "all 22 images" in capsys.readouterr().out
    dots(out, options=options)  # tries again
    assert line in (out / MANIFEST).read_text()
    for number in (1, 0):
        dots(tmp_path / "shards", shard=f"{number}/2", options=options)
    assert content(tmp_path / "shards") == content(out)
    trouble.unlink()  # mended
    dots(out, options=options)
    assert content(out) == content(good)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount")
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("count", [1, 2])
def test_a_disk_that_runs_full(tmp_path, small_disk, count):
    out = small_disk / "dots"
    message = refusal(out, workers=count, num=100, size=48)  # some 600 KB
    assert "No space left on device" in message
    assert re.search(r"\d+ of 100 images are finished and none is half-written", message)
    good = tmp_path / "good"
    dots(good, num=100, size=48)
    made = list(out.glob("*/*.png"))
    assert 10 < len(made) < 100
    for path in made:
        assert path.read_bytes() == (good / path.relative_to(out)).read_bytes()
    assert list(out.rglob("*.part")) == [] and not (out / MANIFEST).exists()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    dots(out, num=100, size=48)
    assert content(out) == content(good)


def test_a_disk_that_refuses_without_a_file_system_of_its_own(tmp_path, whole, monkeypatch):
    """As above, where nothing can be mounted: fsync says that the disk is full."""
    fsync, calls = os.fsync, []

    def full(handle):
        calls.append(handle)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(image_files.os, "fsync", full)
        message = refusal(tmp_path)
    assert "No space left on device" in message
    assert list(tmp_path.rglob("*.part")) == [] and not (tmp_path / MANIFEST).exists()
    dots(tmp_path)
    assert content(tmp_path) == whole


def test_a_worker_that_dies_while_it_writes_leaves_no_file_of_that_name(
    tmp_path, whole, monkeypatch
):
    fsync, parent = os.fsync, os.getpid()

    def die(handle):
        if os.getpid() != parent and "00002_000003" in str(sorted(tmp_path.glob("00002/*"))):
            os.kill(os.getpid(), signal.SIGKILL)
        fsync(handle)

    with monkeypatch.context() as patch:
        patch.setattr(image_files.os, "fsync", die)
        assert "was killed by SIGKILL" in refusal(tmp_path)
    images = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*.png")}
    assert len(images) == 14 and "00002/00002_000004.png" not in images
    assert all(content(tmp_path)[path] == whole[path] for path in images)
    dots(tmp_path)
    assert content(tmp_path) == whole


def test_of_two_commands_that_begin_at_once_one_is_refused(tmp_path):
    fork = multiprocessing.get_context("fork")

    def begin(seed: int) -> None:
        try:
            dots(tmp_path / "dots", seed=seed, options={"delay": 0.01})
        except GenerationError as error:
            print(error)
            os._exit(1)

    both = [fork.Process(target=begin, args=(seed,)) for seed in (0, 1)]
    for process in both:
        process.start()
    for process in both:
        process.join()
    codes = [process.exitcode for process in both]
    assert sorted(codes) == [0, 1]
    dots(tmp_path / "alone", seed=codes.index(0), options={"delay": 0.01})
    assert content(tmp_path / "dots") == content(tmp_path / "alone")


def test_two_runs_at_once(tmp_path_factory, tmp_path, whole):
    trouble = tmp_path_factory.mktemp("trouble") / "hold"
    trouble.write_text("hold 2 0")  # not the first, which is drawn before a run is one
    slow = {"trouble": str(trouble)}
    first = multiprocessing.get_context("fork").Process(
        target=dots, args=(tmp_path,), kwargs=dict(shard="0/2", options=slow)
    )
    first.start()
    while not list(tmp_path.glob(f"{STATE}/shard-*.lock")):
        time.sleep(0.01)
    same = refusal(tmp_path, shard="0/2", options=slow)
    assert f"process {first.pid}" in same and "--shard 0/2" in same and "--shard 1/8" in same
    assert "is being written by" in refusal(tmp_path, options=slow)
    assert "is being written by" in refusal(tmp_path, shard="1/3", options=slow)
    assert "is being written by" in refusal(tmp_path, shard="1/2", num=30, options=slow)
    with pytest.raises(GenerationError, match="still at work"):
        merge(str(tmp_path))
    dots(tmp_path, shard="1/2", options=slow)  # a shard of its own
    trouble.unlink()
    first.join()
    assert first.exitcode == 0
    assert {k: v for k, v in content(tmp_path).items() if k != MANIFEST} == {
        k: v for k, v in whole.items() if k != MANIFEST
    }
    assert not (tmp_path / STATE).exists()


def write_foreign_lock(out: Path) -> Path:
    """A run on another machine, whose heart has just beaten."""
    (out / STATE).mkdir()
    holder = {"token": "theirs", "host": "node7/boot/ns", "pid": 7, "started": "1",
              "shard": "0/1", "number": 0, "count": 1, "num": 23}  # fmt: skip
    path = out / STATE / "shard-00000-of-00001.lock"
    path.write_text(json.dumps(holder))
    return path


def test_a_dead_run_of_another_machine_is_waited_for(tmp_path, whole, monkeypatch, capsys):
    write_foreign_lock(tmp_path)
    monkeypatch.setattr(folder_lock, "STALE", 1.0)
    dots(tmp_path)
    assert "to see whether process 7 on node7, --shard 0/1 is alive" in capsys.readouterr().out
    assert content(tmp_path) == whole


def test_a_live_run_of_another_machine_is_respected(tmp_path):
    path = write_foreign_lock(tmp_path)
    threading.Timer(0.8, os.utime, [path]).start()
    assert "is being written by process 7 on node7, --shard 0/1" in refusal(tmp_path)
    assert list(tmp_path.glob("0*")) == []


def test_a_lock_s_fault_names_the_command_and_the_folder(tmp_path, whole, monkeypatch):
    (tmp_path / STATE).mkdir()
    held = folder_lock.Lock.acquire(tmp_path / STATE / "folder.lock")
    with monkeypatch.context() as patch:
        patch.setattr(folder, "_PATIENCE", 0.0)
        message = refusal(tmp_path)
    assert f"tools/generate_images.py cannot go on in {tmp_path}: process {os.getpid()}" in message
    held.release()

    def lose(self, place, said):
        for file in tmp_path.glob(f"{STATE}/shard-*.lock"):
            file.unlink()
        add(self, place, said)

    add = run.Journal.add
    with monkeypatch.context() as patch:
        patch.setattr(folder_lock, "BEAT", 0.0)
        patch.setattr(run.Journal, "add", lose)
        message = refusal(tmp_path)
    assert f"tools/generate_images.py cannot go on in {tmp_path}: the lock" in message
    assert re.search(r"\d+ of 23 images are finished .*the same command goes on", message)
    dots(tmp_path)
    assert content(tmp_path) == whole


SMALL = {
    "fractaldb": dict(size=32, options={"points": 2000}),
    "visual-atom": dict(size=48),
    "shaders": dict(size=32),
    "perlin": dict(size=32),
}


@pytest.mark.parametrize("source", SMALL)
def test_every_generator_makes_the_same_folder_however_it_is_split(tmp_path, source):
    """Issue 3, "must show" 1: 1 worker, 4 workers and 3 merged shards."""

    def make(out: str, **options) -> dict[str, bytes]:
        options = {"num": 20, "num_categories": 3, **SMALL[source], **options}
        generate(GenerationOptions(source=source, out=str(tmp_path / out), **options))
        return content(tmp_path / out)

    one = make("one", workers=1)
    assert make("four", workers=4) == one
    for number in (1, 2, 0):
        merged = make("merged", workers=2, shard=f"{number}/3")
    assert merged == one
    verify(str(tmp_path / "one"))


def test_merging(tmp_path, whole, monkeypatch, capsys):
    with pytest.raises(GenerationError, match="no run has begun"):
        merge(str(tmp_path))
    dots(tmp_path, shard="2/3")
    with pytest.raises(GenerationError) as error:
        merge(str(tmp_path))
    message = str(error.value)
    assert "15 of 23 images are missing (--shard 0/3 lacks 7, --shard 1/3 lacks 8)" in message
    dots(tmp_path, shard="0/3")
    with monkeypatch.context() as patch:  # a network file system hid the others' last lines
        patch.setattr(ImageFolder, "merge", lambda self, command, lock: self.record(command, lock))
        dots(tmp_path, shard="1/3")
    assert not (tmp_path / MANIFEST).exists()
    merge(str(tmp_path))
    assert content(tmp_path) == whole
    merge(str(tmp_path))
    assert content(tmp_path) == whole


@pytest.mark.parametrize("left", [[], ["command.json"], ["journal-00000-of-00001-ab"]])
def test_merging_cleans_what_a_run_that_was_killed_at_its_end_left(tmp_path, whole, capsys, left):
    dots(tmp_path)
    (tmp_path / STATE).mkdir()
    head = (tmp_path / MANIFEST).read_text().splitlines()[1].removeprefix("# ")
    for name in left:
        (tmp_path / STATE / name).write_text(head)
    merge(str(tmp_path))
    assert "is finished" in capsys.readouterr().out
    assert not (tmp_path / STATE).exists()
    assert content(tmp_path) == whole


def test_verifying(tmp_path, capsys):
    with pytest.raises(GenerationError, match="was not made by"):
        verify(str(tmp_path))
    dots(tmp_path, num=200, shard="0/2")
    with pytest.raises(GenerationError, match="not finished: run again: tools/generate_images.py"):
        verify(str(tmp_path))
    dots(tmp_path, num=200, shard="1/2")
    good = content(tmp_path)
    verify(str(tmp_path), workers=2)
    assert "all 200 images are as" in capsys.readouterr().out

    (tmp_path / "00000/00000_000001.png").unlink()
    data = bytearray((tmp_path / "00001/00001_000002.png").read_bytes())
    data[-20] ^= 1
    (tmp_path / "00001/00001_000002.png").write_bytes(data)
    (tmp_path / "00001/holiday.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    (tmp_path / "00009").mkdir()
    (tmp_path / "00009/00009_000000.png").write_bytes(b"")
    for path in (tmp_path / "00004").iterdir():
        path.unlink()
    with pytest.raises(GenerationError) as error:
        verify(str(tmp_path))
    lines = str(error.value).splitlines()
    assert "  missing: 00000/00000_000001.png" in lines
    assert "  missing: 21 more" in lines  # 41, of which 20 are named
    assert [line for line in lines if "changed" in line and "Remove" not in line] == [
        "  changed: 00001/00001_000002.png"
    ]
    assert sum("  extra:" in line for line in lines) == 3

    for path in ("00001/00001_000002.png", "00001/holiday.jpg", "notes.txt",
                 "00009/00009_000000.png"):  # fmt: skip
        (tmp_path / path).unlink()
    dots(tmp_path, num=200)  # as the message says
    assert content(tmp_path) == good


def test_a_damaged_manifest_is_found(tmp_path):
    dots(tmp_path)
    text = (tmp_path / MANIFEST).read_text()
    (tmp_path / MANIFEST).write_text(text[: len(text) // 2])
    with pytest.raises(GenerationError, match="is damaged: it names"):
        verify(str(tmp_path))


def test_a_manifest_that_names_too_many_images_is_damaged(tmp_path):
    dots(tmp_path)
    text = (tmp_path / MANIFEST).read_text()
    (tmp_path / MANIFEST).write_text(text.replace('"num": 23', '"num": 1000000000', 1))
    with pytest.raises(GenerationError, match="too short for the 1000000000 images"):
        verify(str(tmp_path))


def test_the_last_words_train(tmp_path, capsys):
    """What the tool says at the end is a recipe that exists, with keys that it has."""
    out = tmp_path / "my&dots"
    dots(out)
    words = capsys.readouterr().out
    assert words.splitlines()[0] == f"23 images to make with 1 worker -> {out}"
    assert f"23 images of 5 categories are in '{out}'" in words
    command = shlex.split(words.partition("Train on them:")[2].replace("\\\n", ""))
    assert command[0] == "tools/dist_train.sh" and (ROOT / command[0]).exists()
    config = Config.fromfile(ROOT / command[1])
    pairs = (word.split("=", 1) for word in command[command.index("--cfg-options") + 1 :])
    changes = {key: DictAction._parse_iterable(value) for key, value in pairs}
    config.merge_from_dict(changes)
    dataset = config.train_dataloader.dataset
    source = FolderImages(dataset.images.root, cache=False)
    assert dataset.images.type == "FolderImages"
    assert len(source) == 23 == dataset.num_images and dataset.subset == "balanced"


def test_a_folder_that_cfg_options_cannot_name_is_mentioned(tmp_path, capsys):
    dots(tmp_path / "my dots")
    assert "rename the folder" not in capsys.readouterr().out, "our tools take spaces"
    dots(tmp_path / "dots, mine")
    words = capsys.readouterr().out
    assert "no commas" in words and "rename the folder" in words


def test_a_process_that_has_used_opencvs_threads_can_start_workers(tmp_path):
    """A forked worker that waits for threads which the fork left behind would wait forever."""
    program = f"""
import cv2, numpy as np, mmpmg
from mmpmg.engine.image_generation import GenerationOptions, generate
cv2.setNumThreads(2)
cv2.GaussianBlur(np.zeros((2000, 2000, 3), np.uint8), (31, 31), 0)
generate(GenerationOptions(source="shaders", num=2, out={str(tmp_path / "out")!r}, size=16))
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120, capture_output=True)
    assert len(list((tmp_path / "out").rglob("*.png"))) == 2
