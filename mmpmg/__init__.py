"""Pseudo-motion pre-training for MMAction2: video transformers without collected video.

Importing this package mends what is broken in the installed stack (see :mod:`mmpmg.compat`) and
registers every dataset, transform, model, metric, hook and optimizer part in
``mmaction.registry``, so a recipe needs one line:
``custom_imports = dict(imports=["mmpmg"], allow_failed_imports=False)``.
"""

from . import compat
from .version import __version__

compat.apply()  # before anything below imports mmaction

from . import datasets, engine, evaluation, models  # noqa: E402

__all__ = ["__version__", "compat", "datasets", "engine", "evaluation", "models"]
