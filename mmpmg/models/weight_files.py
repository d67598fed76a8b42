"""The one door for weights: files of any usual layout in, .pth or .safetensors out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from mmengine.runner import CheckpointLoader
from torch import Tensor

from mmpmg.models.foreign_bytes import WeightFileError, kind_of, refuse_foreign, refuse_packed
from mmpmg.models.hugging_face_folder import read_folder
from mmpmg.models.pickle_format import read_pickle
from mmpmg.models.safetensors_format import read_safetensors, write_safetensors
from mmpmg.models.weight_layouts import find_state, own_names, refuse_overridden
from mmpmg.written_beside import written_beside


@dataclass(frozen=True, eq=False)
class WeightFile:
    """Weights and what is said of them.

    Attributes:
        state: Name -> tensor, on the CPU, as the file has them; without the ``module.`` that
            distributed training puts before every name, and torch.compile's ``_orig_mod.``.
        meta: What the file says of itself: its ``meta``, a safetensors file's metadata, or
            ``{"config": ...}`` with the config.json of a folder; empty where it says nothing.
        path: Where it was read.
        wrapper: Under which name the file keeps the weights, such as "state_dict"; "" for none.
        notes: Sentences on what was done to names, and on weights that are a running average.
    """

    state: dict[str, Tensor]
    meta: dict[str, Any] = field(default_factory=dict)
    path: str | Path = ""
    wrapper: str = ""
    notes: tuple[str, ...] = ()


def read_weights(path: str | Path) -> WeightFile:
    """Read weights of any usual layout; no code that a file carries is run (torch 2.6 or later).

    Args:
        path: A file that ``torch.save`` wrote (weights alone, or under ``state_dict``, ``model`` or
            ``module``, or else a running average under ``model_ema``), a .safetensors file, a
            folder with config.json and weights, in one file or sharded, or an address that MMEngine
            reads from.

    Returns:
        The weights. Its notes are warned of, too.

    Raises:
        FileNotFoundError: There is no such file.
        WeightFileError: A ValueError whose message says what the file is instead, and what to do;
            where the file asks for code to be run, it is a `CodeInFileError`.
    """
    file = weights_of(read_checkpoint(path), path)
    for note in file.notes:
        warnings.warn(note, stacklevel=2)
    return file


def weights_of(loaded: Mapping[str, Any], path: str | Path) -> WeightFile:
    """Find the weights in a checkpoint that was read.

    Args:
        loaded: Of `read_checkpoint`.
        path: What to call it.

    Raises:
        WeightFileError: There are none, or one is no plain tensor on the CPU.
    """
    found, wrapper = find_state(loaded, path)
    state, notes = own_names(found, wrapper, path)
    meta = loaded.get("meta") if wrapper else None
    return WeightFile(
        {key: value.detach() for key, value in state.items()},
        dict(meta) if isinstance(meta, Mapping) else {},
        path,
        wrapper,
        notes,
    )


def read_checkpoint(path: str | Path) -> Mapping[str, Any]:
    """Read all that a checkpoint holds; no code that it carries is run (torch 2.6 or later).

    Args:
        path: See `read_weights`.

    Returns:
        What the file holds; of a .safetensors file or a folder ``state_dict`` and ``meta``.

    Raises:
        FileNotFoundError: There is no such file.
        WeightFileError: See `read_weights`.
    """
    if "://" in str(path):
        if urlsplit(str(path)).path.endswith(".safetensors"):  # MMEngine would unpickle it
            raise WeightFileError(
                f"{path} is read from a disk only: download it, and give the file; at an address, "
                "only what torch.save wrote is read"
            )
        loaded = read_pickle(path)
    else:
        place = Path(path).expanduser()
        if place.is_dir():
            state, meta = read_folder(place, _read_tensors)
            return {"state_dict": state, "meta": meta}
        if not place.is_file():
            raise FileNotFoundError(f"there is no file or folder {path}")
        if place.suffix == ".safetensors":
            refuse_foreign(place)
            state, meta = read_safetensors(place)
            return {"state_dict": state, "meta": meta}
        refuse_foreign(place)
        if kind_of(place) == "safetensors":
            raise WeightFileError(
                f"{path} is a safetensors file under another name: rename it to "
                f"{place.with_suffix('.safetensors').name}"
            )
        refuse_packed(place)
        loaded = read_pickle(place)
    refuse_overridden(loaded, path)
    if not isinstance(loaded, Mapping):
        raise WeightFileError(f"{path} holds a {type(loaded).__name__}, not the weights of a model")
    return loaded


def _read_tensors(path: Path) -> dict[str, Tensor]:
    return find_state(read_checkpoint(path), path)[0]  # names as the index has them


def write_weights(
    path: str | Path, state: Mapping[str, Tensor], meta: Mapping[str, Any] | None = None
) -> Path:
    """Write weights, the same bytes for the same weights; a killed process leaves no half file.

    Args:
        path: Ends in .pth (``state_dict`` and ``meta``, as MMEngine has them) or .safetensors (with
            ``meta`` as JSON in its metadata). Its folder is made.
        state: Name -> tensor on any device; those that share memory are written one by one.
        meta: What JSON can hold.

    Returns:
        ``path``.

    Raises:
        ValueError: Another ending, or something in ``meta`` that JSON cannot hold.
    """
    path = Path(path)
    if path.suffix not in (".pth", ".safetensors"):
        raise ValueError(f"{path} ends in {path.suffix!r}; weights go to .pth or .safetensors")
    try:
        text = json.dumps(dict(meta or {}), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the meta of {path} cannot be written as JSON: {error}") from None
    # A view would bring the whole of what it looks into, and safetensors refuses shared memory.
    own = {key: state[key].detach().cpu().contiguous().clone() for key in sorted(state)}
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as unfinished:
        if path.suffix == ".pth":
            with unfinished.open("wb") as file:  # a file of its own name would be named inside
                torch.save({"state_dict": own, "meta": json.loads(text)}, file)
        else:
            write_safetensors(unfinished, own, text)
    return path


def load_from_safetensors(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Let MMEngine's ``load_from``, ``Pretrained`` and ``load_checkpoint`` take .safetensors.

    Args:
        filename: The file.
        map_location: A device; MMEngine copies the weights into the model itself.

    Returns:
        ``state_dict`` and ``meta``.
    """
    loaded = read_checkpoint(filename)
    if isinstance(map_location, (str, torch.device)):
        state = {key: value.to(map_location) for key, value in loaded["state_dict"].items()}
        return {**loaded, "state_dict": state}
    return dict(loaded)


# A pattern, as MMEngine matches them; no address, which goes to the loader of its own scheme.
CheckpointLoader.register_scheme(r"(?!\w+://).*\.safetensors$", load_from_safetensors, force=True)
