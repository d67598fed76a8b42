"""A small checkout with a zoo of its own, for the tests that spoil one."""

from __future__ import annotations

import runpy
import shutil
import sys
from pathlib import Path

import pytest
from zoo_checkout import ROOT, write_checkout


@pytest.fixture(scope="session")
def small_zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of few recipes, with a zoo that was written for it."""
    return write_checkout(tmp_path_factory.mktemp("zoo") / "checkout")


@pytest.fixture
def zoo(small_zoo, tmp_path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(small_zoo, tmp_path / "checkout"))


@pytest.fixture
def tool(monkeypatch):
    """``tools/model_zoo.py`` with options -> its exit status, or what it says instead."""

    def run(*options: object) -> int | str:
        path = str(ROOT / "tools/model_zoo.py")
        monkeypatch.setattr(sys, "argv", [path, *map(str, options)])
        with pytest.raises(SystemExit) as end:
            runpy.run_path(path, run_name="__main__")
        return end.value.code

    return run
