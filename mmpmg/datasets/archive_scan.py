"""One archive scanned, several joined: the arrays that an `ArchiveIndex` consists of."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .archive_member import MAX_BYTES, ArchiveError, Member, objection
from .archive_progress import ArchiveProgress
from .passed_over import (
    NO_MAIN_IMAGE,
    NOT_AN_IMAGE,
    REPEATED,
    TOO_LARGE,
    UNLABELLED,
    PassedOver,
)
from .path_index import PathIndex
from .tar_members import is_tar_header, read_tar_member, scan_tar
from .zip_members import read_zip_member, scan_zip

_COMPRESSED = {
    b"\x1f\x8b": "gunzip -k",
    b"BZh": "bunzip2 -k",
    b"\xfd7zXZ": "unxz -k",
    b"\x28\xb5\x2f\xfd": "unzstd",
}
_MAX_LABEL = 2**31 - 1  # categories are int32
_FIELDS = ("archive", "offset", "stored", "length", "check", "deflated")


@dataclass(frozen=True)
class Wanted:
    """Which members become images.

    Attributes:
        endings: lower case, with the dot.
        samples: WebDataset: ``endings`` are whole fields (all behind the first dot of the name),
            one image counts for each key, and ``key.cls`` is its category. Otherwise the folder
            that a member lies in is its category.
    """

    endings: tuple[str, ...]
    samples: bool = False


def archive_identity(path: str) -> list:
    """Return what tells whether an archive is still the same: path, bytes, modification time."""
    status = os.stat(path)
    return [os.fsencode(path).hex(), status.st_size, status.st_mtime_ns]


def read_member(kind: str, file: int, member: Member) -> bytes:
    """Read the content of a member; see `read_tar_member`, `read_zip_member`.

    Args:
        kind: ``"tar"`` or ``"zip"``.
        file: descriptor of the archive.
        member: which one.

    Raises:
        ValueError: the archive holds something else there, or damaged bytes.
        OSError: it cannot be read.
    """
    if kind == "tar":
        return read_tar_member(file, member.offset, member.length, member.check)
    return read_zip_member(file, *member)


def scan_archive(path: str, wanted: Wanted) -> tuple[dict, dict[str, np.ndarray]]:
    """Find the images of one archive.

    Of members of one name the last counts, as in unpacking.

    Args:
        path: a tar or zip, absolute.
        wanted: which members.

    Returns:
        Header and columns of an `ArchiveIndex`.

    Raises:
        ArchiveError: the archive cannot be used at all.
        OSError: it cannot be read.
    """
    identity = archive_identity(path)
    found = PassedOver()
    names: list[bytes] = []
    numbers = array("q")
    labels: dict[bytes, bytes] = {}
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        kind = _kind(file, path)
        scan = scan_tar if kind == "tar" else scan_zip
        with ArchiveProgress(path) as progress:
            for member in scan(file, path, found, progress):
                why = objection(member)
                if why is None and wanted.samples and _key_and_field(member.name)[1] == b".cls":
                    labels[_key_and_field(member.name)[0]] = _label(kind, file, member)
                    continue
                if why is None and not _is_wanted(member.name, wanted):
                    why = NOT_AN_IMAGE
                if why is None and max(member.stored, member.length) > MAX_BYTES:
                    why = TOO_LARGE
                if why is None:
                    names.append(member.name)
                    numbers.extend(member[1:])
                else:
                    found.add(why, os.fsdecode(member.name))
    finally:
        os.close(file)
    order = list(_in_order(names, wanted, found))
    names = [names[number] for number in order]
    groups: dict[bytes, int] = {}
    category = np.empty(len(names), np.int32)
    for number, name in enumerate(names):
        if wanted.samples:
            group = labels.get(_key_and_field(name)[0], b"")
            if group and not (group.isdigit() and int(group) <= _MAX_LABEL):
                found.add(UNLABELLED, os.fsdecode(name))
                group = b""
        else:
            # Zips made on Windows may part folders by backslashes.
            group = os.path.dirname(name.replace(b"\\", b"/") if kind == "zip" else name)
        category[number] = groups.setdefault(group, len(groups))
    table = np.frombuffer(numbers, np.int64).reshape(-1, 5)[order]
    types = (np.int64, np.uint32, np.uint32, np.uint32, np.uint8)
    columns = {
        "archive": np.zeros(len(names), np.int32),
        "category": category,
        **{field: table[:, i].astype(types[i]) for i, field in enumerate(_FIELDS[1:])},
        **_packed("name", names),
        **_packed("group", groups),
    }
    return dict(archives=[[*identity, kind]], passed_over=found.to_dict()), columns


def join_archives(
    parts: Sequence[tuple[dict, dict[str, np.ndarray]]],
) -> tuple[dict, dict[str, np.ndarray]]:
    """Put the arrays of several archives together; categories of one name become one.

    Args:
        parts: header and columns of each.

    Returns:
        Header and columns of all.
    """
    found = PassedOver()
    groups: dict[bytes, int] = {}
    category = []
    for header, columns in parts:
        found.merge(PassedOver.from_dict(header["passed_over"]))
        packed = PathIndex(columns["groups"], columns["group_ends"])
        own = [packed[number] for number in range(len(packed))]
        renamed = [groups.setdefault(group, len(groups)) for group in own]
        category.append(np.array(renamed, np.int32)[columns["category"]])
    sizes = [len(columns["offset"]) for _, columns in parts]
    blobs = [len(columns["names"]) for _, columns in parts]
    before = np.concatenate([[0], np.cumsum(blobs)[:-1]])
    joined = {
        "archive": np.repeat(np.arange(len(parts), dtype=np.int32), sizes),
        "category": np.concatenate(category),
        **{key: np.concatenate([columns[key] for _, columns in parts]) for key in _FIELDS[1:]},
        "names": np.concatenate([columns["names"] for _, columns in parts]),
        "name_ends": np.concatenate(
            [
                columns["name_ends"] + shift
                for (_, columns), shift in zip(parts, before, strict=True)
            ]
        ),
        **_packed("group", groups),
    }
    archives = [archive for header, _ in parts for archive in header["archives"]]
    return dict(archives=archives, passed_over=found.to_dict()), joined


def _kind(file: int, path: str) -> str:
    """Return ``"tar"`` or ``"zip"``, by content.

    Raises:
        ArchiveError: neither.
    """
    head = os.pread(file, 512, 0)
    if is_tar_header(head) or (len(head) == 512 and not any(head)):
        return "tar"
    for mark, command in _COMPRESSED.items():
        if head.startswith(mark):
            raise ArchiveError(
                f"{path} is compressed as a whole: no member of it can be read without all that "
                f"come before. Decompress it once ({command} {path}) and name the .tar."
            )
    tail = os.pread(file, 1 << 17, max(0, os.fstat(file).st_size - (1 << 17)))
    if head.startswith(b"PK") or b"PK\x05\x06" in tail:
        return "zip"
    what = f"begins with {head[:8]!r}" if head else "is empty"
    raise ArchiveError(f"{path} is neither a tar nor a zip: it {what}.")


def _key_and_field(name: bytes) -> tuple[bytes, bytes]:
    """Part a WebDataset name at its first dot: ``a/b.left.jpg`` into ``a/b`` and ``.left.jpg``."""
    folder, slash, file = name.rpartition(b"/")
    key, dot, field = file.partition(b".")
    return folder + slash + key, dot + field.lower()


def _is_wanted(name: bytes, wanted: Wanted) -> bool:
    if wanted.samples:
        return os.fsdecode(_key_and_field(name)[1]) in wanted.endings
    return name.lower().endswith(tuple(ending.encode() for ending in wanted.endings))


def _label(kind: str, file: int, member: Member) -> bytes:
    """Return the text of a ``.cls``; one that is too long to be a number is none."""
    if member.length > 64:
        return b"?"
    try:
        return read_member(kind, file, member).strip() or b"?"
    except ValueError:
        return b"?"


def _in_order(names: list[bytes], wanted: Wanted, found: PassedOver) -> Iterator[int]:
    """Yield the numbers of names in byte order: of equal ones the last, of a sample the first."""
    order = sorted(range(len(names)), key=names.__getitem__)
    sample = None
    for number, after in zip(order, [*order[1:], -1], strict=False):
        name = names[number]
        if after >= 0 and names[after] == name:
            found.add(REPEATED, os.fsdecode(name))
            continue
        if wanted.samples:
            key = _key_and_field(name)[0]
            if key == sample:
                found.add(NO_MAIN_IMAGE, os.fsdecode(name))
                continue
            sample = key
        yield number


def _packed(name: str, paths: Iterable[bytes]) -> dict[str, np.ndarray]:
    index = PathIndex.from_paths(paths)
    return {f"{name}s": index.blob, f"{name}_ends": index.ends}
