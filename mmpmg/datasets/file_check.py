"""Whether the files that a list names exist, before training starts."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence

#: How many of a list's files are looked at: all; 1000 spread over the list, and all of them as
#: soon as one of those is missing; none.
CHECKS = ("all", "sample", "none")
_SAMPLED = 1000


def missing_files(path: Callable[[int], str], count: int, check: str) -> list[str]:
    """Return the files of a list that do not exist, as far as the check looks.

    Args:
        path: number in the list -> path.
        count: length of the list, 1 or more.
        check: one of `CHECKS`.

    Raises:
        ValueError: there is no such check.
    """
    if check not in CHECKS:
        raise ValueError(f"check={check!r}: must be one of {', '.join(CHECKS)}")
    if check == "none":
        return []
    if check == "sample":
        spread = sorted({*range(0, count, -(-count // _SAMPLED)), count - 1})
        if not _missing(path, spread):
            return []
    return _missing(path, range(count))


def _missing(path: Callable[[int], str], numbers: Sequence[int]) -> list[str]:
    return [name for name in map(path, numbers) if not _is_file(name)]


def _is_file(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):
        return False
