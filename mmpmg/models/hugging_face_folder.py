"""A model's folder as Hugging Face writes it: config.json, and weights in one file or several."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from mmpmg.models.foreign_bytes import WeightFileError

CONFIG = "config.json"
SINGLE = ("model.safetensors", "pytorch_model.bin")
"""Whole weights, in the order of preference: the first cannot carry code."""
INDEX = ".index.json"

ReadTensors = Callable[[Path], dict[str, Tensor]]


def read_folder(folder: Path, read: ReadTensors) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a model's folder.

    Args:
        folder: A folder that exists.
        read: Reads one file of weights.

    Returns:
        The weights, and ``{"config": ...}`` with what config.json says.

    Raises:
        WeightFileError: No config.json, no weights, or a part of them is missing.
    """
    config = _read_json(folder / CONFIG) if (folder / CONFIG).is_file() else None
    if config is None:
        raise WeightFileError(
            f"{folder} is a folder without config.json, so no model that Hugging Face's "
            f"save_pretrained wrote; {_instead(folder)}"
        )
    for name in SINGLE:
        if (folder / name).is_file():
            return read(folder / name), {"config": config}
        if (folder / (name + INDEX)).is_file():
            return _read_shards(folder, name + INDEX, read), {"config": config}
    raise WeightFileError(
        f"{folder} has a config.json and no weights beside it ({' or '.join(SINGLE)}); "
        "download the rest of the model"
    )


def _read_shards(folder: Path, index: str, read: ReadTensors) -> dict[str, Tensor]:
    places = _read_json(folder / index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise WeightFileError(f"{folder / index} has no weight_map, which tells where weights are")
    names = sorted({str(name) for name in places.values()})
    strange = [name for name in names if Path(name).name != name]
    if strange:
        raise WeightFileError(
            f"{folder / index} points out of its folder, to {strange[0]}: not followed"
        )
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise WeightFileError(
            f"{folder} lacks {len(missing)} of the {len(names)} files of weights that {index} "
            f"names: {', '.join(missing[:3])}; download them again"
        )
    state: dict[str, Tensor] = {}
    for name in names:
        found = read(folder / name)
        unnamed = [key for key in found if places.get(key) != name]
        if unnamed:
            raise WeightFileError(
                f"{folder / name} holds {len(unnamed)} weights that {index} does not place in it, "
                f"for example {unnamed[0]}: files of two models in one folder? Download it again"
            )
        state.update(found)
    lost = [key for key in places if key not in state]
    if lost:
        raise WeightFileError(
            f"{folder} lacks {len(lost)} of the weights that {index} names, for example {lost[0]}, "
            f"which {places[lost[0]]} should hold; download the model again, index included"
        )
    return state


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise WeightFileError(f"{path} is no JSON ({error}); download it again") from None
    if not isinstance(found, dict):
        raise WeightFileError(f"{path} holds a {type(found).__name__} where names are expected")
    return found


def _instead(folder: Path) -> str:
    """Name the files of weights that a folder does hold, such as a run's."""
    files = sorted(p.name for p in folder.iterdir() if p.suffix in (".pth", ".pt", ".safetensors"))
    if not files:
        return "give such a folder, or a .pth or .safetensors file"
    return f"give one of its files ({', '.join(files[:4])}{', ...' * (len(files) > 4)})"
