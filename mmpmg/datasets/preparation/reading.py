"""Reading the files that data sets come with: line ends of any kind, errors that name the line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import PreparationError


def find_file(folder: Path, names: Sequence[str], remedy: str) -> Path:
    """Return the first of these files that is in a folder, or in a folder right below it.

    Args:
        folder: where archives of annotations were unpacked.
        names: what the file may be called.
        remedy: where to get it.

    Raises:
        PreparationError: there is none, or several below.
    """
    for name in names:
        if (folder / name).is_file():
            return folder / name
    below = [path for name in names for path in sorted(folder.glob(f"*/{name}"))]
    if len(below) == 1:
        return below[0]
    if below:
        raise PreparationError(
            f"{folder} has several files {names[0]}: {', '.join(map(str, below[:3]))}; name the "
            "folder of one as ANNOTATIONS"
        )
    raise PreparationError(f"{folder} has no file {' or '.join(names)}. {remedy}")


def read_text(path: Path) -> str:
    """Read a text file; bytes that are not UTF-8 stay what they are in file names.

    Raises:
        PreparationError: it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PreparationError(f"{path} cannot be read: {error.strerror}") from None
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def read_lines(path: Path) -> Iterator[tuple[str, str]]:
    r"""Yield ``file, line 3`` and the line, without blank ones; ``\r\n`` ends a line, too.

    Raises:
        PreparationError: the file cannot be read.
    """
    # Not splitlines(), which parts names at rarer signs, too.
    lines = read_text(path).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield f"{path}, line {number}", line.strip()


def read_json(path: Path, kind: type) -> Any:
    """Read a JSON file that holds a list or a dict.

    Raises:
        PreparationError: it cannot be read or holds something else.
    """
    try:
        data = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise PreparationError(
            f"{path}, line {error.lineno}: is not JSON ({error.msg}); download it again"
        ) from None
    if not isinstance(data, kind):
        raise PreparationError(f"{path} holds a {type(data).__name__}, not a {kind.__name__}")
    return data


def read_csv(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield ``file, line 3`` and the row of a CSV file with a header.

    Raises:
        PreparationError: it cannot be read, lacks a column, or a row is short.
    """
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
    absent = [name for name in columns if name not in (rows.fieldnames or ())]
    if absent:
        raise PreparationError(
            f"{path}, line 1: has no column {', '.join(absent)}; its header must hold "
            f"{','.join(columns)}"
        )
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        if any(row[name] is None for name in columns):
            raise PreparationError(f"{where}: has fewer fields than the header")
        yield where, {name: row[name].strip() for name in columns}
