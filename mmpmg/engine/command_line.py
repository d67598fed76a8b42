"""How a tool ends on a mistake: a sentence alone where there is one, else the whole traceback."""

from __future__ import annotations

import dis
import errno
import linecache
import os
import re
import select
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from torch import distributed

PACKAGE = Path(__file__).resolve().parents[1]
#: What each launcher calls (a process's number on its machine, its number among all).
RANKS = {
    "pytorch": ("LOCAL_RANK", "RANK"),
    "slurm": ("SLURM_LOCALID", "SLURM_PROCID"),
    "mpi": ("OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_RANK"),
}
PATIENCE = timedelta(seconds=20)
"""How long a rank waits for the first to say the same."""
TRACEBACK = "MMPMG_TRACEBACK"
"""Set to 1, this variable of the environment keeps every traceback."""
# Python raises them where code is at fault: ours only where a ``raise`` names them.
_OF_CODE = (
    "AttributeError", "ImportError", "IndexError", "ModuleNotFoundError", "NameError",
    "UnboundLocalError",
)  # fmt: skip
_IN_WORKER = re.compile(r"Caught \w+ in DataLoader worker process \d+\.\nOriginal Traceback ")
_FRAME = re.compile(r'^  File "(.+)", line (\d+), in .*\n(?:    .*\n)*', re.M)
_UNFINISHED = re.compile(r"\.\d+-[0-9a-f]{8}\.part$")  # of mmpmg.written_beside
_ANOTHER = "name another place"
_UNREAD = 128 + 13  # the status of a program that SIGPIPE ends, as it does most before ``| head``
_Options = TypeVar("_Options")
_Result = TypeVar("_Result")


def run_command(run: Callable[[_Options], _Result], options: _Options) -> _Result:
    """Run what a tool does; end with a line, and status 1, where something typed was wrong.

    A sentence that this package raises names the value, what is allowed and what to change: the
    frames above it would hide it. So they would where the system refuses a file. Of any other
    exception they are all there is, so it passes; with ``MMPMG_TRACEBACK=1`` in the environment
    these do too. Where several processes refuse the same, the first says so.

    Args:
        run: The tool's function; whoever calls it himself sees its exceptions.
        options: What it takes, with ``launcher`` where several processes may run it.

    Returns:
        What it returns.

    Raises:
        SystemExit: An exception with a sentence, or nobody reads what is printed any more.
    """
    try:
        result = run(options)
        print(end="", flush=True)  # at Python's end nobody could say what a failure means
        return result
    except Exception as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            sys.exit(_UNREAD)
        sentence, refused = own_sentence(error), file_sentence(error)
        told = sentence or refused
        if told is None or os.environ.get(TRACEBACK) == "1":
            raise
        if sentence is None or _holds_more(error, sentence):
            told += f" (the whole traceback: {TRACEBACK}=1)"
        line = _told_here(told, getattr(options, "launcher", "none"))
        sys.exit(1 if line is None else line)


def _nobody_reads() -> bool:
    """Whether it was the standard output that broke; if so, let Python's end find it mended."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError):  # there is none, or only one in memory
        return False
    output = select.poll()
    output.register(number, 0)  # that a pipe has no reader is told unasked
    if not any(events & select.POLLERR for _, events in output.poll(0)):
        return False
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
    return True


def file_sentence(error: BaseException) -> str | None:
    """Return what to say where the system refuses a file or folder; None of any other exception.

    Args:
        error: As caught.
    """
    if not isinstance(error, OSError) or not isinstance(error.filename, (str, bytes, Path)):
        return None
    # Of a renaming the place that was asked for; and no name that stands in for an unfinished file.
    name = os.fsdecode(error.filename2 or error.filename)
    place = Path(_UNFINISHED.sub("", name))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{place} may not be read or written ({error.strerror}): {_ANOTHER}"
    if error.errno == errno.ENOENT:
        return f"there is no file or folder {place}"
    if error.errno == errno.EISDIR:
        return f"{place} is a folder, and a file is wanted: {_ANOTHER}"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        file = next((above for above in (place, *place.parents) if above.is_file()), None)
        if file is not None:
            return f"{file} is a file, and a folder is wanted: {_ANOTHER}"
    if error.errno in (errno.ENAMETOOLONG, errno.ENOSPC, errno.EDQUOT):
        return f"{place}: {error.strerror}"
    return None


def own_sentence(error: BaseException) -> str | None:
    """Return what an exception says if a ``raise`` of this package made it, here or in a worker.

    Args:
        error: As caught, with its traceback.

    Returns:
        Its message; None where someone else raised it, or where it says nothing.
    """
    if isinstance(error, (NotImplementedError, AssertionError)):
        return None  # a mistake in code, not in what was typed
    # KeyError shows its message in quotes.
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if _IN_WORKER.match(text):
        # PyTorch hands over an exception of a data worker as the text of its traceback.
        frames = list(_FRAME.finditer(text))
        if not frames:
            return None
        kind, _, said = text[frames[-1].end() :].partition(": ")
        file, line, kind = frames[-1][1], int(frames[-1][2]), kind.rpartition(".")[2]
        return (said.strip() or None) if _is_ours(file, line, kind) else None
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None:
        return None
    code = last.tb_frame.f_code
    # In the line of a ``raise``, its message may fail first.
    raised = code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]
    if not raised or not _is_ours(code.co_filename, last.tb_lineno, type(error).__name__):
        return None
    return text or None


def _is_ours(file: str, line: int, kind: str) -> bool:
    """Whether a line is a ``raise`` of this package: what fails by itself is no sentence."""
    text = linecache.getline(file, line).lstrip()
    ours = Path(file).resolve().is_relative_to(PACKAGE) and text.startswith("raise")
    return ours and (kind not in _OF_CODE or kind in text)


def _holds_more(error: BaseException, sentence: str) -> bool:
    """Whether the traceback shows an exception of which the sentence says nothing."""
    shown = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return shown is not None and str(shown) not in sentence


def _told_here(sentence: str, launcher: str) -> str | None:
    """Return the line that this process prints; None where another one says the same.

    Before the processes know each other, they have only read what all of a machine read alike.
    """
    if launcher == "none":
        return f"error: {sentence}"
    if not distributed.is_initialized():
        local, rank = (int(os.environ.get(name) or 0) for name in RANKS[launcher])
        return None if local else _line(sentence, rank)
    rank = distributed.get_rank()
    said = f"mmpmg refused: {sentence}"
    try:
        store = distributed.distributed_c10d._get_default_store()
        if rank == 0:
            store.set(said, "1")
        else:
            store.wait([said], PATIENCE)
            return None
    except RuntimeError:  # nobody said it in time, or the store has gone with its process
        pass
    return _line(sentence, rank)


def _line(sentence: str, rank: int) -> str:
    return f"error: rank {rank}: {sentence}" if rank else f"error: {sentence}"
