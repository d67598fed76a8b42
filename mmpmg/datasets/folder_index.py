"""Find the files of a folder tree, once: the second start reads a cache."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path

from .path_index import PathIndex, read_header

_RACY_NS = 2_000_000_000  # a folder changed this short before the scan may change unnoticed
_logger = logging.getLogger(__name__)


def scan(
    root: bytes, extensions: tuple[str, ...], recursive: bool, folders: list[tuple[bytes, int]]
) -> Iterator[bytes]:
    """Yield the paths of all files below a folder, in the byte order of the relative paths.

    The order is the same on every machine, whatever its locale and file system. Hidden names are
    passed over (archives made on a Mac are full of ``._x.jpg`` that are no images), links to
    folders are followed, but not in circles.

    Args:
        root: the folder.
        extensions: endings that count, lower case, with the dot.
        recursive: whether to descend.
        folders: (relative path, modification time in ns) of every folder seen is appended here.

    Yields:
        Paths relative to ``root``, with ``/`` between the parts.
    """
    endings = tuple(ending.encode() for ending in extensions)

    def walk(prefix: bytes, above: tuple[tuple[int, int], ...]) -> Iterator[bytes]:
        folder = os.path.join(root, prefix)
        status = os.stat(folder)
        identity = (status.st_dev, status.st_ino)
        if identity in above:
            return
        folders.append((prefix, status.st_mtime_ns))
        names: list[bytes] = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(b"."):
                    continue
                # A folder sorts as its files do, by "name/": so this is the order of whole paths.
                if entry.is_dir():
                    if recursive:
                        names.append(entry.name + b"/")
                elif entry.name.lower().endswith(endings):
                    names.append(entry.name)
        for name in sorted(names):
            if name.endswith(b"/"):
                yield from walk(prefix + name, (*above, identity))
            else:
                yield prefix + name

    yield from walk(b"", ())


def index_folder(
    root: str, extensions: tuple[str, ...], recursive: bool = True, cache: bool | str = True
) -> PathIndex:
    """Index the files of a folder, from the cache when the folder has not changed.

    The cache never lies in the data folder, which may be read-only or shared. It is stale as soon
    as the modification time of any folder in the tree differs: files came, went or were renamed.

    Args:
        root: the folder.
        extensions: endings that count, lower case, with the dot.
        recursive: whether to descend.
        cache: True: ``mmpmg/index`` in the user's cache folder (``$XDG_CACHE_HOME``, else
            ``~/.cache``); a folder to use instead; False: scan every time. A folder that cannot
            be written to costs a warning and a scan every time.

    Returns:
        The index, of paths relative to ``root``.

    Raises:
        OSError: the folder cannot be read.
    """
    raw_root = os.fsencode(os.path.abspath(root))
    if cache is False:
        return PathIndex.from_paths(scan(raw_root, extensions, recursive, []))
    question = json.dumps([raw_root.hex(), sorted(extensions), recursive])
    name = hashlib.blake2b(question.encode(), digest_size=16).hexdigest() + ".index"
    file = os.path.join(default_cache() if cache is True else cache, name)
    if _is_fresh(file, raw_root, question):
        try:
            return PathIndex.open(file)
        except (OSError, ValueError):
            pass
    started = time.time_ns()
    folders: list[tuple[bytes, int]] = []
    index = PathIndex.from_paths(scan(raw_root, extensions, recursive, folders))
    if max(mtime for _, mtime in folders) > started - _RACY_NS:
        return index
    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        seen = [[prefix.hex(), mtime] for prefix, mtime in folders]
        index.save(file, question=question, folders=seen)
        return PathIndex.open(file)
    except OSError as error:
        _logger.warning("The index of %s is not cached, a later start scans again: %s", root, error)
        return index


def default_cache() -> str:
    """Return the folder for indices in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return os.path.join(base, "mmpmg", "index")


def _is_fresh(file: str, root: bytes, question: str) -> bool:
    """Tell whether a cache file answers this question and no folder has changed since."""
    try:
        header, _ = read_header(file)
        return header["question"] == question and all(
            os.stat(os.path.join(root, bytes.fromhex(prefix))).st_mtime_ns == mtime
            for prefix, mtime in header["folders"]
        )
    except (OSError, ValueError, KeyError):
        return False
