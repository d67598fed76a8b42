"""Leaves the encoder behind as a file that fine-tuning can load."""

from __future__ import annotations

from pathlib import Path

from mmaction.registry import HOOKS
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.runner import Runner, find_latest_checkpoint

from mmpmg.engine.encoder_export import export_encoder
from mmpmg.typed import recipe, tool


@HOOKS.register_module()
class EncoderExportHook(Hook):
    """Exports the encoder from the last checkpoint when training ends.

    Args:
        filename: Name of the file in the run's work_dir.
    """

    priority = "VERY_LOW"  # after CheckpointHook wrote the last epoch

    def __init__(self, filename: str = "encoder.pth") -> None:
        self.filename = filename

    @master_only
    def after_train(self, runner: Runner) -> None:
        """Export, and say what to type next."""
        checkpoint = find_latest_checkpoint(runner.work_dir)
        if checkpoint is None:
            runner.logger.warning(
                "no checkpoint in %s, so no encoder was exported", runner.work_dir
            )
            return
        out = export_encoder(checkpoint, Path(runner.work_dir) / self.filename)
        runner.logger.info(
            "encoder written to %s; fine-tune it with: %s %s --cfg-options load_from=%s",
            out,
            tool("train.py"),
            recipe("finetune/RECIPE.py"),
            out,
        )
