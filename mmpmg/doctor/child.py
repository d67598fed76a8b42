"""The child process of :mod:`.probe`: ``child.py FILE MODULE ...`` imports, and appends to FILE.

A script, not a module of the package: importing :mod:`mmpmg` is one of the things it tries.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def of_torch(torch: Any) -> dict[str, Any]:
    """CUDA, GPUs, and whether NumPy arrays pass: not NumPy 2's, where torch knows NumPy 1."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    try:
        torch.zeros(1).numpy()
        numpy = ""
    except RuntimeError as error:
        numpy = str(error)
    return dict(
        cuda=torch.version.cuda or "",
        gpus=[torch.cuda.get_device_name(device) for device in devices],
        bf16=bool(devices) and torch.cuda.is_bf16_supported(),
        numpy=numpy,
    )


def of_moderngl(moderngl: Any) -> dict[str, Any]:
    """Whether a context without a display can be made, through EGL."""
    try:
        context = moderngl.create_standalone_context(backend="egl")
    except Exception as error:
        return dict(egl="", egl_error=_line(error))
    renderer = context.info["GL_RENDERER"]
    context.release()
    return dict(egl=renderer)


def of_mmpmg(mmpmg: Any) -> dict[str, Any]:
    """What compat mends in this stack."""
    return dict(mended=mmpmg.compat.active(), path=str(Path(mmpmg.__file__).parent))


ASK: dict[str, Callable[[Any], dict[str, Any]]] = {
    "torch": of_torch,
    "moderngl": of_moderngl,
    "mmpmg": of_mmpmg,
}


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if isinstance(error, ImportError) else f"{type(error).__name__}: {text}"


def look(name: str) -> dict[str, Any]:
    """Import a module and ask it for its version and more.

    Args:
        name: Module.

    Returns:
        ``error``: one line, "" where it loads; ``details``.
    """
    try:
        module = importlib.import_module(name)
        details = dict(version=str(getattr(module, "__version__", "")))
        return dict(error="", details={**details, **ASK.get(name, lambda module: {})(module)})
    except BaseException as error:  # a package may raise anything, SystemExit among it
        return dict(error=_line(error), details={})


def main() -> None:
    """Look at the modules on the command line."""
    # As "python -c" would: the folder of the caller, not of this script.
    sys.path[0] = os.getcwd()
    file, *modules = sys.argv[1:]
    with open(file, "a", encoding="utf-8") as out:
        for name in modules:
            print(json.dumps(dict(begun=name)), file=out, flush=True)
            print(json.dumps(dict(begun=name, **look(name))), file=out, flush=True)


if __name__ == "__main__":
    main()
