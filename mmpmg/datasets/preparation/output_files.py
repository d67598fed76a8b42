"""Files that are written whole or not at all, and never over others without being told to."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from .errors import PreparationError, stop_for


def check_folder(path: Path) -> None:
    """Check that lists can be put in a folder, which need not exist yet.

    Raises:
        PreparationError: it is something else.
    """
    if path.exists() and not path.is_dir():
        raise PreparationError(f"{path} is a file: name a folder for the lists with --out")


def check_free(files: Mapping[Path, str], force: bool) -> None:
    """Check that writing would not replace a file of other content.

    Args:
        files: path -> content.
        force: such files may be replaced.

    Raises:
        PreparationError: it would; names all such files.
    """
    if force:
        return
    stop_for(
        [f"{path} exists and has other content" for path, text in files.items()
         if path.exists() and not _is(path, text)],
        "Nothing was written. --force replaces them; --out names another folder.",
    )  # fmt: skip


def write_files(files: Mapping[Path, str], force: bool, say: Callable[[str], None]) -> None:
    """Write files, each in one piece.

    Args:
        files: path -> content.
        force: files of other content may be replaced.
        say: takes a line for each file.

    Raises:
        PreparationError: a file of other content is there, or one cannot be written.
    """
    check_free(files, force)
    for path, text in files.items():
        if _is(path, text):
            say(f"{path}: already there, with the same content")
            continue
        replaced = " (replaced)" if path.exists() else ""
        write_file(path, text)
        say(f"{path}: {text.count(chr(10))} lines{replaced}")


def write_file(path: Path, text: str) -> None:
    """Write one file in one piece.

    Raises:
        PreparationError: it cannot be written; nothing is left.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(text.encode("utf-8", "surrogateescape"))
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PreparationError(f"{path} cannot be written: {error.strerror}") from None


def _is(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode("utf-8", "surrogateescape")
    except OSError:
        return False
