"""What is broken in the installed stack, and its mending: the one place that knows."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType

_DRN = "mmaction.models.localizers.drn"


class DRN:
    """Stand-in for the localizer that the mmaction2 1.2.0 wheel leaves out."""

    def __init__(self) -> None:
        raise RuntimeError("DRN is not part of the mmaction2 1.2.0 wheel")


def apply() -> None:
    """Mend what can be mended; safe to call any number of times."""
    if _DRN not in sys.modules and find_spec("mmaction") is not None:
        package, module = ModuleType(_DRN), ModuleType(f"{_DRN}.drn")
        package.__path__ = []  # marks it as a package
        module.DRN = DRN  # type: ignore[attr-defined]
        sys.modules[_DRN], sys.modules[f"{_DRN}.drn"] = package, module
