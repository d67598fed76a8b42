"""Tells the optimizer wrapper which samples are in the batch, so that its errors can name them."""

from __future__ import annotations

from typing import Any

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner


@HOOKS.register_module()
class SampleNamesHook(Hook):
    """Hands the names of a batch's samples to ``AutocastOptimWrapper``.

    A sample is named by its ``filename`` or, failing that, by its number; recipes put both into
    ``PackActionInputs.meta_keys``.
    """

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Note the names, without copying anything."""
        if data_batch is None or not hasattr(runner.optim_wrapper, "sample_names"):
            return
        runner.optim_wrapper.sample_names = [
            str(
                sample.metainfo.get("filename")
                or f"sample {sample.metainfo.get('sample_idx', number)}"
            )
            for number, sample in enumerate(data_batch["data_samples"])
        ]
