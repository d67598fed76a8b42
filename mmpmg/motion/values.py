"""What makes a motion and its parts values: nobody can change them, plain data restores them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt


def frozen_array(values: Any, dtype: type) -> npt.NDArray[Any]:
    """Copy into an array that nobody can write to: a motion is a value."""
    array = np.array(values, dtype=dtype)
    array.setflags(write=False)
    return array


class FrozenArrays:
    """A dataclass whose arrays stay read-only on their way through pickle and ``copy``."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore the fields, arrays read-only again: NumPy does not pickle that flag."""
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
        self.__dict__.update(state)


def exact_keys(kind: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """Check that plain data has the keys of a dataclass, all of them and no others.

    Args:
        kind: The dataclass, whose ``to_dict`` wrote the data.
        data: What a file says.

    Returns:
        The data, as a new dict.

    Raises:
        ValueError: If it is no mapping, or keys are missing or unknown.
    """
    name = kind.__name__
    if not isinstance(data, Mapping):
        raise ValueError(f"Motion.from_dict: {name} must be a dict of its fields, got {data!r}")
    known = {f.name for f in fields(kind)}
    if set(data) != known:
        raise ValueError(
            f"Motion.from_dict: {name} has missing keys {sorted(known - set(data))}, "
            f"unknown keys {sorted(set(data) - known, key=str)}"
        )
    return dict(data)
