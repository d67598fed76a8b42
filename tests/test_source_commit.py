from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mmpmg import source_commit


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    command = ["git", *author, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a git checkout with a committed package ``p``, from which the commit is asked."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p/__init__.py").write_text("")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    monkeypatch.setattr(source_commit, "__file__", str(tmp_path / "p/source_commit.py"))
    return tmp_path


def test_the_commit_and_changes_that_are_not_committed(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "--short", "HEAD").strip()
    assert source_commit.commit() == head
    (checkout / "new.txt").write_text("not tracked: a result, not a change")
    assert source_commit.commit() == head
    (checkout / "p/__init__.py").write_text("1")
    assert source_commit.commit() == f"{head}, with changes that are not committed"


def test_a_wheel_inside_somebody_elses_checkout_has_no_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = checkout / ".venv/site-packages/mmpmg"
    installed.mkdir(parents=True)
    (installed / "__init__.py").write_text("")
    monkeypatch.setattr(source_commit, "__file__", str(installed / "source_commit.py"))
    assert source_commit.commit() == "unknown (not a git checkout)"
