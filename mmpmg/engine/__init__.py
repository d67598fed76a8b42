"""Training: optimizer wrapper, hooks, and how a run is started."""

from . import hooks
from .optim_wrapper import AutocastOptimWrapper, NonFiniteLossError

__all__ = ["AutocastOptimWrapper", "NonFiniteLossError", "hooks"]
