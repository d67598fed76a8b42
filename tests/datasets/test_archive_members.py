"""Members of tars and zips: the same as the standard library finds, in every dialect."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import tarfile
import zipfile
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference.archive_reference import unpacked

from mmpmg.datasets.archive_member import ArchiveError, Member, objection, plain_name
from mmpmg.datasets.archive_scan import read_member
from mmpmg.datasets.passed_over import (
    ENCRYPTED,
    HIDDEN,
    LINK,
    NESTED,
    OUTSIDE,
    SPARSE,
    SPECIAL,
    PassedOver,
)
from mmpmg.datasets.tar_members import is_tar_header, scan_tar
from mmpmg.datasets.zip_members import scan_zip

LONG = "folder/" * 40 + "x" * 120 + ".jpg"  # neither ustar's 100 bytes nor its prefix hold it
CONTENT = {
    "a.jpg": b"first",
    "PASS_dataset/1/é.jpeg": b"\xff\xd8" * 700,
    "b/" + "c" * 90 + "/" + "d" * 30 + ".jpg": bytes(512),
    LONG: b"long",
    "empty.jpg": b"",
}


def write_tar(path, content, form=tarfile.PAX_FORMAT):
    with tarfile.open(path, "w", format=form) as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))


def write_zip(path, content, method=zipfile.ZIP_STORED, comment=b""):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in content.items():
            file.writestr(name, data)
        file.comment = comment


def gnu_tar(*arguments):
    tool = shutil.which("tar")
    version = tool and subprocess.run([tool, "--version"], capture_output=True, text=True).stdout
    if "GNU" not in (version or ""):
        pytest.skip("no GNU tar here")
    subprocess.run([tool, *map(str, arguments)], check=True)


def found_in(path):
    """Return name -> content as our readers find them, and what was passed over."""
    kind, scan = ("zip", scan_zip) if zipfile.is_zipfile(path) else ("tar", scan_tar)
    over = PassedOver()
    file = os.open(path, os.O_RDONLY)
    try:
        members = list(scan(file, "archive", over, lambda done, total: None))
        return {os.fsdecode(m.name): read_member(kind, file, m) for m in members}, over
    finally:
        os.close(file)


def reasons(over):
    return {reason: names for reason, _, names in over}


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_dialects(tmp_path, form):
    content = dict(CONTENT)
    if form == tarfile.USTAR_FORMAT:
        del content[LONG]
    write_tar(tmp_path / "a.tar", content, form)
    members, over = found_in(tmp_path / "a.tar")
    assert members == unpacked(tmp_path / "a.tar") == content
    assert not over.broken and not over.count()


def test_a_tar_made_by_tar_itself(tmp_path):
    for name, data in CONTENT.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(data)
    for form in ("gnu", "pax", "oldgnu"):
        archive = tmp_path / f"{form}.tar"
        gnu_tar("-C", tmp_path / "tree", f"--format={form}", "-cf", archive, ".")
        assert found_in(archive)[0] == unpacked(archive) == CONTENT


def test_numbers_in_base_256_and_old_names(tmp_path):
    """GNU writes what octal digits cannot hold in binary; v7 tars have neither magic nor type."""
    write_tar(tmp_path / "a.tar", {"a.jpg": b"one", "b.jpg": b"two"})
    data = bytearray((tmp_path / "a.tar").read_bytes())
    data[124:136] = b"\x80" + (3).to_bytes(11, "big")
    data[1024 + 156] = 0
    data[1024 + 257 : 1024 + 265] = bytes(8)
    for at in (0, 1024):
        data[at + 148 : at + 156] = b" " * 8
        data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    (tmp_path / "a.tar").write_bytes(data)
    assert found_in(tmp_path / "a.tar")[0] == {"a.jpg": b"one", "b.jpg": b"two"}
    assert unpacked(tmp_path / "a.tar") == {"a.jpg": b"one", "b.jpg": b"two"}


def test_what_is_no_file_in_a_tar_is_named(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, kind in [("s.jpg", tarfile.SYMTYPE), ("h.jpg", tarfile.LNKTYPE),
                           ("f.jpg", tarfile.FIFOTYPE), ("d", tarfile.DIRTYPE)]:  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "../../etc/passwd"
            tar.addfile(member)
        member = tarfile.TarInfo("a.jpg")
        member.size = 4
        tar.addfile(member, BytesIO(b"last"))
    members, over = found_in(tmp_path / "a.tar")
    assert members == {"a.jpg": b"last"}
    assert reasons(over) == {LINK: ["s.jpg", "h.jpg"], SPECIAL: ["f.jpg"]}


def test_sparse_files_of_a_tar_are_passed_over(tmp_path):
    with open(tmp_path / "hole.jpg", "wb") as file:
        for at in range(0, 40 << 20, 1 << 20):  # more holes than the first map holds
            file.seek(at)
            file.write(b"x" * 4096)
    (tmp_path / "z.jpg").write_bytes(b"after")
    for form in ("gnu", "pax"):
        archive = tmp_path / f"{form}.tar"
        gnu_tar("-C", tmp_path, "-S", f"--format={form}", "-cf", archive, "hole.jpg", "z.jpg")
        members, over = found_in(archive)
        assert members == {"z.jpg": b"after"}
        ((reason, names),) = reasons(over).items()
        assert reason == SPARSE and names[0].endswith("hole.jpg")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 4 * 512 + 511))
def test_a_tar_cut_anywhere_gives_the_whole_members_and_says_that_it_is_cut(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "a.tar"
    write_tar(path, {"a.jpg": b"a" * 600, "b.jpg": b"b" * 5}, tarfile.USTAR_FORMAT)
    path.write_bytes(path.read_bytes()[:cut])  # a: 0, 512, 1024; b: 1536, 2048; then zeros
    members, over = found_in(path)
    assert set(members) == {
        n for n, end in (("a.jpg", 512 + 600), ("b.jpg", 2048 + 5)) if end <= cut
    }
    assert "cut short" in over.broken["archive"]


def test_damage_between_members_is_told_from_the_end(tmp_path):
    write_tar(tmp_path / "a.tar", {"a.jpg": b"a", "b.jpg": b"b"})
    data = bytearray((tmp_path / "a.tar").read_bytes())
    data[1024 + 20] ^= 1
    (tmp_path / "a.tar").write_bytes(data)
    members, over = found_in(tmp_path / "a.tar")
    assert members == {"a.jpg": b"a"}
    assert "no header at byte 1024" in over.broken["archive"]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm on this system")
@pytest.mark.parametrize(
    ("kind", "size"), [("g", "-512"), ("x", "-1536"), ("x", "+5"), ("g", "5_0")]
)
def test_a_pax_size_that_is_no_number_is_damage_and_ends_the_scan(tmp_path, kind, size):
    """A negative one sends a scan that believes it backwards, for ever."""

    def ring(number, frame):
        raise AssertionError("the scan does not end")

    key = {"g": tarfile.XGLTYPE, "x": tarfile.XHDTYPE}[kind]
    record = f" size={size}\n"
    record = f"{len(record) + 2}{record}".encode()
    header = tarfile.TarInfo("pax")
    header.type, header.size = key, len(record)
    member = tarfile.TarInfo("a.jpg")
    member.size = 5
    data = b"".join(
        part + bytes(-len(part) % 512)
        for part in (header.tobuf(tarfile.USTAR_FORMAT), record, member.tobuf(), b"12345")
    )
    (tmp_path / "a.tar").write_bytes(data + bytes(1024))
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        members, over = found_in(tmp_path / "a.tar")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not members and "at byte 1024 has no legal size" in over.broken["archive"]


def test_tars_put_together_by_cat_are_noticed(tmp_path):
    write_tar(tmp_path / "a.tar", {"a.jpg": b"a"})
    write_tar(tmp_path / "b.tar", {"b.jpg": b"b"})
    whole = (tmp_path / "a.tar").read_bytes() + (tmp_path / "b.tar").read_bytes()
    (tmp_path / "c.tar").write_bytes(whole)
    members, over = found_in(tmp_path / "c.tar")
    assert members == {"a.jpg": b"a"}
    assert "put together with cat" in over.broken["archive"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_zips_stored_and_deflated(tmp_path, method):
    write_zip(tmp_path / "a.zip", CONTENT, method, comment=b"a comment")
    members, over = found_in(tmp_path / "a.zip")
    assert members == unpacked(tmp_path / "a.zip") == CONTENT
    assert not over.broken and not over.count()


def test_a_comment_that_looks_like_the_end_of_a_zip(tmp_path):
    """The standard library falls for it."""
    write_zip(tmp_path / "a.zip", CONTENT, comment=b"PK\x05\x06 in a comment" + bytes(30))
    assert found_in(tmp_path / "a.zip")[0] == CONTENT


def test_a_comment_that_is_an_empty_zip(tmp_path):
    write_zip(tmp_path / "empty.zip", {})
    write_zip(tmp_path / "a.zip", CONTENT, comment=(tmp_path / "empty.zip").read_bytes())
    assert found_in(tmp_path / "a.zip")[0] == CONTENT
    assert found_in(tmp_path / "empty.zip")[0] == {}


def test_a_zip_behind_something_else_and_with_something_behind_it(tmp_path):
    write_zip(tmp_path / "a.zip", CONTENT)
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "b.zip").write_bytes(b"#!/bin/sh\n" * 7 + data + bytes(100))
    assert found_in(tmp_path / "b.zip")[0] == CONTENT


def test_zip64_of_more_than_65535_members(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for number in range(65_540):
            file.writestr(zipfile.ZipInfo(f"{number % 7}/{number:06d}.jpg"), b"%d" % number)
    members, over = found_in(tmp_path / "a.zip")
    assert len(members) == 65_540
    assert all(data == b"%d" % int(name[2:8]) for name, data in members.items())
    assert not over.broken


def test_zip64_sizes_and_offsets_of_one_member(tmp_path):
    """What a writer that does not know the size in advance writes; offsets above 4 GiB likewise."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        with file.open("a.jpg", "w", force_zip64=True) as member:
            member.write(b"streamed")
        file.writestr("b.jpg", b"behind")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    # Rewrite the second entry of the directory: all three numbers in the extra field.
    at = data.rfind(b"PK\x01\x02")
    length, stored = struct.unpack_from("<2L", data, at + 20)
    (offset,) = struct.unpack_from("<L", data, at + 42)
    struct.pack_into("<2L", data, at + 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<L", data, at + 42, 0xFFFFFFFF)
    extra = struct.pack("<2H3Q", 1, 24, length, stored, offset)
    other = struct.pack("<2HL", 0xCAFE, 4, 7)
    struct.pack_into("<H", data, at + 30, len(other + extra))
    data[at + 46 + 5 : at + 46 + 5] = other + extra
    end = data.rfind(b"PK\x05\x06")
    (size,) = struct.unpack_from("<L", data, end + 12)
    struct.pack_into("<L", data, end + 12, size + len(other + extra))
    (tmp_path / "a.zip").write_bytes(data)
    assert unpacked(tmp_path / "a.zip") == {"a.jpg": b"streamed", "b.jpg": b"behind"}
    assert found_in(tmp_path / "a.zip")[0] == {"a.jpg": b"streamed", "b.jpg": b"behind"}


def test_what_is_encrypted_linked_or_compressed_otherwise_in_a_zip_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("secret.jpg", b"secret")
        link = zipfile.ZipInfo("link.jpg")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        file.writestr(link, "../../etc/passwd")
        file.writestr("b.jpg", b"x" * 100, zipfile.ZIP_BZIP2)
        file.writestr("l.jpg", b"x" * 100, zipfile.ZIP_LZMA)
        file.writestr("a.jpg", b"good")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    members, over = found_in(tmp_path / "a.zip")
    assert members == {"a.jpg": b"good"}
    named = reasons(over)
    assert named[ENCRYPTED] == ["secret.jpg"] and named[LINK] == ["link.jpg"]
    assert {n for reason, names in named.items() if "method" in reason for n in names} == {
        "b.jpg", "l.jpg",
    }  # fmt: skip


@pytest.mark.parametrize("cut", [1, 25, 120])
def test_a_zip_cut_short_is_an_error(tmp_path, cut):
    write_zip(tmp_path / "a.zip", {"a.jpg": b"a"})
    (tmp_path / "a.zip").write_bytes((tmp_path / "a.zip").read_bytes()[:-cut])
    file = os.open(tmp_path / "a.zip", os.O_RDONLY)
    with pytest.raises(ArchiveError, match="cut short.*Get it again"):
        list(scan_zip(file, "a.zip", PassedOver(), lambda done, total: None))
    os.close(file)


def test_a_split_zip_is_an_error(tmp_path):
    write_zip(tmp_path / "a.zip", {"a.jpg": b"a"})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.rfind(b"PK\x05\x06") + 4] = 1
    (tmp_path / "a.zip").write_bytes(data)
    file = os.open(tmp_path / "a.zip", os.O_RDONLY)
    with pytest.raises(ArchiveError, match="split zip"):
        list(scan_zip(file, "a.zip", PassedOver(), lambda done, total: None))
    os.close(file)


