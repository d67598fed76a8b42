"""Write constraints.txt: install environment.txt under each Python, freeze, merge into one file.

Usage: ``python requirements/lock.py python3.10 python3.11 python3.12``. Each install takes minutes
and some 6 GB in the temporary directory; one at a time, and removed again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = """\
# Written by `make lock`; do not edit. What .venv holds, for Python {versions}.
# The list is complete, so install it with: pip install --no-deps -r requirements/constraints.txt
# OpenCV is the build without windows: it needs no libGL, which a fresh machine does not have.
"""
# OpenCV's builds own the same files; the resolver takes two of them, one is enough.
DROPPED = {"pip", "opencv-python"}
RENAMED = {"opencv-contrib-python": "opencv-contrib-python-headless"}
# Packages without wheels elsewhere.
PLATFORM = {
    "cuda-": 'sys_platform == "linux"',
    "nvidia-": 'sys_platform == "linux"',
    "triton": 'sys_platform == "linux"',
    "decord": 'platform_machine != "aarch64" and platform_machine != "arm64"',
}


def freeze(python: str) -> tuple[str, dict[str, str]]:
    """Install environment.txt with ``python``.

    Args:
        python: An interpreter, as a command.

    Returns:
        The interpreter's version such as ``"3.11"``, and the installed versions by package.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        venv = str(Path(folder, "bin", "python"))
        requirements = str(HERE / "environment.txt")
        subprocess.run(
            [venv, "-m", "pip", "install", "-q", "--no-compile", "-r", requirements], check=True
        )
        show = "import sys; print('%d.%d' % sys.version_info[:2])"
        version = subprocess.check_output([venv, "-c", show], text=True).strip()
        lines = subprocess.check_output([venv, "-m", "pip", "freeze", "--all"], text=True)
    return version, dict(line.split("==") for line in lines.split() if "==" in line)


def merge(frozen: dict[str, dict[str, str]]) -> str:
    """Merge the versions found under each Python into one file with markers.

    Args:
        frozen: Installed versions by package, by Python version.

    Returns:
        The text of constraints.txt: one pin where all agree, else one per Python.
    """
    text = HEADER.format(versions=", ".join(frozen))
    names = {name for packages in frozen.values() for name in packages}
    for name in sorted(names - DROPPED, key=str.lower):
        by_version: dict[str, list[str]] = {}
        for python, packages in frozen.items():
            if name in packages:
                by_version.setdefault(packages[name], []).append(python)
        platform = [marker for prefix, marker in PLATFORM.items() if name.startswith(prefix)]
        for version, pythons in by_version.items():
            markers = list(platform)
            if len(pythons) < len(frozen):
                either = " or ".join(f'python_version == "{python}"' for python in pythons)
                markers.append(f"({either})" if platform and len(pythons) > 1 else either)
            suffix = f" ; {' and '.join(markers)}" if markers else ""
            text += f"{RENAMED.get(name, name)}=={version}{suffix}\n"
    return text


def main() -> None:
    """Lock for the interpreters on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pythons", nargs="+", help="interpreters, e.g. python3.10 python3.11")
    frozen = {}
    for python in parser.parse_args().pythons:
        print(f"installing under {python} ...", file=sys.stderr)
        version, packages = freeze(python)
        frozen[version] = packages
    (HERE / "constraints.txt").write_text(merge(frozen))


if __name__ == "__main__":
    main()
