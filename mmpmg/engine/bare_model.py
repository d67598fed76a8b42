"""The model behind what distributed training puts around it."""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from mmengine.runner import Runner


def bare_model(runner: Runner) -> Any:
    """Return a runner's model without its wrapper, whose calls would wait for other processes."""
    return runner.model.module if is_model_wrapper(runner.model) else runner.model
