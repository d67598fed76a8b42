"""Tells the optimizer wrapper how long an epoch is, so that no accumulation straddles two."""

from __future__ import annotations

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner


@HOOKS.register_module()
class AccumulationHook(Hook):
    """Lets ``AutocastOptimWrapper`` end every epoch with a step; see there.

    Loops without epochs, other wrappers and runs without accumulation are left as they are.
    """

    def before_train(self, runner: Runner) -> None:
        """Hand over the number of batches in an epoch."""
        if isinstance(runner.train_loop, EpochBasedTrainLoop):
            runner.optim_wrapper.epoch_length = len(runner.train_dataloader)
