"""Weights in safetensors files, and in the folders in which Hugging Face keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mmpmg.models.foreign_bytes import ZIP, WeightFileError, sized

META = "mmpmg"
"""Under this name a file's metadata, which are strings only, hold ours as JSON."""
_LONGEST_HEADER = 100_000_000  # the format's own limit, in bytes


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a safetensors file, which holds tensors and strings only.

    Args:
        path: A file that exists.

    Returns:
        Its tensors, and its metadata: those that `write_weights` was given, or the strings as they
        are in a file of someone else.

    Raises:
        WeightFileError: Its header is wrong, or its data are cut short.
    """
    _check_header(path)
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
            state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise WeightFileError(
            f"{sized(path)} is no complete safetensors file: {error}. Download or write it again"
        ) from None
    if META not in metadata:
        return state, metadata
    try:
        meta = json.loads(metadata[META])
    except (ValueError, RecursionError) as error:
        raise WeightFileError(f"{path}: its metadata {META!r} are no JSON ({error})") from None
    return state, meta if isinstance(meta, dict) else {META: meta}


def write_safetensors(path: Path, state: Mapping[str, Tensor], meta: str) -> None:
    """Write a safetensors file, the same bytes for the same weights.

    Args:
        path: File to write.
        state: Name -> tensor on the CPU, contiguous, none sharing memory.
        meta: JSON, kept under the name ``mmpmg``.
    """
    path.touch()
    mode = path.stat().st_mode  # as new files are here; the library's are for their owner alone
    save_file(dict(state), path, metadata={"format": "pt", META: meta})  # what transformers asks
    path.chmod(mode)
    with path.open("r+b") as file:  # the library writes metadata in an order that it draws
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) > length:
            raise AssertionError(f"the header of {path} grew from {length} bytes to {len(text)}")
        file.seek(8)
        file.write(text.ljust(length))


def _check_header(path: Path) -> None:
    """Say what is wrong in words that a person can act on; the library names a type."""
    size = path.stat().st_size
    again = "Download or write it again"
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(ZIP):
            raise WeightFileError(
                f"{path} was written by torch.save, not as safetensors: rename it to "
                f"{path.with_suffix('.pth').name}"
            )
        length = int.from_bytes(start, "little")
        if size < 8:
            raise WeightFileError(
                f"{sized(path)} is too short for a safetensors file, whose first 8 bytes tell how "
                f"long its header is. {again}"
            )
        if length > min(size - 8, _LONGEST_HEADER):
            raise WeightFileError(
                f"{sized(path)} is no complete safetensors file: its header should have {length:,} "
                f"bytes, and only {size - 8:,} follow. {again}"
            )
        text = file.read(length)
    try:
        header = json.loads(text)
    except (ValueError, RecursionError) as error:  # no JSON, or no UTF-8, or nested without end
        raise WeightFileError(
            f"{path} is no safetensors file: its header of {length:,} bytes is no JSON "
            f"({error}). {again}"
        ) from None
    entries = header.values() if isinstance(header, dict) else []
    ends = [e["data_offsets"][1] for e in entries if isinstance(e, dict) and _has_offsets(e)]
    promised, there = max(ends, default=0), size - 8 - length
    if there < promised:
        raise WeightFileError(
            f"{sized(path)} is cut short: its header promises {promised:,} bytes of weights, and "
            f"{there:,} are there. {again}"
        )


def _has_offsets(entry: Mapping[str, Any]) -> bool:
    offsets = entry.get("data_offsets")
    return isinstance(offsets, list) and len(offsets) == 2 and all(type(n) is int for n in offsets)
