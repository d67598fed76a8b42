"""Which files of a list exist: the same answer as asking for each of them."""

from __future__ import annotations

import os

import pytest

from mmpmg.datasets import file_check
from mmpmg.datasets.file_check import missing_files


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("files")
    for name in ("few", "many", "crowd/deep er"):
        (root / name).mkdir(parents=True)
    for number in range(40):
        (root / "many" / f"v ({number}).avi").touch()
        (root / "crowd/deep er" / f"{number}").touch()
    for number in range(2000):
        (root / "crowd" / f"{number:04d}.mp4").touch()
    (root / "few" / "one").touch()
    (root / "many" / "link").symlink_to(root / "few" / "one")
    (root / "many" / "broken link").symlink_to(root / "few" / "nothing")
    (root / "many" / "a folder.avi").mkdir()
    return root


LISTS = {
    "all there": [f"many/v ({k}).avi" for k in range(40)],
    "some not": [f"many/v ({k}).avi" for k in range(30, 50)] + ["few/one", "few/two"],
    "links and folders": [f"many/v ({k}).avi" for k in range(9)]
    + ["many/link", "many/broken link", "many/a folder.avi", "crowd/deep er"],
    "a few of a crowd": [f"crowd/{k:04d}.mp4" for k in range(3, 2000, 180)] + ["crowd/x"],
    "twice": ["many/no", "few/one", "many/no"] * 5,
    "no folder": [f"nowhere/{k}" for k in range(20)] + [f"few/one/{k}" for k in range(20)],
    "nonsense": [f"many/x\0{k}" for k in range(20)] + [f"ma\0ny/{k}" for k in range(20)],
}


@pytest.mark.parametrize("name", LISTS)
def test_it_says_what_asking_for_each_file_says(name, folder):
    paths = [os.path.join(folder, one) for one in LISTS[name]]
    expected = [one for one in paths if "\0" in one or not os.path.isfile(one)]
    assert missing_files(paths.__getitem__, len(paths), "all") == expected
    assert missing_files(paths.__getitem__, len(paths), "none") == []


def test_paths_without_a_folder_start_here(folder, monkeypatch):
    monkeypatch.chdir(folder / "many")
    names = [f"v ({k}).avi" for k in range(38, 60)]
    assert missing_files(names.__getitem__, len(names), "all") == names[2:]


def test_a_folder_is_listed_once_and_its_files_are_not_asked_for(folder, monkeypatch):
    asked = []
    monkeypatch.setattr(file_check, "_is_file", lambda path: asked.append(path))
    paths = [os.path.join(folder, one) for one in LISTS["all there"]]
    assert missing_files(paths.__getitem__, len(paths), "all") == []
    assert not asked
