"""Where a checkpoint keeps its weights, and what wrappers put before their names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmpmg.models.foreign_bytes import WeightFileError

WRAPPERS = ("state_dict", "model", "module")
"""Under which name checkpoints keep their weights: MMEngine and Lightning; the official releases of
VideoMAE, MAE and Swin; DeepSpeed, as VideoMAE V2's fine-tuned files."""
AVERAGES = ("model_ema", "ema_state_dict", "state_dict_ema")
"""Under which they keep a running average: VideoMAE, MMEngine, timm. Taken where nothing else is
there."""
PARALLEL = "module."
"""What DistributedDataParallel and DataParallel put before every name."""
_COUNTERS = ("n_averaged", "steps")
"""What PyTorch's ``AveragedModel`` and MMEngine's averages count in, beside ``module.``."""
_COMPILED = re.compile(r"(^|\.)_orig_mod\.")
_GATHER = (
    "gather the whole where it was trained, by torch.distributed.checkpoint.state_dict."
    "get_model_state_dict with StateDictOptions(full_state_dict=True), and save that"
)


def find_state(loaded: Mapping[str, Any], path: str | Path) -> tuple[dict[str, Tensor], str]:
    """Find the table of weights in a checkpoint.

    Args:
        loaded: What the file holds.
        path: What to call it.

    Returns:
        Name -> tensor, as the file has them, and under which name the table was found; "" where
        the file holds nothing else.

    Raises:
        WeightFileError: There is none, or a tensor's values are not in it.
    """
    wrapper = next((n for n in (*WRAPPERS, *AVERAGES) if isinstance(loaded.get(n), Mapping)), "")
    state: Any = loaded[wrapper] if wrapper else loaded
    for name in () if wrapper else WRAPPERS:
        if name in loaded and not isinstance(loaded[name], Tensor):
            raise WeightFileError(
                f"{path} holds a {type(loaded[name]).__name__} as {name!r}, where weights should be"
            )
    strange = [key for key, value in state.items() if not isinstance(value, Tensor)]
    if not state or strange:
        what = (
            f"{strange[0]!r} is a {type(state[strange[0]]).__name__}" if strange else "it is empty"
        )
        raise WeightFileError(
            f"{path} holds no weights that could be told from the rest: {what}; weights are a "
            f"table of tensors, alone or under {', '.join(WRAPPERS)}"
        )
    for key, value in state.items():
        if fault := _fault(value):
            raise WeightFileError(f"{path}: {key!r} {fault}")
    return {str(key): value for key, value in state.items()}, wrapper


def _fault(value: Tensor) -> str:
    """Say what is wrong with a tensor that is none of plain numbers in memory, and what to do."""
    if type(value) not in (Tensor, nn.Parameter):
        return f"is a {type(value).__name__}, such as training in shards (FSDP) has: {_GATHER}"
    if value.device.type == "meta":
        return "has a shape and no values (device meta): save the model after its weights are there"
    if value.device.type != "cpu":
        return f"is on the device {value.device}: save it as value.cpu()"
    if value.is_quantized:
        return f"is quantized ({value.dtype}): save it as value.dequantize()"
    if value.layout != torch.strided:
        return f"is sparse ({value.layout}): save it as value.to_dense()"
    return ""


def own_names(
    state: Mapping[str, Tensor], wrapper: str, path: str | Path
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Take off what distributed training, compiling and averaging put before names.

    Args:
        state: Of `find_state`.
        wrapper: Of `find_state`.
        path: What to call the file.

    Returns:
        The weights under the model's own names, and sentences for whoever reads them.

    Raises:
        WeightFileError: Two different weights would have one name, or some names alone have
            ``module.``.
    """
    notes = []
    named: dict[str, Tensor] = {}
    for key, value in state.items():
        name = key
        while (shorter := _COMPILED.sub(r"\1", name)) != name:
            name = shorter
        if name in named and not (
            named[name].dtype == value.dtype and torch.equal(named[name], value)
        ):
            raise WeightFileError(
                f"{path} holds two different weights {name!r}, one of them as torch.compile names "
                "it (_orig_mod.): save the state_dict of the model without torch.compile"
            )
        named[name] = value
    if any(_COMPILED.search(key) for key in state):
        notes.append("_orig_mod., which torch.compile puts before names, was taken off")
    counter = None
    if _counter(named) is None:
        named = without_parallel(named, path)
    if (count := _counter(named)) is not None:
        counter = int(named.pop(count)) if named[count].numel() == 1 else named.pop(count)
        named = without_parallel(named, path)
    if wrapper in AVERAGES or counter is not None:
        told = f" of {counter} steps" if isinstance(counter, int) else ""
        notes.append(
            f"{path} holds a running average of weights (EMA){told}, which is what is read"
        )
    return named, tuple(notes)


def _counter(state: Mapping[str, Tensor]) -> str | None:
    """Return the name that an average counts under, where all the rest is under ``module.``."""
    rest = [key for key in state if not key.startswith(PARALLEL)]
    return rest[0] if len(rest) == 1 < len(state) and rest[0] in _COUNTERS else None


def without_parallel(state: Mapping[str, Tensor], path: str | Path) -> dict[str, Tensor]:
    """Take off the ``module.`` that distributed training puts before every name.

    Args:
        state: Name -> tensor. What an average of weights counts in keeps its name.
        path: What to call the file.

    Raises:
        WeightFileError: Some of the names have it, and others do not.
    """
    marked = [key for key in state if key.startswith(PARALLEL)]
    bare = [key for key in state if not key.startswith(PARALLEL) and key not in _COUNTERS]
    if marked and bare:
        raise WeightFileError(
            f"{path} has {len(marked)} names that begin with {PARALLEL!r}, such as {marked[0]}, "
            f"and {len(bare)} that do not, such as {bare[0]}: distributed training puts it before "
            "all of them, so these are no weights of one model; save model.module.state_dict() "
            "alone where the file was made"
        )
    return {key.removeprefix(PARALLEL): value for key, value in state.items()}


def refuse_overridden(loaded: Any, path: str | Path) -> None:
    """Refuse tables whose own methods a file replaced, as a pickle can of an ``OrderedDict``.

    Args:
        loaded: What the file holds.
        path: What to call it.

    Raises:
        WeightFileError: One is there.
    """
    if not isinstance(loaded, dict):
        return
    for table in (loaded, *dict.values(loaded)):
        if not isinstance(table, dict):
            continue
        if replaced := sorted(set(getattr(table, "__dict__", ())) & set(dir(dict))):
            raise WeightFileError(
                f"{path}: a table in it brings its own {replaced[0]!r}, which no state_dict does: "
                "save dict(model.state_dict()) alone where the file was made"
            )
