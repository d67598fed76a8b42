"""Import packages in a child process, and go on with the next where one kills it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")


@dataclass
class Probe:
    """What an import came to.

    Args:
        error: Why the module does not load, in one line; "" where it does.
        details: What the module says of itself (:mod:`.child`).
    """

    error: str = ""
    details: dict[str, Any] = field(default_factory=dict)


def probe(modules: list[str], seconds: float = 300.0) -> dict[str, Probe]:
    """Import modules one after the other, as a program that uses all of them would.

    Args:
        modules: Names, in the order of importing.
        seconds: How long a child process may take; imports from a slow disk take minutes.

    Returns:
        Module -> what its import came to.
    """
    found: dict[str, Probe] = {}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "found.jsonl")
        while rest := [name for name in modules if name not in found]:
            file.write_text("")
            end = _run([str(file), *rest], seconds)
            begun = ""
            for line in file.read_text().splitlines():
                said = json.loads(line)
                begun = said["begun"]
                if "error" in said:
                    found[begun] = Probe(said["error"], said["details"])
            if len(found) < len(modules) and (begun in found or not begun):
                # The child died between two modules: of none that it names.
                found.update({name: Probe(end) for name in modules if name not in found})
            elif begun:
                found.setdefault(begun, Probe(end))
    return found


def _run(arguments: list[str], seconds: float) -> str:
    """Run the child and say how it ended."""
    try:
        done = subprocess.run(
            [sys.executable, str(CHILD), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return f"importing it does not end within {seconds:g} s"
    last = (done.stderr.strip().splitlines() or [""])[-1]
    if done.returncode < 0:
        return f"importing it kills Python ({signal.Signals(-done.returncode).name})"
    return f"importing it ends Python with status {done.returncode} {last}".strip()
