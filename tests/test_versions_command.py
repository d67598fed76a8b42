"""requirements/versions.py: what it needs and lacks is said before gigabytes are installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = Path(__file__).parents[1] / "requirements" / "versions.py"


@pytest.mark.parametrize(
    "script", [None, "echo 'pyenv: python3.12: command not found' >&2; exit 127"]
)
def test_a_python_that_is_not_there_is_named_before_anything_is_built(tmp_path, script):
    """Also where the oldest's is there and would be built first."""
    (tmp_path / "bin").mkdir()
    for name, text in (("python3.10", "exit 0"), ("python3.12", script)):
        if text is not None:
            (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / "bin" / name).chmod(0o755)
    done = subprocess.run(
        [sys.executable, COMMAND, "--folder", tmp_path / "envs"],
        env={**os.environ, "PATH": str(tmp_path / "bin")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("newest needs python3.12 with its venv module")
    assert "make versions WHICH=newest" in done.stderr
    assert ("pyenv: " in done.stderr) == (script is not None)
    assert not (tmp_path / "envs").exists() and "Traceback" not in done.stderr
