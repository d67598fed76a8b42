"""The members of a zip, found by its central directory and read in place.

APPNOTE 6.3.x: stored and deflated members, zip64. The directory is read in one piece and walked
with ``struct``: the standard library's ``zipfile`` makes an object for each member, which takes a
gigabyte for a million.
"""

from __future__ import annotations

import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from .archive_member import ArchiveError, Member, plain_name
from .passed_over import CUT_OFF, ENCRYPTED, LINK, PassedOver

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s2B3H4x3L5H2L")
_LOCAL = struct.Struct("<4s2H18x2H")
_LOCAL_SPARE = 64  # for the "./" that names are rid of
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED_BITS = 0x2041  # encrypted, strongly encrypted, directory masked
_UNIX = (3, 19)


class _Directory(NamedTuple):
    """Where the central directory lies; ``shift`` is what was put in front of the whole zip."""

    offset: int
    size: int
    entries: int
    shift: int


def scan_zip(
    file: int, archive: str, found: PassedOver, progress: Callable[[int, int], object]
) -> Iterator[Member]:
    """Yield the regular files of a zip in the order of its directory.

    Args:
        file: descriptor, open for reading.
        archive: what messages call it.
        found: gets the links and what is encrypted or compressed in another way, and damage.
        progress: called now and then with (bytes done, bytes in all).

    Yields:
        Members, with the CRC-32 of their content as ``check``.

    Raises:
        ArchiveError: there is no directory, or it is one of a split archive.
    """
    where = _find_directory(file, archive)
    data = os.pread(file, where.size, where.offset)
    at = count = 0
    while at + _ENTRY.size <= len(data) and data[at : at + 4] == b"PK\x01\x02":
        (
            _, _, system, _, flags, method, crc, stored, length,
            name_length, extra_length, comment_length, _, _, attributes, offset,
        ) = _ENTRY.unpack_from(data, at)  # fmt: skip
        at += _ENTRY.size
        name = data[at : at + name_length]
        extra = data[at + name_length : at + name_length + extra_length]
        at += name_length + extra_length + comment_length
        count += 1
        if _FULL_32 in (stored, length, offset):
            length, stored, offset = _wide(extra, length, stored, offset)
        mode = attributes >> 16 if system in _UNIX else 0
        if name.endswith(b"/"):
            pass
        elif flags & _ENCRYPTED_BITS:
            found.add(ENCRYPTED, os.fsdecode(name))
        elif stat.S_IFMT(mode) == stat.S_IFLNK:
            found.add(LINK, os.fsdecode(name))
        elif method not in (_STORED, _DEFLATED):
            found.add(f"compressed by method {method}, neither stored nor deflated",
                      os.fsdecode(name))  # fmt: skip
        elif offset + where.shift + stored > where.offset:
            found.add(CUT_OFF, os.fsdecode(name))
        else:
            name = plain_name(name)
            yield Member(name, offset + where.shift, stored, length, crc, method == _DEFLATED)
        progress(at, where.size)
    if at != where.size or count != where.entries:
        found.broken[archive] = (
            f"its directory is damaged: {count} of {where.entries} members can be found"
        )


def read_zip_member(
    file: int, name: bytes, offset: int, stored: int, length: int, check: int, deflated: bool
) -> bytes:
    """Read one member of a zip by positioned reads.

    Args:
        file: descriptor, open for reading; its position does not matter and stays.
        name: path that its header must have.
        offset: where the local header begins.
        stored: bytes of content in the archive.
        length: bytes of content.
        check: CRC-32 of the content.
        deflated: whether it is compressed.

    Returns:
        The content.

    Raises:
        ValueError: there is something else than the member that was indexed, or it is damaged.
        OSError: it cannot be read.
    """
    header = os.pread(file, _LOCAL.size + len(name) + _LOCAL_SPARE, offset)
    other = "the archive holds something else there than its index says"
    if len(header) < _LOCAL.size:
        raise ValueError(other)
    mark, _, _, name_length, extra_length = _LOCAL.unpack_from(header)
    found = plain_name(header[_LOCAL.size : _LOCAL.size + name_length])
    if mark != b"PK\x03\x04" or found != name:
        raise ValueError(other)
    # A second read is faster than cutting the header off, which copies.
    content = os.pread(file, stored, offset + _LOCAL.size + name_length + extra_length)
    if len(content) < stored:
        raise ValueError("the archive ends in the middle of it")
    if deflated:
        try:
            unpacker = zlib.decompressobj(-15)
            content = unpacker.decompress(content, length + 1)
        except zlib.error as error:
            raise ValueError(f"cannot be decompressed: {error}") from None
    if len(content) != length or zlib.crc32(content) != check:
        raise ValueError("damaged: its content does not match its checksum")
    return content


