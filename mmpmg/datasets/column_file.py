"""Arrays of any length in one file, mapped instead of read: what the cached indices consist of."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping

import numpy as np

_MAGIC = b"mmpmg-columns-1\n"
_ALIGN = 8


def save_columns(file: str, header: Mapping[str, object], columns: Mapping[str, np.ndarray]) -> str:
    """Write arrays and plain data, in one piece also when several processes do so at once.

    Args:
        file: where; its folder is made when it is missing.
        header: plain data.
        columns: name -> one-dimensional array.

    Returns:
        Digest of the arrays.

    Raises:
        OSError: it cannot be written.
    """
    os.makedirs(os.path.dirname(file), exist_ok=True)
    digest = hashlib.blake2b(digest_size=16)
    layout, at = [], 0
    for name, column in columns.items():
        digest.update(np.ascontiguousarray(column).data)
        layout.append([name, column.dtype.str, len(column), at])
        at += -(-column.nbytes // _ALIGN) * _ALIGN
    head = dict(header, columns=layout, bytes=at, digest=digest.hexdigest())
    text = json.dumps(head).encode()
    text += b" " * (-(len(_MAGIC) + 8 + len(text)) % _ALIGN)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(file), suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(_MAGIC + len(text).to_bytes(8, "little") + text)
            for column in columns.values():
                out.write(np.ascontiguousarray(column).data)
                out.write(bytes(-column.nbytes % _ALIGN))
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise
    return digest.hexdigest()


def open_columns(file: str, digest: str | None = None) -> tuple[dict, dict[str, np.ndarray]]:
    """Map the arrays of a file; only what is looked at is ever read.

    Args:
        file: as written by `save_columns`.
        digest: when given, the file must still hold these arrays.

    Returns:
        The plain data, with ``digest`` added; and name -> array.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no such file, is damaged, or holds other arrays.
    """
    with open(file, "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise ValueError(f"{file}: no index")
        length = int.from_bytes(stream.read(8), "little")
        if length > size:
            raise ValueError(f"{file}: damaged")
        header = json.loads(stream.read(length))
        start = len(_MAGIC) + 8 + length
        if size != start + header["bytes"]:
            raise ValueError(f"{file}: damaged")
        if digest not in (None, header["digest"]):
            raise ValueError(f"{file}: the archives changed while workers started; start again")
        data = np.memmap(stream, np.uint8, "r")
    columns = {}
    for name, kind, count, at in header["columns"]:
        dtype = np.dtype(kind)
        piece = data[start + at : start + at + count * dtype.itemsize]
        columns[name] = np.asarray(piece).view(dtype)
    return header, columns
