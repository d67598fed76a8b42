"""Archives read the slow way, by the standard library, for comparison."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path


def unpacked(archive: Path) -> dict[str, bytes]:
    """Return path -> content of an archive's regular files; of equal paths the last."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            return {i.filename: file.read(i) for i in file.infolist() if not i.is_dir()}
    with tarfile.open(archive) as file:
        return {
            member.name.removeprefix("./"): file.extractfile(member).read()
            for member in file
            if member.isreg()
        }