def _find_directory(file: int, archive: str) -> _Directory:
    """Find the central directory by the record at the end of the file."""
    size = os.fstat(file).st_size
    tail_at = max(0, size - _END.size - _FULL_16)
    tail = os.pread(file, size - tail_at, tail_at)
    # A comment may hold the mark by chance: the true record says how long its comment is. Where
    # none fits exactly, something was put behind the zip.
    # A comment may even be an empty zip: a record in front of a directory goes first.
    exact = list(_end_records(tail, exact=True))
    at = next((at for at in exact if _has_directory(file, tail_at, tail, at)), -1)
    if at < 0:
        at = next(iter(exact), next(_end_records(tail, exact=False), -1))
    if at < 0:
        raise ArchiveError(
            f"The zip {archive} has no directory at its end: it was cut short, for example by a "
            "download that broke off. Get it again."
        )
    _, disk, start_disk, _, entries, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_at + at
    if at >= _LOCATOR.size and tail[at - _LOCATOR.size : at - _LOCATOR.size + 4] == b"PK\x06\x07":
        _, _, record_at, disks = _LOCATOR.unpack_from(tail, at - _LOCATOR.size)
        # Where something was put in front of the zip, the record lies further behind than said.
        usual = end - _LOCATOR.size - _END_64.size
        record = os.pread(file, _END_64.size, usual)
        if record[:4] != b"PK\x06\x06":
            usual = record_at
            record = os.pread(file, _END_64.size, usual)
        if record[:4] != b"PK\x06\x06":
            raise ArchiveError(f"The zip {archive} has a damaged directory (zip64). Get it again.")
        _, _, _, _, disk, start_disk, _, entries, length, offset = _END_64.unpack(record)
        disk = max(disk, disks - 1)
        end = usual
    if disk or start_disk:
        raise ArchiveError(
            f"{archive} is one part of a split zip; join the parts first: "
            "zip -s 0 PARTS.zip --out WHOLE.zip"
        )
    shift = end - length - offset
    if shift < 0:
        raise ArchiveError(
            f"The zip {archive} is damaged: its directory lies outside. Get it again."
        )
    return _Directory(offset + shift, length, entries, shift)


def _end_records(tail: bytes, exact: bool) -> Iterator[int]:
    """Yield where an end record may stand, from the back."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if at + _END.size <= len(tail):
            end = at + _END.size + _END.unpack_from(tail, at)[7]
            if end == len(tail) or (not exact and end < len(tail)):
                yield at
        at = tail.rfind(b"PK\x05\x06", 0, at)


def _has_directory(file: int, tail_at: int, tail: bytes, at: int) -> bool:
    """Tell whether a directory that holds members ends where an end record stands."""
    _, _, _, _, entries, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_at + at
    if entries == _FULL_16 or _FULL_32 in (length, offset):  # zip64: the locator stands there
        return os.pread(file, 4, max(0, end - _LOCATOR.size)) == b"PK\x06\x07"
    fits = entries > 0 and length > 0 and offset + length <= end
    return fits and os.pread(file, 4, end - length) == b"PK\x01\x02"


def _wide(extra: bytes, length: int, stored: int, offset: int) -> tuple[int, int, int]:
    """Replace the numbers that do not fit 32 bits by those of the zip64 extra field."""
    numbers = [length, stored, offset]
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            wide = at + 4
            for place, number in enumerate(numbers):
                if number == _FULL_32 and wide + 8 <= at + 4 + size <= len(extra):
                    (numbers[place],) = struct.unpack_from("<Q", extra, wide)
                    wide += 8
            break
        at += 4 + size
    return numbers[0], numbers[1], numbers[2]
