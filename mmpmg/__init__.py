"""Pseudo-motion pre-training for MMAction2: video transformers without collected video.

Importing this package mends what is broken in the installed stack (see :mod:`mmpmg.compat`),
registers every dataset, transform, model, metric, hook and optimizer part in ``mmaction.registry``
and makes MMEngine know its recipes by name (see :mod:`mmpmg.hub`), so a recipe needs one line:
``custom_imports = dict(imports=["mmpmg"], allow_failed_imports=False)``.
"""

import sys

from . import compat
from .version import __version__

__all__ = ["__version__", "compat"]

# The doctor is asked exactly when what stands below may not import. While Python looks for the
# module of "python -m", it says so in sys.argv.
if not (sys.argv[:1] == ["-m"] and "mmpmg.doctor" in sys.orig_argv):
    compat.apply()  # before anything below imports mmaction

    from . import datasets, engine, evaluation, hub, models

    hub.enrol()
    __all__ += ["datasets", "engine", "evaluation", "hub", "models"]
