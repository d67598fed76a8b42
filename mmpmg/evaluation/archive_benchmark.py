"""What reading images out of an archive costs against loose files, and a big index to open."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np

from mmpmg.datasets import ArchiveImages, FolderImages
from mmpmg.datasets.generated_images import ShaderImages
from mmpmg.evaluation.index_benchmark import HEAD
from mmpmg.evaluation.timing import alternate, limited_threads, markdown_table, ratios, spread

_IMAGES = 64
_SIZE = (375, 500)
_QUALITY = 90
_PER_FOLDER = 1000
_KINDS = ("tar", "zip")

# In a process of its own: memory that others have freed must not hide what an index takes.
_START = """
import json, sys, time
import mmpmg
from mmpmg.datasets import ArchiveImages, ImageToPseudoVideo

def memory(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(key)) / 1024

archive, cache = sys.argv[1:]
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")  # the peak counts from here
before, start = memory("VmRSS"), time.perf_counter()
dataset = ImageToPseudoVideo(ArchiveImages(archive, cache=cache), [])
dataset.get_data_info(len(dataset) // 2)
seconds = time.perf_counter() - start
print(json.dumps([len(dataset), seconds, memory("VmRSS") - before, memory("VmHWM") - before]))
"""


def benchmark_archives(num_members: int, repeats: int) -> str:
    """Read the same JPEGs loose and in place, and start twice over archives of very many members.

    Args:
        num_members: Members of the big archives.
        repeats: Timed rounds, >= 1.

    Returns:
        Two Markdown tables. The first compares one core's seconds, files in the page cache, the
        ways in turn; the second is as that of the ``index`` part. Linux only.
    """
    return f"{_reading(repeats)}\n\n{_starting(num_members)}"


def write_archives(folder: Path, images: dict[str, bytes]) -> dict[str, Path]:
    """Write the same files loose, as a tar, and as zips stored and deflated.

    Args:
        folder: Where; must exist.
        images: Path -> content.

    Returns:
        Name of the way -> folder or archive.
    """
    paths = {
        "loose files": folder / "loose",
        "tar": folder / "images.tar",
        "zip, stored": folder / "stored.zip",
        "zip, deflated": folder / "deflated.zip",
    }
    for name, data in images.items():
        loose = paths["loose files"] / name
        loose.parent.mkdir(parents=True, exist_ok=True)
        loose.write_bytes(data)
    with tarfile.open(paths["tar"], "w") as tar:
        for name, data in images.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    for way, method in (("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(paths[f"zip, {way}"], "w", method) as file:
            for name, data in images.items():
                file.writestr(name, data)
    return paths


def _reading(repeats: int) -> str:
    with tempfile.TemporaryDirectory(prefix="mmpmg-archives-") as folder, limited_threads(1):
        images = _jpegs()
        paths = write_archives(Path(folder), images)
        order = np.random.default_rng(0).permutation(len(images))
        loose = FolderImages(str(paths["loose files"]), cache=False)
        packed = {name: ArchiveImages(str(path), cache=False)
                  for name, path in paths.items() if path.is_file()}  # fmt: skip
        names = [loose.name(i) for i in range(len(loose))]
        rows = []
        for what, sides in (
            ("read and decode", {name: source.load for name, source in packed.items()}),
            ("read only", {name: source.read for name, source in packed.items()}),
        ):
            base = loose.load if what == "read and decode" else lambda i: _read_file(names[i])
            rows += _compare(what, {"loose files": base, **sides}, order, repeats)
        kilobytes = sum(map(len, images.values())) / len(images) / 1e3
    head = ["images in", "what", "images/s", "time / loose files"]
    title = (
        f"### Reading {_IMAGES} JPEGs of {_SIZE[1]} x {_SIZE[0]}, {kilobytes:.0f} kB, in place, "
        "one core"
    )
    return f"{title}\n\n{markdown_table(head, rows)}"


def _compare(
    what: str, sides: dict[str, Callable[[int], object]], order: Sequence[int], repeats: int
) -> list[list[str]]:
    """Time reading all images in each way, in turn."""

    def all_of(load: Callable[[int], object]) -> Callable[[int], object]:
        return lambda _: [load(int(i)) for i in order]

    # Every way comes first, second, ... equally often: with a fixed order and a fixed period, what
    # else the machine does in turns would fall on one of them.
    names = list(sides)
    timings: dict[str, list[float]] = {name: [] for name in names}
    for first in range(len(names)):
        turn = names[first:] + names[:first]
        some = alternate({name: all_of(sides[name]) for name in turn}, repeats)
        for name in names:
            timings[name] += some[name]
    return [
        [name, what, f"{len(order) / spread(seconds).median:.0f}",
         str(ratios(timings, "loose files", name))]
        for name, seconds in timings.items()
    ]  # fmt: skip


def _read_file(name: str) -> bytes:
    with open(name, "rb") as file:
        return file.read()


def _jpegs() -> dict[str, bytes]:
    source = ShaderImages(num_categories=_IMAGES, images_per_category=1, size=_SIZE)
    noise = np.random.default_rng(0)
    images = {}
    for number in range(_IMAGES):
        # Grain, as photographs have it: without it a JPEG of a shader is unusually small.
        grain = noise.normal(0, 6, (*_SIZE, 1))
        image = np.clip(source.load(number) + grain, 0, 255).astype(np.uint8)
        options = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
        images[f"{number % 8:02d}/{number:06d}.jpg"] = data.tobytes()
    return images


def _starting(num_members: int) -> str:
    rows = []
    with tempfile.TemporaryDirectory(prefix="mmpmg-archives-") as folder:
        for kind in _KINDS:
            archive = Path(folder, f"big.{kind}")
            (_big_tar if kind == "tar" else _big_zip)(archive, num_members)
            for start in ("first", "second"):
                numbers = _start(archive, Path(folder, "cache"), num_members)
                rows.append([f"{kind}, {start}", *numbers])
            archive.unlink()
    return f"### Index over {num_members} members\n\n{markdown_table(HEAD, rows)}"


def _start(archive: Path, cache: Path, num_members: int) -> list[str]:
    output = subprocess.run(
        [sys.executable, "-c", _START, str(archive), str(cache)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found, seconds, memory, peak = json.loads(output.splitlines()[-1])
    if found != num_members:
        raise RuntimeError(f"the index holds {found} members, not the {num_members} that there are")
    return [f"{seconds:.2f}", f"{memory:.0f}", f"{peak:.0f}"]


def _name(number: int) -> str:
    """Return a path like those of PASS: a folder, and a hash of 32 digits."""
    return f"PASS_dataset/{number // _PER_FOLDER}/{number * 0x9E3779B97F4A7C15 % 2**128:032x}.jpeg"


def _big_tar(path: Path, num_members: int) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(num_members):
            tar.addfile(tarfile.TarInfo(_name(number)))
            tar.members = []  # type: ignore[attr-defined]  # tarfile would keep them all


def _big_zip(path: Path, num_members: int) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(num_members):
            file.writestr(zipfile.ZipInfo(_name(number)), b"")
