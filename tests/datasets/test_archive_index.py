"""The cached index of archives: fresh, stale, damaged, shared with workers."""

from __future__ import annotations

import os
import pickle
import resource
import tarfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from mmengine.logging import MMLogger

import mmpmg.datasets.archive_index as archive_index
import mmpmg.datasets.archive_progress as archive_progress
from mmpmg.datasets.archive_index import index_archives
from mmpmg.datasets.archive_scan import Wanted, scan_archive
from mmpmg.datasets.column_file import open_columns, save_columns

WANTED = Wanted((".jpg", ".png"))


def write(path, names):
    """Write an archive, older than the time in which a change could go unnoticed."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as file:
            for name in names:
                file.writestr(name, name.encode())
    else:
        with tarfile.open(path, "w") as tar:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = len(name.encode())
                tar.addfile(member, BytesIO(name.encode()))
    os.utime(path, ns=(10**18, 10**18))
    return str(path)


def names(index):
    return [os.fsdecode(index.names[i]) for i in range(len(index))]


def contents(index, paths):
    """Read everything that an index points to."""
    found = []
    for number in range(len(index)):
        file = os.open(paths[int(index.columns["archive"][number])], os.O_RDONLY)
        found.append(os.fsdecode(index.read(file, number)))
        os.close(file)
    return found


@pytest.fixture
def archives(tmp_path):
    return [
        write(tmp_path / "one.tar", ["b/x.jpg", "a/é.PNG", "notes.txt", "a/b.jpg"]),
        write(tmp_path / "two.zip", ["c/1.jpg", "b/2.jpg", "b/"]),
        write(tmp_path / "three.tar", ["a/3.png"]),
    ]


@pytest.fixture
def scans(monkeypatch):
    """Note which archives are really scanned."""
    calls = []

    def noted(path, wanted):
        calls.append(os.path.basename(path))
        return scan_archive(path, wanted)

    monkeypatch.setattr(archive_index, "scan_archive", noted)
    return calls


EXPECTED = ["a/b.jpg", "a/é.PNG", "b/x.jpg", "b/2.jpg", "c/1.jpg", "a/3.png"]


def test_archives_in_turn_each_in_byte_order(archives, tmp_path):
    for cache in (False, str(tmp_path / "cache"), str(tmp_path / "cache")):
        index = index_archives(archives, WANTED, cache)
        assert names(index) == contents(index, archives) == EXPECTED
        groups = [os.fsdecode(index.groups[g]) for g in index.columns["category"]]
        assert groups == [os.path.dirname(name) for name in EXPECTED]
        assert index.columns["archive"].tolist() == [0, 0, 0, 1, 1, 2]
        assert index.passed_over.count() == 1


def test_the_second_start_scans_nothing(archives, tmp_path, scans):
    cache = str(tmp_path / "cache")
    index_archives(archives, WANTED, cache)
    assert scans == ["one.tar", "two.zip", "three.tar"]
    assert names(index_archives(archives, WANTED, cache)) == EXPECTED
    assert names(index_archives(archives[:2], WANTED, cache)) == EXPECTED[:5]
    assert len(scans) == 3
    index_archives(archives, Wanted((".png",)), cache)
    assert len(scans) == 6


@pytest.mark.parametrize("change", ["size", "time only", "same size and time"])
def test_only_a_changed_archive_is_scanned_again(archives, tmp_path, scans, change):
    cache = str(tmp_path / "cache")
    index_archives(archives, WANTED, cache)
    scans.clear()
    new = {"size": ["new.jpg", "n.jpg"], "time only": ["c/2.jpg", "b/1.jpg"]}
    if change in new:
        write(tmp_path / "two.zip", new[change])
        if change == "time only":
            os.utime(archives[1], ns=(10**18, 10**18 + 1))
    index = index_archives(archives, WANTED, cache)
    if change in new:
        assert scans == ["two.zip"]
        assert names(index) == contents(index, archives)
        assert names(index)[3:5] == sorted(new[change])
    else:
        assert scans == []


def test_an_archive_written_just_now_is_not_cached(tmp_path, scans):
    path = write(tmp_path / "a.tar", ["a.jpg"])
    os.utime(path)
    for _ in range(2):
        assert names(index_archives([path], WANTED, str(tmp_path / "cache"))) == ["a.jpg"]
    assert len(scans) == 2


@pytest.mark.parametrize("damage", ["", "junk", "half", "header"])
def test_a_damaged_cache_is_made_anew(archives, tmp_path, damage):
    cache = tmp_path / "cache"
    index_archives(archives[:1], WANTED, str(cache))
    (file,) = cache.glob("*.archives")
    whole = file.read_bytes()
    spoilt = {
        "": b"",
        "junk": b"junk",
        "half": whole[:-9],
        "header": whole[:30] + b"\xff" + whole[31:],
    }
    file.write_bytes(spoilt[damage])
    assert names(index_archives(archives[:1], WANTED, str(cache))) == EXPECTED[:3]
    assert file.read_bytes() == whole
    assert not list(cache.glob("*.part"))


def test_a_cache_that_cannot_be_written_costs_a_scan(archives, tmp_path, scans, capsys):
    (tmp_path / "file").touch()
    for _ in range(2):
        assert names(index_archives(archives, WANTED, str(tmp_path / "file/cache"))) == EXPECTED
    assert len(scans) == 6


def test_workers_map_the_same_file_and_refuse_another(archives, tmp_path):
    cache = str(tmp_path / "cache")
    index = index_archives(archives, WANTED, cache)
    packed = pickle.dumps(index)
    assert len(packed) < 400, "the name of a file, no copy"
    assert names(pickle.loads(packed)) == EXPECTED
    write(tmp_path / "two.zip", ["other.jpg"])
    index_archives(archives, WANTED, cache)
    with pytest.raises(ValueError, match="changed while workers started"):
        pickle.loads(packed)
    uncached = index_archives(archives[:1], WANTED, False)
    assert names(pickle.loads(pickle.dumps(uncached))) == EXPECTED[:3]


def test_of_equal_names_the_last_counts_as_in_unpacking(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for data in (b"old", b"newer", b"newest"):
            member = tarfile.TarInfo("a.jpg")
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    index = index_archives([str(tmp_path / "a.tar")], WANTED, False)
    assert contents(index, [tmp_path / "a.tar"]) == ["newest"]
    assert "2 replaced by a later member" in str(index.passed_over)


def test_columns_survive_a_file(tmp_path):
    rng = np.random.default_rng(0)
    columns = {
        "a": rng.integers(0, 2**60, 7),
        "b": rng.integers(0, 255, 13).astype(np.uint8),
        "none": np.zeros(0, np.int64),
        "c": rng.integers(0, 2**31, 3).astype(np.int32),
    }
    file = str(tmp_path / "deep" / "x.columns")
    digest = save_columns(file, {"note": "é\udcff"}, columns)
    header, again = open_columns(file, digest)
    assert header["note"] == "é\udcff"
    for name, column in columns.items():
        assert again[name].dtype == column.dtype
        np.testing.assert_array_equal(again[name], column)
    with pytest.raises(ValueError, match="changed"):
        open_columns(file, "0" * 32)


def test_of_several_processes_that_start_at_once_one_scans(archives, tmp_path, monkeypatch):
    calls = []

    def slow(path, wanted):
        calls.append(path)
        time.sleep(0.3)
        return scan_archive(path, wanted)

    monkeypatch.setattr(archive_index, "scan_archive", slow)
    # Threads stand in for processes: the lock belongs to the open file, not to the process.
    with ThreadPoolExecutor(4) as pool:
        cache = str(tmp_path / "cache")
        found = pool.map(lambda _: names(index_archives(archives[:1], WANTED, cache)), range(4))
        assert list(found) == [EXPECTED[:3]] * 4
    assert len(calls) == 1


def test_a_long_scan_says_how_far_it_is_and_how_long_it_will_take(tmp_path, monkeypatch):
    file = tmp_path / "run.log"
    MMLogger.get_instance("progress", log_file=str(file))
    try:
        clock = iter(range(0, 1000, 6))
        monkeypatch.setattr(archive_progress.time, "monotonic", lambda: next(clock))
        with archive_progress.ArchiveProgress("big.tar") as progress:
            for done in range(1, 2001):
                progress(done, 10_000)
        with archive_progress.ArchiveProgress("small.tar") as progress:
            for done in range(1, 500):
                progress(done, 500)
    finally:
        MMLogger._instance_dict.pop("progress")
    lines = [line.split(" - ")[-1] for line in file.read_text().splitlines()]
    assert lines == [
        # 6 s for a tenth, 12 s for a fifth
        "Indexing big.tar, once: 10%, 1000 members, about 0 min 54 s left",
        "Indexing big.tar, once: 20%, 2000 members, about 0 min 48 s left",
        "Indexed big.tar: 2000 members in 0 min 18 s",
    ]


def test_more_archives_than_the_system_allows_files_to_be_open(tmp_path):
    paths = [write(tmp_path / f"{i:03d}.tar", [f"{i:03d}.jpg"]) for i in range(120)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 40, limits[1]))
    try:
        for _ in range(3):  # scanned; joined from caches; from the cache of all
            index = index_archives(paths, WANTED, str(tmp_path / "cache"))
            assert names(index) == [f"{i:03d}.jpg" for i in range(120)]
            os.utime(paths[7], ns=(10**18, os.stat(paths[7]).st_mtime_ns + 1))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_an_archive_from_the_future_is_cached(tmp_path, scans):
    path = write(tmp_path / "a.tar", ["a.jpg"])
    os.utime(path, (4e9, 4e9))
    for _ in range(2):
        index_archives([path], WANTED, str(tmp_path / "cache"))
    assert len(scans) == 1


def test_folders_of_zips_from_windows(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name in ("ant\\1.jpg", "bee\\1.jpg", "ant\\2.jpg"):
            data = zipfile.ZipInfo(name)
            data.filename = name
            file.writestr(data, b"x")
    index = index_archives([str(tmp_path / "a.zip")], WANTED, False)
    assert index.columns["category"].tolist() == [0, 0, 1]
