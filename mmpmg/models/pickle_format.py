"""Weights that ``torch.save`` wrote, read without running any code that a file carries."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from mmengine.runner import CheckpointLoader

from mmpmg.models.foreign_bytes import WeightFileError, sized


class CodeInFileError(WeightFileError, UnpicklingError):
    """A file that asks for something to be called, beside its weights."""


def read_pickle(path: str | Path) -> Any:
    """Read what ``torch.save`` wrote; nothing that it names is run (with torch 2.6 or later).

    Args:
        path: A file, or an address that MMEngine reads from.

    Returns:
        What the file holds.

    Raises:
        CodeInFileError: It asks for code; the message names what it asked for.
        WeightFileError: It is cut short, damaged, or something else.
        OSError: It cannot be read at all.
    """
    try:
        # MMEngine's loader, as it is what load_from and the resuming of a run go through.
        return CheckpointLoader.load_checkpoint(str(path), map_location="cpu", logger="silent")
    except UnpicklingError as error:
        raise _refusal(path, str(error)) from None  # torch's text advises to run the file
    except MemoryError:
        raise
    except Exception as error:  # a damaged file may go wrong anywhere inside torch
        # "Invalid argument" comes of a seek to before the file, where a cut archive points.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        reason = (str(error).strip().splitlines() or [""])[0]
        if "legacy .tar" in reason:
            raise WeightFileError(
                f"{path} is in the tar format of the first versions of PyTorch, which cannot be "
                "read without running what it holds: load it where it was made, and save "
                "model.state_dict() there with a newer PyTorch"
            ) from None
        if "TorchScript" in reason:
            raise CodeInFileError(
                f"{path} is a TorchScript archive: a program with its weights, and nothing of it "
                "was run; ask for model.state_dict(), saved alone"
            ) from None
        if isinstance(error, KeyError) or not reason:  # of the unpickler, about a byte
            reason = "torch.save did not write it, or not to its end"
        name = path if "://" in str(path) else sized(Path(path))
        raise WeightFileError(
            f"{name} is no complete checkpoint: {reason}. Copy, download or train it again"
        ) from error


def _refusal(path: str | Path, text: str) -> WeightFileError:
    """Say in one sentence why torch's unpickler stopped."""
    reason = (text.rpartition("WeightsUnpickler error:")[2].strip().splitlines() or [""])[0]
    asked = re.search(r"GLOBAL ([\w.]+)", text)
    if asked and _ends_with(path, asked[1]):
        return WeightFileError(
            f"{sized(Path(path))} is no complete checkpoint: it ends within the name {asked[1]}. "
            "Copy, download or train it again"
        )
    if asked and asked[1].startswith("torch.distributed"):
        return WeightFileError(
            f"{path}: refused, and nothing of it was run: it holds pieces of a model that was "
            f"trained in shards ({asked[1]}); gather the whole where it was trained, by torch."
            "distributed.checkpoint.state_dict.get_model_state_dict with "
            "StateDictOptions(full_state_dict=True), and save that"
        )
    if asked:
        return CodeInFileError(
            f"{path}: refused, and nothing of it was run: it holds a whole model or code "
            f"({asked[1]}) beside weights; save model.state_dict() alone where the file was made, "
            "or take a .safetensors file, which cannot carry code"
        )
    if "refused" in reason:  # by a stand-in of mmpmg.safe_globals
        return CodeInFileError(
            f"{path}: refused, and nothing of it was run: {reason.split('refused: ')[-1]}; save "
            "model.state_dict() alone where the file was made, or take a .safetensors file"
        )
    return CodeInFileError(
        f"{path}: no checkpoint, a damaged one, or one with more than weights in it ({reason}); "
        "copy it again, or save model.state_dict() with torch.save where it was made"
    )


def _ends_with(path: str | Path, name: str) -> bool:
    """Tell a name that was cut, with the file, from one that somebody asks for."""
    if "://" in str(path):
        return False
    name = name.rstrip(".")
    with Path(path).open("rb") as file:
        file.seek(-min(len(name) + 1, Path(path).stat().st_size), 2)
        end = file.read()
    cut = (name.encode(), b"\n" + name.rpartition(".")[2].encode())
    return end.endswith(cut) or end[:-1].endswith(cut)  # torch drops a name's last byte, a newline
