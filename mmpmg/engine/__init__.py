"""Training: optimizer wrapper, hooks, and how a run is started."""

from . import hooks
from .fsdp import ShardedStrategy
from .fused_adamw import FusedAdamW
from .inference import accept_named_pipelines
from .layer_decay import EncoderLayerDecayConstructor
from .optim_wrapper import AutocastOptimWrapper, NonFiniteLossError
from .update_schedules import CosineAnnealingLRByUpdate, LinearLRByUpdate

accept_named_pipelines()

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
