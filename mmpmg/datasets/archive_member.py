"""One file inside an archive: where it lies, and whether its name may be trusted."""

from __future__ import annotations

from typing import NamedTuple

from .passed_over import HIDDEN, NESTED, OUTSIDE

#: No image file is larger than this; a member that claims to be is not read.
MAX_BYTES = 1 << 30

_ARCHIVES = (
    b".zip", b".tar", b".tgz", b".tbz2", b".txz", b".gz", b".bz2", b".xz", b".zst", b".7z", b".rar",
)  # fmt: skip


class ArchiveError(ValueError):
    """An archive as a whole cannot be used; the message names it and says what to do."""


class Member(NamedTuple):
    """Where a member lies.

    Attributes:
        name: its path, without a leading ``./``.
        offset: where its header begins in the archive, bytes.
        stored: how many bytes its content takes in the archive.
        length: how many bytes its content has; more than ``stored`` when it is compressed.
        check: CRC-32, of the header in a tar, of the content in a zip.
        deflated: whether its content is compressed.
    """

    name: bytes
    offset: int
    stored: int
    length: int
    check: int
    deflated: bool = False


def plain_name(name: bytes) -> bytes:
    """Return a member's path without leading ``./``."""
    while name.startswith(b"./"):
        name = name[2:].lstrip(b"/")
    return name


def objection(member: Member) -> str | None:
    """Return why a regular member is not used whatever it holds, one of `passed_over`, or None."""
    parts = member.name.replace(b"\\", b"/").split(b"/")
    drive = len(parts[0]) == 2 and parts[0].endswith(b":")  # the root, on Windows
    if not parts[0] or drive or b".." in parts or b"\0" in member.name:
        return OUTSIDE
    if parts[0] == b"__MACOSX" or any(part.startswith(b".") and part != b"." for part in parts):
        return HIDDEN
    if member.name.lower().endswith(_ARCHIVES):
        return NESTED
    return None
