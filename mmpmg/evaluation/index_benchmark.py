"""What the start of a run over very many image files costs: seconds, and memory of a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mmpmg.evaluation.timing import markdown_table

HEAD = ["start", "seconds", "memory, MB", "peak, MB"]
_PER_FOLDER = 1000

# In a process of its own: memory that others have freed must not hide what an index takes.
_START = """
import json, sys, time
import mmpmg
from mmpmg.datasets import FolderImages, ImageToPseudoVideo

def memory(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key)) / 1024

root, cache = sys.argv[1:]
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak counts from here
before, start = memory("VmRSS"), time.perf_counter()
dataset = ImageToPseudoVideo(FolderImages(root, cache=cache), [])
dataset.get_data_info(len(dataset) // 2)
seconds = time.perf_counter() - start
print(json.dumps([len(dataset), seconds, memory("VmRSS") - before, memory("VmHWM") - before]))
"""


def benchmark_index(num_files: int) -> str:
    """Start twice over a tree of empty image files, a thousand a folder.

    Args:
        num_files: How many files.

    Returns:
        A Markdown table: a row for the first start, which lists the files, and one for the second.
        Memory is what the dataset adds to its process; the peak is that of its making.

    Raises:
        ValueError: ``num_files`` below 1.
        RuntimeError: A start failed, or left no cache behind.
    """
    if num_files < 1:
        raise ValueError(f"--files {num_files}: must be 1 or more")
    title = f"### Index over {num_files} image files"
    if not os.access("/proc/self/clear_refs", os.W_OK):
        return f"{title}\n\nnot run: memory is read from Linux's /proc, which is closed here"
    with tempfile.TemporaryDirectory(prefix="mmpmg-index-") as folder:
        root, cache = Path(folder, "images"), Path(folder, "cache")
        for number in range(num_files):
            if number % _PER_FOLDER == 0:
                inner = root / f"{number // _PER_FOLDER:05d}"
                inner.mkdir(parents=True)
            (inner / f"{number:07d}.jpg").touch()
        for tree in (root, *root.iterdir()):
            os.utime(tree, (0, 0))  # a folder that changed just now would be scanned again
        rows = [["first", *_start(root, cache, num_files)]]
        if not any(cache.iterdir()):
            raise RuntimeError("the first start left no cache, so there is no second to measure")
        rows += [["second", *_start(root, cache, num_files)]]
    return f"{title}\n\n{markdown_table(HEAD, rows)}"


def _start(root: Path, cache: Path, num_files: int) -> list[str]:
    run = subprocess.run(
        [sys.executable, "-c", _START, str(root), str(cache)],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if run.returncode:
        raise RuntimeError(f"a start failed: {' '.join(run.stderr.splitlines()[-1:])}")
    found, seconds, memory, peak = json.loads(run.stdout.splitlines()[-1])
    if found != num_files:
        raise RuntimeError(f"the index holds {found} files, not the {num_files} that lie there")
    return [f"{seconds:.2f}", f"{memory:.0f}", f"{peak:.0f}"]
