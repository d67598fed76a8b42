"""The members of a tar, found by its headers and read in place.

POSIX.1-1988 (ustar), POSIX.1-2001 (pax extended headers) and GNU tar's long names, all of which
put a 512-byte header right in front of the content; old Unix (v7) names as well.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator

from .archive_member import Member, plain_name
from .passed_over import LINK, SPARSE, SPECIAL, PassedOver

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_MAX_EXTENSION = 1 << 20  # a longer name or pax header is damage
_REGULAR = (b"0", b"\0", b"7")
_LINKS = (b"1", b"2")
_FOLDER = b"5"
_WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")
_EXTENSIONS = (b"x", b"g", b"L", b"K")


def scan_tar(
    file: int, archive: str, found: PassedOver, progress: Callable[[int, int], object]
) -> Iterator[Member]:
    """Yield the regular files of a tar in its order, by reading nothing but headers.

    An archive that ends in the middle of a member, or has damage where a header should be, is
    noted in ``found.broken``; what lies before is intact.

    Args:
        file: descriptor, open for reading.
        archive: what messages call it.
        found: gets the links and special files, and what is broken.
        progress: called now and then with (bytes done, bytes in all).

    Yields:
        Members, with the CRC-32 of their header as ``check``.
    """
    size = os.fstat(file).st_size
    at, ended = 0, False
    long_name: bytes | None = None
    common: dict[bytes, bytes] = {}
    own: dict[bytes, bytes] = {}
    while at + _BLOCK <= size:
        header = os.pread(file, _BLOCK, at)
        if header == _ZEROS:
            ended = True
            break
        if not is_tar_header(header):
            found.broken[archive] = f"no header at byte {at}, where a member should begin: damaged"
            return
        kind = header[156:157]
        pax = {**common, **own}
        try:
            length = _length(header, pax)
        except ValueError:
            found.broken[archive] = f"the member at byte {at} has no legal size: damaged"
            return
        content = at + _BLOCK
        if kind == b"S":
            content = _behind_sparse_map(file, header, content)
        end = content if kind in _WITHOUT_CONTENT else content + -(-length // _BLOCK) * _BLOCK
        if end <= at:  # whatever a header says, the scan goes on
            found.broken[archive] = f"the member at byte {at} has no legal size: damaged"
            return
        if kind in _EXTENSIONS:
            if length > _MAX_EXTENSION:
                found.broken[archive] = f"the name at byte {at} has {length} bytes: damaged"
                return
            data = os.pread(file, length, content)
            if len(data) < length:
                break
            if kind == b"g":
                common.update(_pax_records(data))
            elif kind == b"x":
                own = _pax_records(data)
            elif kind == b"L":
                long_name = data.rstrip(b"\0")
            at = end
            continue
        name = pax.get(b"path") or long_name or _ustar_name(header)
        sparse = kind == b"S" or any(key.startswith(b"GNU.sparse.") for key in own)
        long_name, own = None, {}
        if kind not in _WITHOUT_CONTENT and content + length > size:
            break
        if kind in _LINKS:
            found.add(LINK, os.fsdecode(name))
        elif sparse:
            found.add(SPARSE, os.fsdecode(name))
        elif kind in _REGULAR and not name.endswith(b"/"):
            check = zlib.crc32(header)
            yield Member(plain_name(name), content - _BLOCK, length, length, check)
        elif kind != _FOLDER and kind not in _REGULAR:
            found.add(SPECIAL, os.fsdecode(name))
        at = end
        progress(at, size)
    if not ended:
        if at < size:
            found.broken[archive] = f"cut short in the member that begins at byte {at} of {size}"
        else:
            found.broken[archive] = "no mark at its end: cut short behind its last whole member"
    elif any(os.pread(file, 1 << 16, at)[2 * _BLOCK :]):
        found.broken[archive] = (
            f"more follows behind the mark of its end at byte {at}: tars that were put together "
            "with cat; name the parts one by one"
        )


def read_tar_member(file: int, offset: int, length: int, check: int) -> bytes:
    """Read one member of a tar by positioned reads.

    Args:
        file: descriptor, open for reading; its position does not matter and stays.
        offset: where the header begins.
        length: bytes of content.
        check: CRC-32 of the header.

    Returns:
        The content.

    Raises:
        ValueError: there is something else than the member that was indexed.
        OSError: it cannot be read.
    """
    if zlib.crc32(os.pread(file, _BLOCK, offset)) != check:
        raise ValueError("the archive holds something else there than its index says")
    # A second read is faster than cutting the header off, which copies.
    content = os.pread(file, length, offset + _BLOCK)
    if len(content) < length:
        raise ValueError("the archive ends in the middle of it")
    return content


def is_tar_header(block: bytes) -> bool:
    """Tell whether a block of 512 bytes is a header: its own checksum decides."""
    if len(block) != _BLOCK:
        return False
    try:
        stated = _number(block[148:156])
    except ValueError:
        return False
    # The checksum counts its own field as spaces. Some old tars summed signed bytes.
    counted = block[:148] + b" " * 8 + block[156:]
    return stated in (sum(counted), sum(counted) - 256 * sum(byte > 127 for byte in counted))


def _length(header: bytes, pax: dict[bytes, bytes]) -> int:
    """Return how many bytes of content follow a header.

    Raises:
        ValueError: it is no whole number of 0 or more: a scan that believed it would go backwards.
    """
    # The size of a pax header is that of the member behind it, not of extensions in between.
    if b"size" not in pax or header[156:157] in _EXTENSIONS:
        return _number(header[124:136])
    if not pax[b"size"].isdigit():
        raise ValueError("not digits")
    return int(pax[b"size"])


def _number(field: bytes) -> int:
    """Read a number: octal digits, or GNU's base 256 for large ones."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip()
    number = int(digits, 8) if digits else 0
    if number < 0:
        raise ValueError("negative")
    return number


def _ustar_name(header: bytes) -> bytes:
    name = header[:100].split(b"\0", 1)[0]
    # GNU tar (magic "ustar  ") keeps times where POSIX keeps the front of the path.
    prefix = header[345:500].split(b"\0", 1)[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _pax_records(data: bytes) -> dict[bytes, bytes]:
    """Read records (length, space, key=value, line feed), up to the first damaged one."""
    records: dict[bytes, bytes] = {}
    while data:
        digits, _, _ = data.partition(b" ")
        if len(digits) > 8 or not digits.isdigit():  # as long as _MAX_EXTENSION may be
            break
        if not len(digits) + 2 < int(digits) <= len(data):
            break
        key, _, value = data[len(digits) + 1 : int(digits) - 1].partition(b"=")
        records[key] = value
        data = data[int(digits) :]
    return records


def _behind_sparse_map(file: int, header: bytes, at: int) -> int:
    """Return where the content of an old GNU sparse file begins: more map blocks may follow."""
    extended = header[482]
    while extended:
        block = os.pread(file, _BLOCK, at)
        at += _BLOCK
        extended = block[504] if len(block) == _BLOCK else 0
    return at
