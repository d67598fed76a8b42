"""The packed index: contents, order, cache, staleness, what travels to a worker."""

from __future__ import annotations

import os
import pickle

import pytest

import mmpmg.datasets.folder_index as folder_index
from mmpmg.datasets.folder_index import index_folder, scan
from mmpmg.datasets.path_index import PathIndex

ENDINGS = (".jpg", ".png")


def _tree(root, *names: str):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    _age(root)
    return root


def _age(root) -> None:
    """Make all folders older than the time in which a change could go unnoticed."""
    for folder, _, _ in os.walk(root):
        os.utime(folder, (1_000_000_000, 1_000_000_000))


def _all(index: PathIndex) -> list[str]:
    return [os.fsdecode(index[i]) for i in range(len(index))]


def test_packing_keeps_paths_and_order():
    paths = [b"b", b"", "é/ü.jpg".encode(), b"\xff", b"a" * 5000]
    index = PathIndex.from_paths(paths)
    assert [index[i] for i in range(len(index))] == paths
    for wrong in (-1, 5):
        with pytest.raises(IndexError):
            index[wrong]
    again = pickle.loads(pickle.dumps(index))
    assert [again[i] for i in range(len(again))] == paths


def test_lines_of_a_list():
    text = b"\xef\xbb\xbfa b.jpg\r\n\n  c.jpg \n\xc3\xa9.jpg"
    assert _all(PathIndex.from_lines(text)) == ["a b.jpg", "c.jpg", "é.jpg"]
    assert len(PathIndex.from_lines(b"\n \r\n")) == 0


def test_scan_is_in_byte_order_of_whole_paths_whatever_the_locale(tmp_path):
    names = ["a/b.jpg", "a-b.jpg", "a.jpg", "a/B.JPG", "Z/1.png", "é.jpg", "a b/x.jpg", "a/c/d.png"]
    _tree(tmp_path, *names)
    found = [os.fsdecode(p) for p in scan(os.fsencode(tmp_path), ENDINGS, True, [])]
    assert found == sorted(names, key=os.fsencode)


def test_scan_passes_over_hidden_and_other_files(tmp_path):
    _tree(tmp_path, "a.jpg", ".hidden.jpg", "._a.jpg", ".git/x.jpg", "notes.txt", "sub/b.png")
    assert _all(index_folder(str(tmp_path), ENDINGS, cache=False)) == ["a.jpg", "sub/b.png"]
    assert _all(index_folder(str(tmp_path), ENDINGS, False, False)) == ["a.jpg"]


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path):
    _tree(tmp_path / "real", "x.jpg")
    root = _tree(tmp_path / "root", "sub/a.jpg")
    (root / "link").symlink_to(tmp_path / "real")
    (root / "sub" / "up").symlink_to(root)
    (root / "broken.jpg").symlink_to(tmp_path / "gone")
    found = _all(index_folder(str(root), ENDINGS, cache=False))
    assert found == ["broken.jpg", "link/x.jpg", "sub/a.jpg"]


@pytest.fixture
def scans(monkeypatch):
    """Count how often a folder is really scanned."""
    calls = []
    original = scan

    def counted(*args):
        calls.append(args)
        return original(*args)

    monkeypatch.setattr(folder_index, "scan", counted)
    return calls


def test_second_start_does_not_scan_and_maps_the_file(tmp_path, scans):
    root, cache = _tree(tmp_path / "images", "b.jpg", "a/c.png"), str(tmp_path / "cache")
    first = index_folder(str(root), ENDINGS, cache=cache)
    second = index_folder(str(root), ENDINGS, cache=cache)
    assert len(scans) == 1
    assert _all(first) == _all(second) == ["a/c.png", "b.jpg"]
    assert sorted(os.listdir(root)) == ["a", "b.jpg"]  # nothing was written among the data
    packed = pickle.dumps(second)
    assert b"b.jpg" not in packed  # a worker gets the name of the file, not a copy
    assert _all(pickle.loads(packed)) == _all(second)


@pytest.mark.parametrize("change", ["add", "remove", "rename", "folder", "deep"])
def test_stale_cache_is_noticed(tmp_path, scans, change):
    root, cache = _tree(tmp_path / "images", "b.jpg", "a/c.png"), str(tmp_path / "cache")
    index_folder(str(root), ENDINGS, cache=cache)
    if change == "add":
        (root / "new.jpg").touch()
    elif change == "remove":
        (root / "b.jpg").unlink()
    elif change == "rename":
        (root / "b.jpg").rename(root / "z.jpg")
    elif change == "folder":
        (root / "d").mkdir()
        (root / "d" / "e.jpg").touch()
    else:
        (root / "a" / "new.png").touch()
    got = _all(index_folder(str(root), ENDINGS, cache=cache))
    assert len(scans) == 2
    assert got == _all(index_folder(str(root), ENDINGS, cache=False))


def test_folder_that_changes_while_it_is_scanned_is_not_cached(tmp_path, scans):
    root, cache = tmp_path / "images", str(tmp_path / "cache")
    root.mkdir()
    (root / "a.jpg").touch()  # just now: another file may follow within the clock's grain
    index_folder(str(root), ENDINGS, cache=cache)
    index_folder(str(root), ENDINGS, cache=cache)
    assert len(scans) == 2


def test_other_questions_have_other_caches(tmp_path):
    root, cache = _tree(tmp_path / "images", "b.jpg", "a/c.png"), str(tmp_path / "cache")
    assert len(index_folder(str(root), ENDINGS, cache=cache)) == 2
    assert len(index_folder(str(root), (".png",), cache=cache)) == 1
    assert len(index_folder(str(root), ENDINGS, False, cache)) == 1


@pytest.mark.parametrize("damage", [b"", b"junk", "half", "number"])
def test_damaged_cache_is_made_anew(tmp_path, damage):
    root, cache = _tree(tmp_path / "images", "b.jpg", "a/c.png"), tmp_path / "cache"
    index_folder(str(root), ENDINGS, cache=str(cache))
    (file,) = cache.iterdir()
    content = file.read_bytes()
    if damage == "half":
        damage = content[:-3]
    elif damage == "number":
        damage = content[:14] + b"\xff" * 8 + content[22:]
    file.write_bytes(damage)
    assert _all(index_folder(str(root), ENDINGS, cache=str(cache))) == ["a/c.png", "b.jpg"]
    assert file.read_bytes() == content


def test_cache_folder_that_cannot_be_made_costs_a_warning_only(tmp_path, caplog):
    root = _tree(tmp_path / "images", "b.jpg")
    (tmp_path / "file").touch()
    assert len(index_folder(str(root), ENDINGS, cache=str(tmp_path / "file" / "cache"))) == 1
    assert "not cached" in caplog.text


def test_default_cache_is_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    root = _tree(tmp_path / "images", "b.jpg")
    index_folder(str(root), ENDINGS)
    assert len(os.listdir(tmp_path / "home" / "mmpmg" / "index")) == 1


def test_worker_refuses_an_index_that_was_replaced(tmp_path):
    root, cache = _tree(tmp_path / "images", "b.jpg"), str(tmp_path / "cache")
    packed = pickle.dumps(index_folder(str(root), ENDINGS, cache=cache))
    (root / "new.jpg").touch()
    _age(root)
    os.utime(root, (1_000_000_001, 1_000_000_001))
    index_folder(str(root), ENDINGS, cache=cache)
    with pytest.raises(ValueError, match="changed"):
        pickle.loads(packed)
