"""Training: optimizer wrapper, hooks, and how a run is started."""

from . import hooks
from .fsdp import ShardedStrategy
from .fused_adamw import FusedAdamW
from .inference import accept_our_recipes
from .layer_decay import EncoderLayerDecayConstructor
from .optim_wrapper import AutocastOptimWrapper, NonFiniteLossError
from .update_schedules import CosineAnnealingLRByUpdate, LinearLRByUpdate

accept_our_recipes()

__all__ = [
    "AutocastOptimWrapper",
    "CosineAnnealingLRByUpdate",
    "EncoderLayerDecayConstructor",
    "FusedAdamW",
    "LinearLRByUpdate",
    "NonFiniteLossError",
    "ShardedStrategy",
    "hooks",
]
