"""Pseudo-motion pre-training for MMAction2: video transformers without collected video.

Importing this package mends what is broken in the installed stack (see :mod:`mmpmg.compat`) and
registers every dataset, transform, model, hook and optimizer part in ``mmaction.registry``, so a
recipe needs one line: ``custom_imports = dict(imports=["mmpmg"], allow_failed_imports=False)``.
"""

from importlib.util import find_spec as _find_spec

from . import compat
from .version import __version__

compat.apply()

for _room in ("datasets", "models", "engine"):
    if _find_spec(f"{__name__}.{_room}"):
        __import__(f"{__name__}.{_room}")

__all__ = ["__version__", "compat"]
