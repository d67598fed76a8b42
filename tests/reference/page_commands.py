"""The commands of a page, as bash hands them to the programs: blocks run among stand-ins.

Loops, variables and functions of a block are bash's own; the shell scripts of ``tools/`` are the
real ones. Every other program is a stand-in that writes down what it was called with. A program
that is neither here nor there is not found, and the block fails.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAMS = ("make", "pip", "python", "mmpmg", "mim", "srun", "tensorboard")
REAL = ("bash", "cat", "dirname", "env", "find", "ls", "mkdir", "sort")
INLINE = re.compile(r"`((?:tools/\w+\.(?:py|sh)|python -m|make|pip|mim|mmpmg) [^`\n]*)`")
END, NEXT = "\x1e", "\x1f"
STAND_IN = f"""#!/usr/bin/env bash
{{ printf '%s{NEXT}' "${{0##*/}}" "$PWD" "$@"; printf '{END}'; }} >> "$RECORD"
while [ $# -gt 0 ]; do  # the one file that a later command of a page reads
  if [ "$1" = --work-dir ]; then mkdir -p "$2"; echo "$2/last.pth" > "$2/last_checkpoint"; fi
  shift
done
"""


@dataclass(frozen=True)
class Call:
    """A program and the words behind it."""

    program: str
    folder: str
    words: tuple[str, ...]


def blocks(page: Path, language: str) -> list[str]:
    """The page's blocks of code, without the indentation of a list that they stand in."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", page.read_text(), re.M | re.S)
    return [re.sub(rf"^{indent}", "", text, flags=re.M) for indent, text in found]


def inline_commands(page: Path) -> list[str]:
    """Commands in the text, but for those that leave something out."""
    text = re.sub(r"^( *)```.*?^\1```", "", page.read_text(), flags=re.M | re.S)
    return [found for found in INLINE.findall(text) if "…" not in found and "<" not in found]


def clone(folder: Path) -> Path:
    """Make a folder that looks like a clone of the repository, of stand-ins."""
    folder.mkdir()
    for name in ("tools", "bin", "data/my_videos", ".venv/bin"):
        (folder / name).mkdir(parents=True)
    for name in ("configs", "examples"):
        (folder / name).symlink_to(ROOT / name)
    (folder / ".venv/bin/activate").touch()
    stand_ins = [folder / "bin" / name for name in PROGRAMS]
    for tool in (ROOT / "tools").iterdir():
        if tool.suffix == ".sh":
            shutil.copy(tool, folder / "tools" / tool.name)
        elif tool.suffix == ".py":
            stand_ins.append(folder / "tools" / tool.name)
    for file in stand_ins:
        file.write_text(STAND_IN)
        file.chmod(0o755)
    for name in REAL:
        (folder / "bin" / name).symlink_to(str(shutil.which(name)))
    return folder


def calls(text: str, folder: Path) -> list[Call]:
    """Run a block in such a folder.

    Returns:
        What was called, in this order.

    Raises:
        AssertionError: The block failed.
    """
    record = folder / "record"
    record.write_text("")
    environment = {"PATH": str(folder / "bin"), "RECORD": str(record), "HOME": str(folder)}
    done = subprocess.run(
        [str(folder / "bin/bash"), "-eu", "-c", text.replace(" /data/", f" {folder}/data/")],
        cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    found = []
    for entry in record.read_text().split(END)[:-1]:
        program, where, *words = entry.split(NEXT)[:-1]
        found.append(Call(program, os.path.relpath(where, folder), tuple(words)))
    return found
