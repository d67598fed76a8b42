"""Which images lie where in archives: scanned once, cached, a million in a mapped file."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from mmengine.logging import print_log

from .archive_member import Member
from .archive_scan import Wanted, archive_identity, join_archives, read_member, scan_archive
from .column_file import open_columns, save_columns
from .folder_index import default_cache
from .passed_over import PassedOver
from .path_index import PathIndex

try:
    import fcntl
except ImportError:  # Windows has no such locks: several processes may scan at once there
    fcntl = None  # type: ignore[assignment]

_FORMAT = 2
_RACY_NS = 2_000_000_000  # an archive written to this short before may change unnoticed


class ArchiveIndex:
    """Where every image of some archives lies; archive by archive, each in byte order of its paths.

    Args:
        header: ``passed_over``, and ``archives``: of each [path in hex, bytes, modification time
            in ns, ``"tar"`` or ``"zip"``].
        columns: for every image ``archive``, ``offset``, ``stored``, ``length``, ``check``,
            ``deflated``, ``category``, and the packed ``names`` and ``groups`` (of categories).
        file: (name, digest) of the cache file that the columns are mapped from, or None.
    """

    def __init__(
        self, header: dict, columns: dict[str, np.ndarray], file: tuple[str, str] | None = None
    ) -> None:
        self.header = header
        self.columns = columns
        self.archives: list[list] = header["archives"]
        self.names = PathIndex(columns["names"], columns["name_ends"])
        self.groups = PathIndex(columns["groups"], columns["group_ends"])
        self.passed_over = PassedOver.from_dict(header["passed_over"])
        self._file = file

    @classmethod
    def open(cls, file: str, digest: str | None = None) -> ArchiveIndex:
        """Map a cached index.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged, or not the one with this digest.
        """
        header, columns = open_columns(file, digest)
        return cls(header, columns, (file, header["digest"]))

    def __len__(self) -> int:
        return len(self.names)

    def __reduce__(self) -> tuple:
        # A spawned worker maps the same file; the pages are shared.
        if self._file is not None:
            return ArchiveIndex.open, self._file
        return ArchiveIndex, (self.header, self.columns)

    def read(self, file: int, index: int) -> bytes:
        """Read the content of an image; see `read_member`.

        Args:
            file: descriptor of its archive.
            index: which image.

        Raises:
            ValueError: the archive holds something else there, or damaged bytes.
            OSError: it cannot be read.
        """
        column = self.columns
        kind = self.archives[int(column["archive"][index])][3]
        member = Member(
            self.names[index],
            int(column["offset"][index]),
            int(column["stored"][index]),
            int(column["length"][index]),
            int(column["check"][index]),
            bool(column["deflated"][index]),
        )
        return read_member(kind, file, member)


def index_archives(paths: Sequence[str], wanted: Wanted, cache: bool | str = True) -> ArchiveIndex:
    """Index archives, from the cache where they have not changed.

    Every archive has a cache file of its own, so that only a changed one is scanned again; several
    have one together besides, so that starting opens a single file. An archive is stale as soon as
    its size or modification time differs.

    Args:
        paths: tars and zips, at least one.
        wanted: which members.
        cache: True: ``mmpmg/index`` in the user's cache folder; a folder to use instead; False:
            scan every time. A folder that cannot be written to costs a warning.

    Returns:
        The index; it may be empty.

    Raises:
        ArchiveError: an archive cannot be used at all.
        OSError: an archive cannot be read.
    """
    folder = None if cache is False else default_cache() if cache is True else cache
    paths = [os.path.abspath(path) for path in paths]
    if len(paths) == 1:
        return _index_one(paths[0], wanted, folder)
    file = _cache_file(folder, paths, wanted)
    index = _fresh(file, paths)
    if index is None:
        parts = []
        for path in paths:
            one = _index_one(path, wanted, folder)
            # Copies, for a mapped file takes one of the handles that the system allows.
            parts.append((one.header, {key: np.array(v) for key, v in one.columns.items()}))
        index = _keep(ArchiveIndex(*join_archives(parts)), file)
    return index


def _index_one(path: str, wanted: Wanted, folder: str | None) -> ArchiveIndex:
    file = _cache_file(folder, [path], wanted)
    index = _fresh(file, [path])
    if index is None:
        with _alone(file, path):  # of several processes that start at once, one scans
            index = _fresh(file, [path])
            if index is None:
                index = _keep(ArchiveIndex(*scan_archive(path, wanted)), file)
    return index


def _cache_file(folder: str | None, paths: list[str], wanted: Wanted) -> str | None:
    if folder is None:
        return None
    names = [os.fsencode(path).hex() for path in paths]
    question = json.dumps([_FORMAT, names, wanted.endings, wanted.samples])
    name = hashlib.blake2b(question.encode(), digest_size=16).hexdigest() + ".archives"
    return os.path.join(folder, name)


def _fresh(file: str | None, paths: list[str]) -> ArchiveIndex | None:
    """Return a cached index, if there is one and no archive has changed since."""
    if file is None:
        return None
    try:
        index = ArchiveIndex.open(file)
        if [archive[:3] for archive in index.archives] == [archive_identity(p) for p in paths]:
            return index
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _keep(index: ArchiveIndex, file: str | None) -> ArchiveIndex:
    """Cache an index and map it, or warn."""
    now = time.time_ns()
    racy = any(abs(now - archive[2]) < _RACY_NS for archive in index.archives)
    if file is None or racy:
        return index
    try:
        digest = save_columns(file, index.header, index.columns)
        return ArchiveIndex.open(file, digest)
    except (OSError, ValueError) as error:
        path = os.fsdecode(bytes.fromhex(index.archives[0][0]))
        print_log(
            f"The index of {path} is not cached, a later start scans again: {error}",
            logger="current",
            level=logging.WARNING,
        )
        return index


@contextmanager
def _alone(file: str | None, path: str) -> Iterator[None]:
    """Hold a lock beside a cache file, where the file system has locks."""
    handle = None
    try:
        if file is not None and fcntl is not None:
            os.makedirs(os.path.dirname(file), exist_ok=True)
            handle = os.open(file + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print_log(f"Another process indexes {path}; waiting for it", logger="current")
                fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:
        pass
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
