"""Whether the files that a list names exist, before training starts."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

#: How many of a list's files are looked at: all; 1000 spread over the list, and all of them as
#: soon as one of those is missing; none.
CHECKS = ("all", "sample", "none")
_SAMPLED = 1000
_THREADS = 16  # they wait for a network file system, not for a core
_FEW = 8  # asking for so many files one by one costs no more than listing their folder
_CROWD = 16  # a folder with so many times the wanted files is not listed to its end


def missing_files(path: Callable[[int], str], count: int, check: str) -> list[str]:
    """Return the files of a list that do not exist, as far as the check looks.

    Folders are listed, several at a time, in place of asking for each file: names and kinds of a
    folder's files come in blocks, where asking costs a round trip each on a network file system.

    Args:
        path: number in the list -> path.
        count: length of the list, 1 or more.
        check: one of `CHECKS`.

    Returns:
        The missing files in the list's order; one that is named twice is there twice.

    Raises:
        ValueError: there is no such check.
    """
    if check not in CHECKS:
        raise ValueError(f"check={check!r}: must be one of {', '.join(CHECKS)}")
    if check == "none":
        return []
    if check == "sample":
        spread = sorted({*range(0, count, -(-count // _SAMPLED)), count - 1})
        if not _missing(map(path, spread)):
            return []
    return _missing(map(path, range(count)))


def _missing(paths: Iterable[str]) -> list[str]:
    paths = list(paths)
    folders: dict[str, set[str]] = {}
    for one in paths:
        folder, name = os.path.split(one)
        folders.setdefault(folder, set()).add(name)
    with ThreadPoolExecutor(_THREADS) as pool:
        absent = dict(zip(folders, pool.map(_absent, folders, folders.values()), strict=True))
    if not any(absent.values()):
        return []
    return [one for one in paths if os.path.basename(one) in absent[os.path.dirname(one)]]


def _absent(folder: str, names: set[str]) -> set[str]:
    """Return the names of which a folder has no file."""
    wanted = set(names)
    if len(wanted) > _FEW:
        try:
            with os.scandir(folder or ".") as entries:
                for number, entry in enumerate(entries):
                    # A link is looked at below: it may lead nowhere.
                    if entry.name in wanted and entry.is_file(follow_symlinks=False):
                        wanted.remove(entry.name)
                    if not wanted or number > _CROWD * len(names):
                        break
        except (FileNotFoundError, NotADirectoryError):
            return wanted
        except (OSError, ValueError):
            pass  # a folder that lets files be opened, but not listed
    return {name for name in wanted if not _is_file(os.path.join(folder, name))}


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
