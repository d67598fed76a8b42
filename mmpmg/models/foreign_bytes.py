"""What a file is that should hold weights and does not, told by its first bytes."""

from __future__ import annotations

import zipfile
from pathlib import Path

ZIP = b"PK\x03\x04"
_LFS = b"version https://git-lfs"
_MAGIC = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "compressed with xz; unpack it first"),
    (b"\x89HDF\r\n", "an HDF5 file, as Keras writes them; its weights are not read here"),
    (b"\x93NUMPY", "a NumPy array; its weights are not read here"),
    (b"%PDF", "a PDF document"),
)


class WeightFileError(ValueError):
    """A file that cannot be read as weights; the message says what it is and what to do."""


def refuse_foreign(path: Path) -> None:
    """Refuse what is no file of weights at first sight.

    Args:
        path: A file that exists.

    Raises:
        WeightFileError: It is empty, a Git LFS pointer, a web page, a text, a picture, or packed.
    """
    with path.open("rb") as file:
        head = file.read(1024)
    if not head:
        raise WeightFileError(
            f"{path} is empty (0 bytes): its writing or copying failed; copy or train it again"
        )
    if head.startswith(_LFS):
        raise WeightFileError(
            f"{path} is a Git LFS pointer, not the weights that it points to; in its repository, "
            f"type: git lfs pull --include={path.name}"
        )
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            raise WeightFileError(f"{path} is no file of weights: it is {kind}")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise WeightFileError(
            f"{path} is a web page, not weights: what was downloaded was an error, a log-in or a "
            "preview; open the address in a browser, and take the link of the file itself"
        )
    # A safetensors file begins with the length of its header, of which a byte may be one of these.
    bracketed = text.startswith((b"{", b"[")) and b"\0" not in head
    if bracketed or (len(head) > 8 and _is_text(head)):
        shown = head[:40].decode(errors="replace").splitlines() or [""]
        raise WeightFileError(
            f"{path} is text, not weights (it begins with {shown[0]!r}): what was saved under this "
            "name was an answer or a note; download the file itself"
        )


def refuse_packed(path: Path) -> None:
    """Refuse an archive that is larger inside than outside: ``torch.save`` never compresses.

    Args:
        path: A file that exists.

    Raises:
        WeightFileError: It is compressed, or its parts overlap.
    """
    with path.open("rb") as file:
        if file.read(4) != ZIP:
            return
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except Exception:  # a damaged one, of which the reader says more
        return
    if any(part.filename.endswith("/constants.pkl") for part in parts):  # TorchScript, not read
        return
    size = sum(part.file_size for part in parts)
    if any(part.compress_type != zipfile.ZIP_STORED for part in parts) or (
        size > path.stat().st_size
    ):
        raise WeightFileError(
            f"{sized(path)} is compressed, to {size:,} bytes inside, which torch.save never does: "
            "take the file as torch.save wrote it"
        )


def _is_text(head: bytes) -> bool:
    """Tell letters from numbers: pickles, zips and headers soon have control bytes."""
    return all(byte >= 32 or byte in b"\t\r\n" for byte in head) and head.isascii()


def kind_of(path: Path) -> str:
    """Tell the two formats apart by content.

    Args:
        path: A file that exists.

    Returns:
        "safetensors" or "pickle"; the latter also for what is neither.
    """
    with path.open("rb") as file:
        head = file.read(9)
    return "safetensors" if head[8:9] == b"{" and not head.startswith(ZIP) else "pickle"


def sized(path: Path) -> str:
    """Name a file with its size, which tells whoever knows the whole one what is missing."""
    return f"{path} ({path.stat().st_size:,} bytes)"
