"""Judge each part of the stack: there, of a version that works, and loading."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any

from mmpmg.doctor.probe import Probe
from mmpmg.stack import LITE, PYTHONS, Part, advice, fits

GOOD, ABSENT, DOUBTFUL, BROKEN = "ok", "absent", "doubtful", "BROKEN"


@dataclass
class Finding:
    """One line of the doctor's table.

    Args:
        name: Package or resource.
        version: Of the package, with its distribution where that is not of its name.
        state: ``ok``, ``absent`` (and not needed), ``doubtful`` (works, with a trap) or ``BROKEN``.
        note: What is wrong, or worth knowing.
        command: What to type; "" where nothing is to be done.
        needed: Nothing works while this is broken.
        details: What else is known, for bug reports.
    """

    name: str
    version: str = ""
    state: str = GOOD
    note: str = ""
    command: str = ""
    needed: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return asdict(self)


def installed(part: Part) -> dict[str, str]:
    """Return the installed distributions that own a part's module, with their versions."""
    found = {}
    for owner in part.owners:
        try:
            found[owner] = metadata.version(owner)
        except metadata.PackageNotFoundError:
            continue
    return found


def judge(part: Part, owners: dict[str, str], probe: Probe) -> Finding:
    """Judge one package.

    Args:
        part: What is wanted.
        owners: Installed distributions of its module and their versions.
        probe: What importing it came to.

    Returns:
        The finding; ``command`` is set for all that should be mended.
    """
    version = ", ".join(
        text if owner in (part.module, part.owners[0]) else f"{text} ({owner})"
        for owner, text in owners.items()
    )
    version = version or probe.details.get("version", "")
    found = Finding(part.module, version, note=part.purpose, needed=part.needed)
    found.details = probe.details

    def mend(state: str, note: str, command: str = part.command) -> Finding:
        found.state, found.note, found.command = state, note, command
        return found

    if probe.error and not owners and _is_missing(part, probe):
        if part.needed:
            return mend(BROKEN, "is not installed", LITE if part.module == "mmcv" else part.command)
        found.state, found.command = ABSENT, part.command
        return found
    wrong = [text for text in owners.values() if not fits(part, text)]
    if wrong:
        below = f", <{'.'.join(map(str, part.below))}" if part.below else ""
        bounds = f">={'.'.join(map(str, part.lowest))}{below}"
        return mend(BROKEN, f"{wrong[0]} does not work here, which takes {bounds}")
    if probe.error:
        command = advice(part, probe.error, installed=bool(owners))
        return mend(BROKEN, f"does not load: {probe.error}", command)
    if part.module == "mmcv" and len(owners) > 1:
        return mend(DOUBTFUL, "mmcv and mmcv-lite overwrite each other's files; keep one")
    # MMEngine and MMAction2 ask for one build each: of one version they hold the same files.
    if part.module == "cv2" and len(set(owners.values())) > 1:
        both = " and ".join(f"{owner} {text}" for owner, text in owners.items())
        return mend(DOUBTFUL, f"{both} overwrite each other's files; keep one")
    if probe.details.get("numpy"):
        return mend(
            BROKEN, f"takes no arrays of this NumPy: {probe.details['numpy']}",
            "pip install 'numpy<2', or a torch that was built with NumPy 2",
        )  # fmt: skip
    if part.module == "cv2" and version.startswith("4."):
        note = "OpenCV 4 rounds positions to 1/32 pixel: clips differ from those that a GPU renders"
        return mend(DOUBTFUL, f"{note} (docs/installing.md)")
    if part.module == "moderngl" and not probe.details.get("egl"):
        note = f"finds no EGL: {probe.details.get('egl_error', '')}"
        return mend(DOUBTFUL, note, "apt install libegl1 libgl1-mesa-dri")
    if part.module == "moderngl":
        found.note += f", through EGL on {probe.details['egl']}"
    if part.module == "torch":
        cuda = probe.details.get("cuda")
        found.note = f"built for CUDA {cuda}" if cuda else "built for the CPU alone"
    return found


def _is_missing(part: Part, probe: Probe) -> bool:
    """Whether nobody has the module: not in the metadata, and not on the path either."""
    return f"No module named '{part.module}'" in probe.error


def judge_python() -> Finding:
    """Judge the interpreter that runs this."""
    found = Finding("python", platform.python_version(), note=sys.executable, needed=True)
    if not PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]:
        found.state = BROKEN if sys.version_info[:2] < PYTHONS[0] else DOUBTFUL
        found.note = f"{sys.executable}; tested are Python 3.10, 3.11 and 3.12"
        found.command = "python3.12 -m venv .venv"
    return found


def judge_mmpmg(version: str, probe: Probe) -> Finding:
    """Judge the package itself: whether it imports, after it mended what it could.

    Args:
        version: Of the source.
        probe: What ``import mmpmg`` came to.
    """
    found = Finding("mmpmg", version, needed=True, details=probe.details)
    found.note = probe.details.get("path", "")
    if probe.error:
        found.state, found.note = BROKEN, probe.error
        found.command = "what stands above; else report it, with python -m mmpmg.doctor --json"
    return found
