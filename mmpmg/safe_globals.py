"""What a checkpoint may contain besides tensors, so that loading one never runs code.

Since torch 2.6 ``torch.load`` builds only objects whose names are on a list, and an MMEngine
checkpoint also holds ``HistoryBuffer`` (the logged losses), NumPy arrays and scalars, and
``builtins.getattr`` (how pickle spells the buffer's methods). None of the real ones is safe:

* ``getattr`` walks from any listed function to ``__globals__`` and from there to ``os.system``;
* ``numpy.dtype`` accepts from the file a record type that declares object fields and hides that it
  does, so the bytes of an array become pointers that the next access follows;
* ``HistoryBuffer.__setstate__`` writes into a table shared by every buffer of the process.

The official releases of VideoMAE, MAE and timm keep the command line in their checkpoints, as an
``argparse.Namespace``, which is rebuilt as fields and nothing else.

So each name maps to a stand-in that rebuilds exactly what MMEngine writes and refuses the rest.
Nothing of the stand-ins stays in what was loaded: buffers and scalars come back as the real thing,
arrays as a subclass that is pickled as a plain array.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pickle import UnpicklingError
from typing import Any, SupportsIndex

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

_STATISTICS = ("min", "max", "current", "mean")
_PLAIN_DTYPE = re.compile(r"(b1|[iu][1248]|f[248]|f16|c8|c16)")


class _Buffer(HistoryBuffer):
    """A ``HistoryBuffer`` that takes its own three fields from a file and nothing else."""

    def __setstate__(self, state: Any) -> None:
        if type(state) is not dict:
            raise UnpicklingError("refused: the state of a HistoryBuffer is not a dict")
        try:
            histories = [np.array(state[key]) for key in ("_log_history", "_count_history")]
            max_length = state["max_length"]
        except KeyError as error:
            raise UnpicklingError(f"refused: a HistoryBuffer without {error}") from None
        if type(max_length) is not int or any(h.dtype.kind not in "biuf" for h in histories):
            raise UnpicklingError("refused: a HistoryBuffer that holds something else than numbers")
        self._set_default_statistics()
        self._log_history, self._count_history = histories
        self.max_length = max_length
        self.__class__ = HistoryBuffer  # type: ignore[assignment]


class _Dtype:
    """The name and byte order of a numeric dtype, in place of ``numpy.dtype``.

    Args:
        name: NumPy's short spelling such as ``"f8"``; booleans, integers, floats, complex.
        align: Ignored, as it means nothing for plain numbers.
        copy: Ignored.
    """

    def __init__(self, name: str, align: Any = False, copy: Any = True) -> None:
        if type(name) is not str or not _PLAIN_DTYPE.fullmatch(name):
            raise UnpicklingError(f"refused: an array of {name!r} instead of numbers")
        self.dtype = np.dtype(name)

    def __setstate__(self, state: Any) -> None:
        # (version, byte order, subarray, names, fields, element size, alignment, flags)
        if (
            type(state) is not tuple
            or len(state) != 8
            or state[1] not in ("<", ">", "|", "=")
            or state[2:] != (None, None, None, -1, -1, 0)
        ):
            raise UnpicklingError(f"refused: the dtype {self.dtype} with an unusual state")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array rebuilt from shape, :class:`_Dtype` and bytes; pickled as ``numpy.ndarray``."""

    def __new__(cls) -> _Array:
        """Start empty, whatever the file asks for."""
        return super().__new__(cls, (0,), np.uint8)

    def __setstate__(self, state: Any) -> None:
        # (version, shape, dtype, Fortran order, data)
        if type(state) is not tuple or len(state) != 5 or type(state[2]) is not _Dtype:
            raise UnpicklingError("refused: an array whose dtype is not a plain number")
        _, shape, dtype, fortran, data = state
        if type(shape) is not tuple or any(type(n) is not int or n < 0 for n in shape):
            raise UnpicklingError(f"refused: an array of shape {shape!r}")
        if type(data) is not bytes:
            raise UnpicklingError("refused: an array whose data are not bytes")
        super().__setstate__((1, shape, dtype.dtype, bool(fortran), data))

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        return self.view(np.ndarray).__reduce_ex__(protocol)


class Settings:
    """Stands in for ``argparse.Namespace``: fields and nothing else."""

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
            raise UnpicklingError("refused: settings that are no dict of names")
        self.__dict__.update(state)


def _reconstruct(kind: Any, shape: Any, typecode: Any) -> _Array:
    """Stand in for ``numpy.core.multiarray._reconstruct``, which starts an array."""
    if kind is not _Array:
        raise UnpicklingError(f"refused: {kind!r} where an array was expected")
    return _Array()


def _scalar(dtype: Any, data: Any) -> np.generic:
    """Stand in for ``numpy.core.multiarray.scalar``."""
    if type(dtype) is not _Dtype or type(data) is not bytes:
        raise UnpicklingError("refused: a NumPy scalar that is not a plain number")
    if len(data) != dtype.dtype.itemsize:
        raise UnpicklingError(f"refused: {len(data)} bytes for one {dtype.dtype}")
    return np.frombuffer(data, dtype.dtype)[0]


def _empty_bytes() -> bytes:
    """Stand in for ``bytes``, which a file calls for the data of an array without elements."""
    return b""


def _getattr(owner: Any, name: Any) -> Any:
    """Stand in for ``getattr``: hands out the four statistics of a HistoryBuffer, nothing else."""
    if owner is not _Buffer or type(name) is not str or name not in _STATISTICS:
        raise UnpicklingError(f"refused: the file asks for the attribute {name!r} of {owner!r}")
    return getattr(HistoryBuffer, name)


def allow_mmengine_checkpoints() -> None:
    """Let ``torch.load`` read the checkpoints that MMEngine writes, and the official VideoMAE's.

    Needs torch 2.6 or later, the first whose ``torch.load`` keeps to a list. Safe to call again.
    """
    entries: list[Any] = [
        (_Buffer, "mmengine.logging.history_buffer.HistoryBuffer"),
        (_getattr, "builtins.getattr"),
        (_empty_bytes, "builtins.bytes"),
        (_Dtype, "numpy.dtype"),
        (_Array, "numpy.ndarray"),
        (Settings, "argparse.Namespace"),
    ]
    for core in ("numpy.core.multiarray", "numpy._core.multiarray"):  # NumPy 1 and 2
        entries += [(_reconstruct, f"{core}._reconstruct"), (_scalar, f"{core}.scalar")]
    torch.serialization.add_safe_globals(entries)
