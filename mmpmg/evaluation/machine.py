"""What a measurement must carry with it: machine, date, commit, versions and command."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import torch

from mmpmg.source_commit import commit

PACKAGES = (
    "torch",
    "torchvision",
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python-headless",
    "transformers",
    "mmengine",
    "mmaction2",
)

BUSY = 0.5
"""Load for each core above which others would share the cores with what is measured."""


def usable_cores() -> int:
    """Cores that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_name() -> str:
    """Name of the CPU as it gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def gpu_name() -> str:
    """Name, memory and driver of the GPU that torch uses; of the first one that there is."""
    properties = torch.cuda.get_device_properties(torch.cuda.current_device())
    known = (
        f"{properties.name}, {properties.total_memory / 2**30:.0f} GiB, CUDA {torch.version.cuda}"
    )
    try:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return known
    return f"{known}, driver {told.split()[0]}"


def versions() -> str:
    """Versions of the packages whose speed is measured, those that are installed."""
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return ", ".join(found)


def describe_load(load: float) -> str:
    """Say how busy the cores are, and warn when measuring now is of no use.

    Args:
        load: Mean number of processes that ran or wanted to, in the last minute.
    """
    told = f"{load:.1f} on {usable_cores()} cores"
    if load > BUSY * usable_cores():
        return f"{told}: **busy, do not use these figures**"
    return told


def describe_machine(arguments: Sequence[str], device: str) -> str:
    """Say where, when and with what the figures below were measured, as a Markdown list.

    Args:
        arguments: Command line after the tool's name.
        device: "cpu" or "cuda".

    Returns:
        Seven lines: command, CPU, load, GPU, date, commit, versions.
    """
    gpu = gpu_name() if device == "cuda" else "not used"
    # Others on the same cores are the likeliest reason for a wide spread.
    load = describe_load(os.getloadavg()[0]) if hasattr(os, "getloadavg") else "unknown"
    facts = {
        "command": f"`{shlex.join(['python', 'tools/benchmark.py', *arguments])}`",
        "CPU": f"{cpu_name()}, {usable_cores()} cores",
        "load before the start": load,
        "GPU": gpu,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "versions": versions(),
    }
    return "\n".join(f"- {name}: {fact}" for name, fact in facts.items())
