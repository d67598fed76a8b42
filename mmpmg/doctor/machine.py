"""What the machine has: cores, shared memory, GPUs; and where the recipes are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from mmpmg.doctor.findings import ABSENT, BROKEN, DOUBTFUL, Finding
from mmpmg.stack import REINSTALL

PACKAGE = Path(__file__).parents[1]
SHARED_MEMORY = Path("/dev/shm")
ENOUGH = 2**30  # bytes; Docker gives 64 MiB, less than a few batches of clips


def cores() -> Finding:
    """Count the CPU cores that this process may use."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("CPU cores", str(usable), note=f"of {os.cpu_count()}")


def shared_memory() -> Finding:
    """Measure the memory through which data workers hand over their batches."""
    try:
        space = shutil.disk_usage(SHARED_MEMORY)
    except OSError:
        return Finding("shared memory", note=f"no {SHARED_MEMORY}")
    found = Finding("shared memory", f"{space.total / 2**30:.2f} GiB")
    found.note = f"{space.free / 2**30:.2f} GiB free"
    if space.free < ENOUGH:
        found.state, found.command = DOUBTFUL, "docker run --shm-size=8g, or --ipc=host"
        found.note += "; data workers hand over clips there, and die of 'Bus error' when it is full"
    return found


def gpus(torch: dict[str, Any]) -> Finding:
    """List the GPUs that torch can use.

    Args:
        torch: What the probe found: ``gpus``, ``cuda``, ``bf16``.
    """
    names = torch.get("gpus", [])
    found = Finding("GPUs", str(len(names)), note=", ".join(names))
    if names:
        found.note += f"; CUDA {torch['cuda']}, bf16: {'yes' if torch['bf16'] else 'no'}"
    elif Path("/dev/nvidia0").exists():
        built = f"is built for CUDA {torch['cuda']}" if torch.get("cuda") else "is built without"
        found.state = DOUBTFUL
        found.note = f"this machine has one, and torch, which {built}, does not see it"
        found.command = "nvidia-smi, and install the torch build for that driver's CUDA"
    else:
        found.state, found.note = ABSENT, "recipes then compute in float32 on the CPU"
    return found


def recipes() -> Finding:
    """Say where the recipes are, in the source tree or in the installed package."""
    for folder in (PACKAGE.parent / "configs", PACKAGE / ".mim" / "configs"):
        if (folder / "_base_").is_dir():
            count = len([path for path in folder.glob("*/*.py") if path.parent.name != "_base_"])
            return Finding("recipes", str(count), note=str(folder), needed=True)
    return Finding(
        "recipes", "0", BROKEN, f"none in {PACKAGE / '.mim'}",
        REINSTALL, needed=True,
    )  # fmt: skip
