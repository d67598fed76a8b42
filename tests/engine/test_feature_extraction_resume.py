"""A run that is killed, resumed, split into shards or begun otherwise; and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from engine.feature_runs import PIPELINE, RECIPE, TINY, extracted, options, random_encoder
from integration.tiny_runs import ROOT, write_videos
from torch.utils.data import get_worker_info

from mmpmg.engine import folder_lock
from mmpmg.engine.feature_extraction import (
    ExtractionError,
    InterruptedExtraction,
    extract_features,
    extraction,
    table,
)
from mmpmg.engine.feature_extraction import folder as features_folder
from mmpmg.engine.feature_extraction.folder import PartsFolder
from mmpmg.engine.feature_extraction.parts import DoneRows, RowWriter


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Return a folder of eight videos."""
    folder = tmp_path_factory.mktemp("resumed") / "videos"
    write_videos(folder)
    (folder / "list.txt").unlink()
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Return an encoder file."""
    file = tmp_path_factory.mktemp("encoder") / "encoder.pth"
    torch.save(dict(state_dict=random_encoder(3)), file)
    return str(file)


def parts(out):
    return out.with_name(f"{out.name}.parts")


def test_a_killed_process_is_resumed_to_the_same_bytes(videos, checkpoint, tmp_path):
    """The real tool, killed while it works; another process goes on with the rest."""
    long = tmp_path / "list.txt"
    long.write_text("".join(f"{file}\n" for _ in range(40) for file in sorted(videos.iterdir())))
    out = tmp_path / "killed.npz"
    command = [
        sys.executable, ROOT / "tools/extract_features.py", RECIPE, checkpoint, long,
        "--out", out, "--workers", 2, "--batch-size", 12, "--clips", 1, "--crops", 1, "--device",
        "cpu", "--cfg-options", *(f"{key}={value}".replace(" ", "") for key, value in TINY.items()),
    ]  # fmt: skip
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=dict(os.environ, OMP_NUM_THREADS=str(torch.get_num_threads())),
    )  # fmt: skip
    deadline = time.monotonic() + 300
    while not any(file.stat().st_size for file in parts(out).glob("rows-*.jsonl")):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = 320 - len(DoneRows(parts(out), 320).missing(np.arange(320)))
    assert 0 < done < 320 and done % 12 == 0 and not out.exists()
    more = dict(clips=1, crops=1, batch_size=12)
    found = extracted(out, checkpoint, long, **more)
    assert len(found["features"]) == 320 and not parts(out).exists()
    extracted(tmp_path / "whole.npz", checkpoint, long, **more)
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()


class Killed(BaseException):
    """Stands for the end of a process: nothing catches it."""


@pytest.mark.parametrize("when", ["before", "rows", "line", "after"])
@pytest.mark.parametrize("batch", [0, 2])
def test_nothing_but_the_batch_in_flight_is_lost(
    when, batch, videos, checkpoint, tmp_path, monkeypatch
):
    """Stopped before, between and in the middle of the two writes of a batch, and behind them."""
    out, written, encoded = tmp_path / "f.npz", [], []
    add, encode = RowWriter.add, extraction.PooledEncoder.__call__

    def dying(self, numbers, vectors, bad):
        if len(written) == batch and when == "before":
            raise Killed
        add(self, numbers, vectors, bad)
        written.append(numbers)
        if len(written) > batch and when != "before":
            if when != "after":  # the line, or half of it, had not come to the disk
                whole = self._lines.tell()
                text = Path(self._lines.name).read_text()
                last = len(text.splitlines(keepends=True)[-1])
                os.truncate(self._lines.name, whole - (last if when == "rows" else last // 2))
            raise Killed

    monkeypatch.setattr(RowWriter, "add", dying)
    with pytest.raises(Killed):
        extracted(out, checkpoint, videos, batch_size=12)
    monkeypatch.setattr(RowWriter, "add", add)

    def counting(self, items):
        encoded.append(len(items))
        return encode(self, items)

    monkeypatch.setattr(extraction.PooledEncoder, "__call__", counting)
    extracted(out, checkpoint, videos, batch_size=12)
    finished = batch + (when == "after")
    assert sum(encoded) == 8 - 2 * finished
    extracted(tmp_path / "whole.npz", checkpoint, videos, batch_size=12)
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()


@pytest.mark.parametrize("step", ["replace", "clean"])
def test_a_kill_while_the_file_is_finished_does_no_harm(
    step, videos, checkpoint, tmp_path, monkeypatch
):
    """Before the file has its name, and behind that, before the parts are gone."""

    def die(*given):
        raise Killed

    out = tmp_path / "f.npz"
    with monkeypatch.context() as patched:
        if step == "replace":
            patched.setattr(table.os, "replace", lambda a, b: die() if b == out else move(a, b))
        else:
            patched.setattr(PartsFolder, "clean", die)
        move = os.rename
        with pytest.raises(Killed):
            extracted(out, checkpoint, videos)
    assert out.exists() == (step == "clean") and parts(out).exists()
    extracted(out, checkpoint, videos)
    assert not parts(out).exists()
    extracted(tmp_path / "whole.npz", checkpoint, videos)
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_a_video_that_kills_its_worker_is_named(videos, checkpoint, tmp_path, monkeypatch):
    decode = extraction.Videos.get_data_info

    def dying(self, idx):
        info = decode(self, idx)
        if str(info["filename"]).endswith("clip5.avi") and get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return info

    monkeypatch.setattr(extraction.Videos, "get_data_info", dying)
    out = tmp_path / "f.npz"
    with pytest.raises(ExtractionError, match=r"died while it read \S*clip5\.avi"):
        extracted(out, checkpoint, videos, workers=1)
    monkeypatch.undo()
    extracted(out, checkpoint, videos)


def test_rows_that_never_came_to_the_disk_are_not_believed(tmp_path):
    with RowWriter(tmp_path) as writer:
        writer.add([4, 2], np.arange(12, dtype=np.float32).reshape(2, 1, 6), {3: "three"})
        writer.add([0], np.ones((1, 1, 6), np.float32), {})
    (rows,) = tmp_path.glob("*.f32")
    done = DoneRows(tmp_path, 5)
    assert done.good.tolist() == [0, 2, 4] and done.missing(np.arange(5)).tolist() == [1]
    assert done.vectors(np.array([4, 0, 2]))[:, 0, 0].tolist() == [0, 1, 6]
    assert done.reasons == {3: "three"}
    os.truncate(rows, 4 * 12 + 20)
    assert DoneRows(tmp_path, 5).missing(np.arange(5)).tolist() == [0, 1]
    os.truncate(rows, 4 * 11)
    assert DoneRows(tmp_path, 5).missing(np.arange(5)).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("lost", [1, 2, 3, 4, 5, 7, 23, 24])
def test_what_stands_before_a_torn_batch_is_read(lost, tmp_path):
    with RowWriter(tmp_path) as writer:
        writer.add([4, 2], np.arange(12, dtype=np.float32).reshape(2, 1, 6), {})
        writer.add([0], np.ones((1, 1, 6), np.float32), {})
    (rows,) = tmp_path.glob("*.f32")
    os.truncate(rows, 4 * 18 - lost)
    done = DoneRows(tmp_path, 5)
    assert done.good.tolist() == [2, 4]
    expected = np.arange(12).reshape(2, 1, 6)[::-1]
    np.testing.assert_array_equal(done.vectors(np.array([2, 4])), expected)


@pytest.mark.parametrize("good_first", [False, True])
def test_a_video_that_one_run_could_read_is_good(good_first, tmp_path):
    runs = [([], np.empty((0, 0, 0)), {1: "torn"}), ([1], np.ones((1, 1, 2), np.float32), {})]
    for number, run in enumerate(runs[::-1] if good_first else runs):
        with RowWriter(tmp_path) as writer:
            writer.add(*run)
            name = writer._lines.name
        os.utime(name, (number, number))
    done = DoneRows(tmp_path, 2)
    assert done.good.tolist() == [1] and not done.reasons
    assert done.due(np.arange(2)).tolist() == [0]
    np.testing.assert_array_equal(done.vectors(np.array([1])), np.ones((1, 1, 2)))


def test_mended_videos_are_read_when_the_run_goes_on(videos, checkpoint, tmp_path):
    """As the message of too many bad videos says: mend the files."""
    folder, out = tmp_path / "videos", tmp_path / "f.npz"
    shutil.copytree(videos, folder)
    broken = sorted(folder.iterdir())[2:5]
    kept = {file: file.read_bytes() for file in broken}
    for file in broken:
        file.write_bytes(b"")
    broken[0].unlink()
    broken[0].symlink_to(tmp_path / "not_mounted_yet")  # it is one of the set all the same
    with pytest.raises(ExtractionError, match="Mend the files, or raise --max-bad-share"):
        extract_features(options(out, checkpoint, folder, batch_size=1))
    assert len(DoneRows(parts(out), 8).reasons) == 2
    (tmp_path / "not_mounted_yet").write_bytes(b"")
    for file, content in kept.items():
        file.write_bytes(content)
    found = extracted(out, checkpoint, folder, batch_size=1)
    assert len(found["features"]) == 8 and not len(found["skipped"])
    whole = extracted(tmp_path / "whole.npz", checkpoint, folder, batch_size=1)
    np.testing.assert_array_equal(found["features"], whole["features"])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.json", ""),
        ("settings.json", "[1]"),
        ("rows-0.jsonl", "garbage\n"),
        ("rows-0.jsonl", "\0\0\n"),
        ("rows-0.jsonl", '{"videos": [9], "bad": []}\n'),
        ("rows-0.jsonl", "[]\n"),
    ],
)
def test_damaged_files_are_named_with_what_to_do(name, text, tmp_path):
    folder = PartsFolder(tmp_path / "f.npz")
    folder.join({}, extraction.Shard(0, 1)).release()
    (folder.path / name).write_text(text)
    (folder.path / "rows-0.f32").touch()

    def resume():
        folder.join({}, extraction.Shard(0, 1)).release()
        DoneRows(folder.path, 5)

    with pytest.raises(ExtractionError, match=f"{name} is damaged.*remove"):
        resume()


def test_shards_in_any_order_make_the_same_file(videos, checkpoint, tmp_path, capsys):
    out = tmp_path / "f.npz"
    for shard in ("2/3", "0/3"):
        assert extract_features(options(out, checkpoint, videos, shard=shard)) is None
    assert "3 videos of others are missing" in capsys.readouterr().out
    shutil.copytree(parts(out), tmp_path / "other.npz.parts")
    extracted(out, checkpoint, videos, shard="1/3")
    extracted(tmp_path / "other.npz", checkpoint, videos)  # without --shard: all that is missing
    whole = extracted(tmp_path / "whole.npz", checkpoint, videos)
    for name in ("f.npz", "other.npz"):
        with np.load(tmp_path / name) as file:
            assert file["paths"].tolist() == whole["paths"].tolist()
            np.testing.assert_allclose(file["features"], whole["features"], rtol=1e-5, atol=1e-6)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["f.npz", "other.npz", "whole.npz"]


def test_two_runs_on_the_same_videos_are_kept_apart(videos, checkpoint, tmp_path):
    out = tmp_path / "f.npz"
    extract_features(options(out, checkpoint, videos, shard="0/2"))
    lock = folder_lock.Lock.acquire(
        parts(out) / "shard-00001-of-00002.lock", dict(shard="1/2", number=1, count=2)
    )
    for shard in ("1/2", "0/1", "0/3"):
        with pytest.raises(ExtractionError, match="being extracted by process .*--shard 1/2"):
            extract_features(options(out, checkpoint, videos, shard=shard))
    # Another shard of the same count is welcome, and leaves the file to the one at work.
    assert extract_features(options(out, checkpoint, videos, shard="0/2")) is None
    lock.release()
    extracted(out, checkpoint, videos)


def test_a_lock_s_fault_names_the_command_and_the_file(videos, checkpoint, tmp_path, monkeypatch):
    out, add = tmp_path / "f.npz", RowWriter.add
    monkeypatch.setattr(features_folder, "_PATIENCE", 0.0)
    parts(out).mkdir()
    lock = folder_lock.Lock.acquire(parts(out) / "folder.lock")
    start = r"tools/extract_features.py cannot go on: "
    with pytest.raises(ExtractionError, match=f"{start}process {os.getpid()} .*{out}.parts"):
        extracted(out, checkpoint, videos)
    lock.release()

    def losing(self, *given):
        add(self, *given)
        next(parts(out).glob("shard-*.lock")).unlink()

    with monkeypatch.context() as patch:
        patch.setattr(folder_lock, "BEAT", 0.0)
        patch.setattr(RowWriter, "add", losing)
        with pytest.raises(ExtractionError, match=f"{start}the lock {out}.parts.*stays done"):
            extracted(out, checkpoint, videos, batch_size=12)
    assert len(DoneRows(parts(out), 8).missing(np.arange(8))) == 6
    extracted(out, checkpoint, videos)


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("group", [False, True])
def test_sigterm_stops_as_ctrl_c_does(group, videos, checkpoint, tmp_path, monkeypatch):
    """Slurm signals every process of a job: workers may be dead before this one has noticed."""
    out, here = tmp_path / "f.npz", os.getpid()
    get, stopped = extraction.Videos.prepare_data, []

    def signalled(self, number):
        if number == 4:
            os.kill(here, signal.SIGTERM)
            if group:
                os.kill(os.getpid(), signal.SIGKILL)
        return get(self, number)

    before = signal.signal(signal.SIGTERM, lambda *_: stopped.append("not heard"))
    of_children = signal.getsignal(signal.SIGCHLD)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(extraction.Videos, "prepare_data", signalled)
            with pytest.raises(InterruptedExtraction, match="the same command goes on"):
                extracted(out, checkpoint, videos, batch_size=12, workers=int(group))
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGCHLD, of_children)
    assert not stopped and not list(parts(out).glob("*.lock"))
    assert group or len(DoneRows(parts(out), 8).missing(np.arange(8))) == 4
    extracted(out, checkpoint, videos)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (dict(clips=3), "--clips 2, not 3"),
        (dict(crops=1), "--crops 3, not 1"),
        (dict(pool="clip"), "--pool video, not clip"),
        (dict(precision="bf16"), "--precision fp32, not bf16"),
        (dict(checkpoint="another"), "a checkpoint with the SHA-256"),
        (dict(videos="fewer"), "8 videos, not 7"),
        (
            dict(cfg_options={**TINY, f"{PIPELINE}.short_side.scale": (-1, 40)}),
            r"test_dataloader.dataset.pipeline.3.scale \[-1, 32\], not \[-1, 40\]",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("finished", [False, True])
def test_other_settings_are_refused_and_named(
    finished, changed, words, videos, checkpoint, tmp_path
):
    out, changed = tmp_path / "f.npz", dict(changed)
    extract_features(options(out, checkpoint, videos, shard="0/1" if finished else "0/2"))
    assert out.exists() == finished
    before = {file: file.read_bytes() for file in tmp_path.rglob("f*") if file.is_file()}
    if "checkpoint" in changed:
        changed["checkpoint"] = tmp_path / "another.pth"
        torch.save(random_encoder(4), changed["checkpoint"])
    if "videos" in changed:
        changed["videos"] = tmp_path / "fewer"
        shutil.copytree(videos, changed["videos"])
        (changed["videos"] / "clip3.mp4").unlink()
    given = dict(checkpoint=checkpoint, videos=videos) | changed
    with pytest.raises(ExtractionError, match=f"f.npz .*{words}.*--out"):
        extract_features(options(out, given.pop("checkpoint"), given.pop("videos"), **given))
    assert {file: file.read_bytes() for file in before} == before


def test_a_finished_file_is_left_alone(videos, checkpoint, tmp_path, capsys):
    out = tmp_path / "f.npz"
    found = extracted(out, checkpoint, videos)
    assert json.loads(str(found["settings"]))["clips"] == 2
    stamp = out.stat().st_mtime_ns
    extracted(out, checkpoint, videos, batch_size=1)
    assert out.stat().st_mtime_ns == stamp and "already" in capsys.readouterr().out
    np.savez(out, mine=1)
    with pytest.raises(ExtractionError, match="not made by this tool"):
        extracted(out, checkpoint, videos)
