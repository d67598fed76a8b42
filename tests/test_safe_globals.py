"""What torch.load accepts once mmpmg is imported, and what it refuses."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

import mmpmg  # noqa: F401  puts the stand-ins on torch's list
from mmpmg.stack import numbers

pytestmark = pytest.mark.skipif(
    numbers(torch.__version__) < (2, 6), reason="before 2.6 torch.load runs what a file says"
)


class Call:
    """Pickles as: call ``function`` with ``args``, then set ``state``."""

    def __init__(self, function: Any, *args: Any, state: Any = None) -> None:
        self.parts = (function, args) if state is None else (function, args, state)

    def __call__(self) -> None:
        """Pickle wants the first of its parts callable, also where that is a Call itself."""

    def __reduce__(self) -> Any:
        return self.parts


def saved(content: Any) -> io.BytesIO:
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    return file


def archive(pickled: bytes) -> io.BytesIO:
    """Return a torch file around a pickle that no honest pickler writes."""
    out = io.BytesIO()
    with zipfile.ZipFile(saved({})) as honest, zipfile.ZipFile(out, "w") as crafted:
        for name in honest.namelist():
            crafted.writestr(name, pickled if name.endswith("data.pkl") else honest.read(name))
    out.seek(0)
    return out


def attribute_chain(command: str) -> Call:
    """From a listed class to ``os.system`` by attributes alone."""
    init = Call(getattr, HistoryBuffer, "__init__")
    get = Call(getattr, Call(getattr, init, "__globals__"), "get")
    modules = Call(getattr, Call(getattr, Call(get, "warnings"), "sys"), "modules")
    return Call(Call(getattr, Call(Call(getattr, modules, "get"), "os"), "system"), command)


def forged_dtype(name: str) -> Call:
    """A dtype whose bytes are object pointers, while its flags deny that."""
    fields = {"a": (np.dtype("O"), 0)}
    return Call(np.dtype, name, False, True, state=(3, "|", None, ("a",), fields, 8, 1, 0))


def forged_array(dtype: Any, data: Any, kind: Any = np.ndarray, shape: Any = (1,)) -> Call:
    reconstruct = np.zeros(1).__reduce__()[0]
    return Call(reconstruct, kind, (0,), b"b", state=(1, shape, dtype, False, data))


_HISTORY = "mmengine.logging.history_buffer"
DISHONEST = {
    "os.system": lambda cmd: saved(Call(os.system, cmd)),
    "eval": lambda cmd: saved(Call(eval, f"__import__('os').system({cmd!r})")),
    "exec": lambda cmd: saved(Call(exec, f"import os; os.system({cmd!r})")),
    "getattr to __globals__": lambda cmd: saved(attribute_chain(cmd)),
    "getattr of an init": lambda cmd: saved(Call(getattr, HistoryBuffer, "__init__")),
    "getattr of a mangled name": lambda cmd: saved(
        Call(getattr, HistoryBuffer, "mean.__globals__")
    ),
    "getattr of an array": lambda cmd: saved(Call(getattr, np.zeros(2), "tofile")),
    "getattr of a tensor": lambda cmd: saved(Call(getattr, torch.zeros(2), "apply_")),
    "getattr called on a buffer": lambda cmd: saved(Call(getattr, HistoryBuffer([1], [1]), "mean")),
    "method called": lambda cmd: saved(Call(Call(getattr, HistoryBuffer, "mean"), 1)),
    "dotted global": lambda cmd: archive(
        f"\x80\x02c{_HISTORY}\nHistoryBuffer.__init__.__globals__\n.".encode("latin1")
    ),
    "dotted global through numpy": lambda cmd: archive(b"\x80\x02cnumpy\nf2py.os.system\n."),
    "dtype forged from a record": lambda cmd: saved(forged_array(forged_dtype("V8"), b"\x41" * 8)),
    "dtype forged from a float": lambda cmd: saved(forged_array(forged_dtype("f8"), b"\x41" * 8)),
    "object array": lambda cmd: saved(np.array([print, "x"], dtype=object)),
    "object dtype": lambda cmd: saved(np.dtype("O")),
    "dtype by expression": lambda cmd: saved(Call(np.dtype, "O,O", False, True)),
    "array of another class": lambda cmd: saved(
        forged_array(np.dtype("f8"), b"\0" * 8, kind=HistoryBuffer)
    ),
    "array with a file object's shape": lambda cmd: saved(
        forged_array(np.dtype("f8"), b"\0" * 8, shape=(-1,))
    ),
    "array shorter than its shape": lambda cmd: saved(
        forged_array(np.dtype("f8"), b"\0" * 8, shape=(2**40,))
    ),
    "scalar longer than its type": lambda cmd: saved(
        Call(np.float64(1).__reduce__()[0], np.dtype("f8"), b"\0" * 80)
    ),
    "array from a file": lambda cmd: saved(Call(np.fromfile, "/etc/hostname", "u1")),
    "numpy.load": lambda cmd: saved(Call(np.load, "x.npy", None, True)),
    "buffer without its fields": lambda cmd: saved(Call(HistoryBuffer, state={"max_length": 1})),
    "buffer of strings": lambda cmd: saved(
        Call(
            HistoryBuffer,
            state={"_log_history": ["a"], "_count_history": ["b"], "max_length": 1},
        )
    ),
}
RUNS_CODE = ["os.system", "eval", "exec", "getattr to __globals__"]


@pytest.mark.parametrize("trick", DISHONEST)
def test_dishonest_files_are_refused(trick: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    file = DISHONEST[trick](f"touch '{marker}'")
    with pytest.raises((pickle.UnpicklingError, ValueError, TypeError)):
        torch.load(file)
    assert not marker.exists()


@pytest.mark.parametrize("trick", RUNS_CODE)
def test_those_files_do_run_code_where_nothing_guards(trick: str, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    torch.load(DISHONEST[trick](f"touch '{marker}'"), weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize("trick", RUNS_CODE)
def test_downloaded_files_are_refused_too(trick: str, tmp_path: Path) -> None:
    """The cache already holds the file, so that nothing is downloaded."""
    from mmengine.runner.checkpoint import CheckpointLoader

    marker, address = tmp_path / "ran", "https://host.invalid/weights.pth"
    (tmp_path / "weights.pth").write_bytes(DISHONEST[trick](f"touch '{marker}'").getvalue())
    load = CheckpointLoader._get_checkpoint_loader(address)
    with pytest.raises(pickle.UnpicklingError):
        load(address, model_dir=str(tmp_path))
    assert not marker.exists()
    (tmp_path / "weights.pth").write_bytes(saved({"weight": torch.ones(1)}).getvalue())
    assert load(address, model_dir=str(tmp_path))["weight"] == 1


def test_a_file_cannot_change_the_statistics_of_every_buffer() -> None:
    before = dict(HistoryBuffer._statistics_methods)
    honest = {
        "_log_history": np.ones(2),
        "_count_history": np.ones(2),
        "max_length": 10,
        "statistics_methods": {"mean": HistoryBuffer.max, "new": HistoryBuffer.min},
        "update": 3,
    }
    loaded = torch.load(saved(Call(HistoryBuffer, state=honest)))
    assert HistoryBuffer._statistics_methods == before
    assert callable(loaded.update)


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "<i8", ">i4", "f2", "f4", "<f8", ">f8", "c16"])
def test_arrays_come_back(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for shape in [(), (0, 3), (5,), (2, 3, 4)]:
        for order in "CF":
            array = np.array(rng.integers(0, 2, shape), dtype=dtype, order=order)
            loaded = torch.load(saved(array))
            np.testing.assert_array_equal(loaded, array)
            # NumPy's own unpickling turns foreign byte order into the machine's, and so do we
            assert loaded.dtype == pickle.loads(pickle.dumps(array, protocol=2)).dtype
            again = pickle.loads(pickle.dumps(loaded))
            assert type(again) is np.ndarray
            np.testing.assert_array_equal(again, array)


@pytest.mark.parametrize("value", [np.float64(0.1), np.float32(-2), np.int64(7), np.bool_(True)])
def test_scalars_come_back(value: np.generic) -> None:
    loaded = torch.load(saved(value))
    assert type(loaded) is type(value)
    assert loaded == value


def test_a_resumed_buffer_goes_on() -> None:
    hub = MessageHub.get_instance("a_resumed_buffer_goes_on")
    for value in (1.0, 3.0):
        hub.update_scalar("loss", value)
    loaded = torch.load(saved(hub.state_dict()))
    hub.load_state_dict(loaded)
    hub.update_scalar("loss", 5.0)
    assert hub.get_scalar("loss").mean() == 3.0
    assert hub.get_scalar("loss").current() == 5.0
