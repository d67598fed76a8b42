"""The finished file: .npz or .parquet, written in blocks, so memory does not grow with it."""

from __future__ import annotations

import importlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmpmg.compat import require

from .errors import ExtractionError
from .parts import DoneRows

ENDINGS = (".npz", ".parquet")
_BLOCK = 1 << 26  # bytes of vectors


@dataclass(frozen=True)
class Table:
    """What a finished file holds.

    Args:
        done: the vectors, and which videos are bad.
        names: of all videos of the set.
        labels: of all videos, -1 where there is none.
        by_clip: whether a video's rows are its clips, instead of one for all of them.
        settings: that the features follow from.
        beat: called now and then while blocks are written.
    """

    done: DoneRows
    names: Sequence[str]
    labels: Sequence[int]
    by_clip: bool
    settings: Mapping[str, Any]
    beat: Callable[[], None]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(videos, rows of a video, width)."""
        assert self.done.shape is not None
        return (len(self.done.good), *self.done.shape)

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield the numbers of the videos with vectors, in order, some at a time."""
        numbers = self.done.good
        size = max(1, _BLOCK // (4 * self.shape[1] * self.shape[2]))
        for start in range(0, len(numbers), size):
            self.beat()
            yield numbers[start : start + size]

    def column(self, name: str, numbers: np.ndarray) -> Any:
        """Return one column for the rows of some videos.

        Args:
            name: "paths", "labels" or "clips".
            numbers: of the videos.
        """
        each = self.shape[1]
        if name == "paths":
            return [self.names[number] for number in numbers for _ in range(each)]
        if name == "labels":
            return np.repeat(np.array([self.labels[n] for n in numbers], np.int64), each)
        return np.tile(np.arange(each), len(numbers))

    @property
    def skipped(self) -> list[str]:
        """What could not be read, and why, in the set's order."""
        return [reason for _, reason in sorted(self.done.reasons.items())]


def write_table(table: Table, out: Path, beside: Path) -> None:
    """Write a finished file in one step: there is all of it, or none.

    Args:
        table: what it holds.
        out: the file; its ending says which kind.
        beside: file on the same disk to write first.
    """
    (_write_npz if out.suffix == ".npz" else _write_parquet)(table, beside)
    with open(beside, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(beside, out)


def read_settings(file: Path) -> dict[str, Any] | None:
    """Return the settings that a finished file was extracted with.

    Args:
        file: .npz or .parquet.

    Returns:
        None where the file is something else.
    """
    try:
        if file.suffix == ".npz":
            with np.load(file) as loaded:
                return dict(json.loads(str(loaded["settings"])))
        metadata = importlib.import_module("pyarrow.parquet").read_schema(file).metadata
        return dict(json.loads(metadata[b"settings"]))
    except Exception:  # anything may be in a file that is not ours
        return None


def check_ending(out: Path) -> None:
    """Refuse a file that cannot be written, before hours are spent on what goes into it.

    Raises:
        ExtractionError: another ending, or parquet without pyarrow.
    """
    if out.suffix not in ENDINGS:
        raise ExtractionError(f"--out {out}: must end with {' or '.join(ENDINGS)}")
    if out.suffix == ".parquet":
        try:
            require("pyarrow")
        except ImportError:
            raise ExtractionError(
                f"--out {out}: pyarrow writes .parquet, and does not load here; type: pip install "
                "pyarrow, or name an .npz file"
            ) from None


def _write_npz(table: Table, file: Path) -> None:
    """Write what ``numpy.savez`` would, without holding the vectors in memory."""
    videos, each, width = table.shape
    rows = videos * each
    longest = max(len(table.names[number]) for number in table.done.good)
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:

        def write(name: str, kind: Any, shape: tuple[int, ...], data: Iterator[bytes]) -> None:
            # A date of its own would make two extractions differ.
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            head = io.BytesIO()
            description = dict(
                descr=np.lib.format.dtype_to_descr(np.dtype(kind)), fortran_order=False, shape=shape
            )
            np.lib.format.write_array_header_1_0(head, description)
            with archive.open(member, "w", force_zip64=True) as out:
                out.write(head.getvalue())
                for block in data:
                    out.write(block)

        def column(name: str, kind: Any) -> Iterator[bytes]:
            for numbers in table.blocks():
                yield np.array(table.column(name, numbers), kind).tobytes()

        vectors = (table.done.vectors(numbers).tobytes() for numbers in table.blocks())
        write("features", np.float32, (rows, width), vectors)
        write("paths", f"<U{longest}", (rows,), column("paths", f"<U{longest}"))
        write("labels", np.int64, (rows,), column("labels", np.int64))
        if table.by_clip:
            write("clips", np.int64, (rows,), column("clips", np.int64))
        for name, value in (
            ("skipped", np.array(table.skipped, str)),
            ("settings", np.array(json.dumps(table.settings))),
        ):
            write(name, value.dtype, value.shape, iter([value.tobytes()]))


def _write_parquet(table: Table, file: Path) -> None:
    """Write one row group a block; the vectors are lists of a fixed length."""
    arrow = require("pyarrow")
    parquet = importlib.import_module("pyarrow.parquet")
    fields = [("path", arrow.string()), ("label", arrow.int64())]
    fields += [("clip", arrow.int64())] if table.by_clip else []
    fields.append(("feature", arrow.list_(arrow.float32(), table.shape[2])))
    metadata = dict(settings=json.dumps(table.settings), skipped=json.dumps(table.skipped))
    schema = arrow.schema(fields, metadata=metadata)
    with parquet.ParquetWriter(file, schema) as writer:
        for numbers in table.blocks():
            paths = table.column("paths", numbers)
            printable = [path.encode("utf-8", "backslashreplace").decode() for path in paths]
            flat = arrow.array(table.done.vectors(numbers).ravel())
            data = [arrow.array(printable), arrow.array(table.column("labels", numbers))]
            data += [arrow.array(table.column("clips", numbers))] if table.by_clip else []
            data.append(arrow.FixedSizeListArray.from_arrays(flat, table.shape[2]))
            writer.write_table(arrow.Table.from_arrays(data, schema=schema))
