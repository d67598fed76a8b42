"""What the shell scripts of ``tools/`` hand to torchrun and srun, as stand-ins write it down."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[1] / "tools"
STAND_IN = '#!/bin/sh\necho "port=$MASTER_PORT"\nfor word in "$@"; do echo "$word"; done\n'
WORDS = {
    "dist_train.sh": ["recipe.py", "2"],
    "dist_test.sh": ["recipe.py", "weights.pth", "2"],
    "slurm_train.sh": ["gpus", "pmg", "recipe.py"],
    "slurm_test.sh": ["gpus", "pmg", "recipe.py", "weights.pth"],
}


def run(script: Path, folder: Path, *more: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a script among stand-ins for the two programs that it may become."""
    for program in ("python", "srun"):
        stand_in = folder / program
        stand_in.write_text(STAND_IN)
        stand_in.chmod(0o755)
    kept = {"PATH": f"{folder}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", str(script), *WORDS[script.name], *more], env=kept | environment, text=True,
        capture_output=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize(
    ("environment", "port"),
    [({}, "29500"), ({"PORT": "29501"}, "29501"), ({"MASTER_PORT": "29502"}, "29502"),
     ({"PORT": "29501", "MASTER_PORT": "29502"}, "29501")],
)  # fmt: skip
def test_processes_meet_on_the_port_that_is_named(name, environment, port, tmp_path):
    done = run(TOOLS / name, tmp_path, **environment)
    assert done.returncode == 0, done.stderr
    told = f"--master_port={port}" if name.startswith("dist") else f"port={port}"
    assert told in done.stdout.splitlines()


@pytest.mark.parametrize("name", ["slurm_train.sh", "slurm_test.sh"])
def test_a_copy_that_sbatch_made_says_what_to_do(name, tmp_path):
    (tmp_path / "spool").mkdir()
    copy = shutil.copy(TOOLS / name, tmp_path / "spool")
    done = run(Path(copy), tmp_path)
    assert done.returncode == 2 and not done.stdout
    assert f"that calls tools/{name}" in done.stderr and "sbatch" in done.stderr


@pytest.mark.parametrize("name", WORDS)
def test_the_tool_beside_the_script_gets_its_launcher_and_its_options(name, tmp_path):
    words = run(TOOLS / name, tmp_path, "--work-dir", "a folder").stdout.splitlines()
    tool = name.partition("_")[2].replace(".sh", ".py")
    begin = words.index(str(TOOLS / tool))
    launcher = "pytorch" if name.startswith("dist") else "slurm"
    given = [word for word in WORDS[name] if "." in word]
    assert words[begin + 1 :] == [*given, "--launcher", launcher, "--work-dir", "a folder"]
