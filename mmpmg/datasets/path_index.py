"""A million paths in one block of bytes: small, and shared by workers when it lies on disk."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from array import array
from collections.abc import Iterable

import numpy as np

_MAGIC = b"mmpmg-index-1\n"


class PathIndex:
    """An immutable sequence of paths, about 8 bytes above their own length each.

    Args:
        blob: all paths, one after the other, uint8.
        ends: (N,) int64, where each path ends in ``blob``.
        mapped: (name, digest) of the cache file that both are mapped from, or None. A mapped
            index travels to a spawned worker as this name; the pages are shared.
    """

    def __init__(
        self, blob: np.ndarray, ends: np.ndarray, mapped: tuple[str, str] | None = None
    ) -> None:
        self._blob = blob
        self._ends = ends
        self._mapped = mapped

    @classmethod
    def from_paths(cls, paths: Iterable[bytes]) -> PathIndex:
        """Pack paths in the order in which they come.

        Args:
            paths: file names as the system stores them.

        Returns:
            The index.
        """
        blob, ends = bytearray(), array("q")
        for path in paths:
            blob += path
            ends.append(len(blob))
        return cls(np.frombuffer(bytes(blob), np.uint8), np.frombuffer(ends, np.int64))

    @classmethod
    def from_lines(cls, text: bytes) -> PathIndex:
        """Pack the lines of a list file; blank lines and the white space around a path are dropped.

        Args:
            text: content of the file, one path a line.

        Returns:
            The index, in the order of the file.
        """
        text = text.removeprefix(b"\xef\xbb\xbf")
        return cls.from_paths(line for line in map(bytes.strip, text.split(b"\n")) if line)

    @classmethod
    def open(cls, file: str, digest: str | None = None) -> PathIndex:
        """Map the index that a cache file holds.

        Args:
            file: as written by `save`.
            digest: when given, the file must still hold these paths.

        Returns:
            The index.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is no index, is damaged, or holds other paths.
        """
        header, start = read_header(file)
        count, size = header["count"], header["bytes"]
        if digest not in (None, header["digest"]):
            raise ValueError(f"{file}: the image folder changed while workers started; start again")
        if os.path.getsize(file) != start + 8 * count + size:
            raise ValueError(f"{file}: damaged")
        data = np.memmap(file, np.uint8, "r", offset=0)
        ends = data[start : start + 8 * count].view(np.int64)
        return cls(data[start + 8 * count :], ends, (file, header["digest"]))

    def save(self, file: str, **header: object) -> None:
        """Write a cache file, in one piece also when several processes do so at once.

        Args:
            file: where; its folder must exist.
            **header: plain data to store with it.

        Raises:
            OSError: it cannot be written.
        """
        digest = hashlib.blake2b(self._ends, digest_size=16)
        digest.update(self._blob)
        head = dict(header, count=len(self), bytes=len(self._blob), digest=digest.hexdigest())
        text = json.dumps(head).encode()
        text += b" " * (-(len(_MAGIC) + 8 + len(text)) % 8)  # the numbers that follow lie aligned
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(file), suffix=".part")
        try:
            with os.fdopen(handle, "wb") as out:
                out.write(_MAGIC + len(text).to_bytes(8, "little") + text)
                out.write(self._ends)
                out.write(self._blob)
            os.replace(temporary, file)
        except BaseException:
            os.unlink(temporary)
            raise

    @property
    def blob(self) -> np.ndarray:
        """All paths, one after the other, uint8."""
        return self._blob

    @property
    def ends(self) -> np.ndarray:
        """Where each path ends in ``blob``, (N,) int64."""
        return self._ends

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, index: int) -> bytes:
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} of {len(self)} paths")
        start = int(self._ends[index - 1]) if index else 0
        return self._blob[start : int(self._ends[index])].tobytes()

    def __reduce__(self) -> tuple:
        if self._mapped is not None:
            return PathIndex.open, self._mapped
        return PathIndex, (self._blob, self._ends)


def read_header(file: str) -> tuple[dict, int]:
    """Read what `PathIndex.save` wrote in front of the paths.

    Args:
        file: as written by `PathIndex.save`.

    Returns:
        The header, and the position at which it ends.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is no index, or is damaged.
    """
    with open(file, "rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{file}: no index")
        length = int.from_bytes(stream.read(8), "little")
        if length > os.path.getsize(file):
            raise ValueError(f"{file}: damaged")
        return json.loads(stream.read(length)), len(_MAGIC) + 8 + length