def test_a_damaged_directory_says_how_many_members_are_left(tmp_path):
    write_zip(tmp_path / "a.zip", {f"{i}.jpg": b"a" for i in range(5)})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.rfind(b"PK\x01\x02")] = 0
    (tmp_path / "a.zip").write_bytes(data)
    members, over = found_in(tmp_path / "a.zip")
    assert len(members) == 4
    assert "4 of 5 members" in over.broken["archive"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a/b.jpg", None),
        ("a..b/c...jpg", None),
        ("../a.jpg", OUTSIDE),
        ("a/../../b.jpg", OUTSIDE),
        ("a\\..\\..\\b.jpg", OUTSIDE),
        ("/etc/a.jpg", OUTSIDE),
        ("\\\\host\\a.jpg", OUTSIDE),
        ("C:\\a.jpg", OUTSIDE),
        ("C:/a.jpg", OUTSIDE),
        ("a\0.jpg", OUTSIDE),
        ("a:b/c:d.jpg", None),
        (".git/a.jpg", HIDDEN),
        ("a/./b.jpg", None),
        ("", OUTSIDE),
        ("a/._b.jpg", HIDDEN),
        ("__MACOSX/a.jpg", HIDDEN),
        ("a/more.tar", NESTED),
        ("a/more.tar.gz", NESTED),
        ("MORE.ZIP", NESTED),
    ],
)
def test_names_that_are_not_trusted(name, why):
    assert objection(Member(name.encode(), 0, 1, 1, 0)) == why


def test_plain_names_and_headers():
    assert plain_name(b"././/a/./b") == b"a/./b"
    assert not is_tar_header(bytes(512))
    assert not is_tar_header(b"x" * 512)
    assert not is_tar_header(b"short")
    header = bytearray(tarfile.TarInfo("ü.jpg").tobuf(tarfile.USTAR_FORMAT, "utf-8"))
    assert is_tar_header(bytes(header))
    signed = int(header[148:154], 8) - 256 * 2  # two bytes above 127, as some old tars sum them
    header[148:156] = b"%06o\0 " % signed
    assert is_tar_header(bytes(header))
    header[148:156] = b"%06o\0 " % (signed + 1)
    assert not is_tar_header(bytes(header))
