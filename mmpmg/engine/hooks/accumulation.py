"""Tells the optimizer wrapper where epochs begin, so that no accumulation straddles two."""

from __future__ import annotations

import logging

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmpmg.engine.optim_wrapper import AutocastOptimWrapper


@HOOKS.register_module()
class AccumulationHook(Hook):
    """Lets ``AutocastOptimWrapper`` accumulate within epochs, as a large batch does; see there.

    Loops without epochs and other wrappers are left as they are.
    """

    def before_run(self, runner: Runner) -> None:
        """Hand over the length of an epoch, and let the schedules count its updates.

        Raises:
            ValueError: With ``drop_last`` there would be no step in an epoch.
        """
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, AutocastOptimWrapper):
            return
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop):
            return
        sampler = getattr(loop.dataloader, "batch_sampler", None)
        wrapper.epoch_length = len(loop.dataloader)
        wrapper.drop_incomplete = bool(getattr(sampler, "drop_last", False))
        if wrapper.windows.updates(wrapper.epoch_length) == 0:
            raise ValueError(
                f"an epoch of {wrapper.epoch_length} batches has no step of "
                f"optim_wrapper.accumulative_counts={wrapper.windows.counts}: lower that or "
                "train_dataloader.batch_size (with --auto-scale-lr), or set "
                "train_dataloader.drop_last=False for a step of fewer batches"
            )
        if loop.iter:  # FlexibleRunner has resumed by now, and the checkpoint's lengths hold
            return
        schedules = runner.param_schedulers or []
        if isinstance(schedules, dict):
            schedules = [one for several in schedules.values() for one in several]
        for schedule in schedules:
            if hasattr(schedule, "count_updates"):
                schedule.count_updates()

    def before_train(self, runner: Runner) -> None:
        """Warn of a loop without epochs that goes on inside an accumulation."""
        wrapper = runner.optim_wrapper
        if not isinstance(wrapper, AutocastOptimWrapper) or wrapper.epoch_length is not None:
            return
        counts = wrapper.windows.counts
        if lost := wrapper.inner_count % counts:
            print_log(
                f"resumed at iteration {wrapper.inner_count}, {lost} after the last step: their "
                "gradients are in no checkpoint, so the next step is of the batches left of its "
                f"optim_wrapper.accumulative_counts={counts}. A default_hooks.checkpoint.interval "
                "that is a multiple of it avoids this",
                logger="current",
                level=logging.WARNING,
            )

    def before_train_epoch(self, runner: Runner) -> None:
        """Let an accumulation begin here: a resumed run's epochs may begin at any batch."""
        wrapper = runner.optim_wrapper
        if isinstance(wrapper, AutocastOptimWrapper) and wrapper.epoch_length is not None:
            wrapper.start_epoch()
