"""Training: optimizer wrapper, hooks, and how a run is started."""

from . import hooks
from .layer_decay import EncoderLayerDecayConstructor
from .optim_wrapper import AutocastOptimWrapper, NonFiniteLossError

__all__ = [
    "AutocastOptimWrapper",
    "EncoderLayerDecayConstructor",
    "NonFiniteLossError",
    "hooks",
]
