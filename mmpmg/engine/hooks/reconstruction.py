"""Pictures of what the model reconstructs, epoch after epoch, of the same clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmpmg.visualization import STATISTICS, reconstruction_picture, write
from mmpmg.visualization.model_pictures import pixel_branch, reconstruct_samples
from mmpmg.visualization.training_samples import (
    TrainingSample,
    isolated_randomness,
    read_samples,
    spread_indices,
)


@HOOKS.register_module()
class ReconstructionHook(Hook):
    """Draws reconstructions of a few training clips to ``WORK_DIR/reconstructions/epoch_N.png``.

    The clips are spread evenly over the training set and are those of the run's first epoch,
    unmixed and under the same masks each time, also after a resume: pictures of two epochs differ
    by the model alone. They are read once, when training starts, by the main process. Training goes
    on as if nothing had happened: bit for bit the same weights.

    Args:
        interval: Epochs between pictures, >= 1; the last epoch gets one in any case.
        num_clips: How many clips, >= 1.
        statistics: Where mean and contrast of the reconstructed tokens come from: "visible"
            (interpolated from visible tokens) or "truth" (as in VideoMAE's own pictures, which
            flatter any model).
        columns: Frames shown of each clip, >= 1.

    Raises:
        ValueError: An option outside its range, or a model that predicts no pixels.
    """

    priority = "LOW"

    def __init__(
        self,
        interval: int = 1,
        num_clips: int = 2,
        statistics: str = "visible",
        columns: int = 8,
    ) -> None:
        for name, value in dict(interval=interval, num_clips=num_clips, columns=columns).items():
            if value < 1:
                raise ValueError(
                    f"{name} {value} must be >= 1; mend custom_hooks: ReconstructionHook.{name}"
                )
        if statistics not in STATISTICS:
            raise ValueError(
                f"statistics {statistics!r} is unknown; custom_hooks: "
                f"ReconstructionHook.statistics is one of {', '.join(STATISTICS)}"
            )
        self.interval = interval
        self.num_clips = num_clips
        self.statistics = statistics
        self.columns = columns
        self._samples: list[TrainingSample] = []

    def before_train(self, runner: Runner) -> None:
        """Read the clips, before the loader's workers may have moved the training set's seeds."""
        if not is_main_process():
            return
        pixel_branch(_bare(runner.model))  # raises now rather than after an epoch
        dataset = runner.train_dataloader.dataset
        indices = spread_indices(len(dataset), self.num_clips)
        self._samples = read_samples(dataset, indices, int(runner.seed or 0))

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw, every so many epochs and after the last."""
        if not self._samples or not (
            self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner)
        ):
            return
        model = _bare(runner.model)
        with isolated_randomness(int(runner.seed or 0)):
            reconstructions = reconstruct_samples(model, self._samples)
        epoch = runner.epoch + 1
        height = self._samples[0].clip.shape[1]
        picture = reconstruction_picture(
            reconstructions,
            self.statistics,
            self.columns,
            f"Training clips after epoch {epoch}",
            height * max(1, round(96 / height)),
        )
        path = write(Path(runner.work_dir) / "reconstructions" / f"epoch_{epoch}.png", picture)
        runner.logger.info("reconstructions drawn to %s", path)


def _bare(model: Any) -> Any:
    """Return the model without its distributed wrapper, which would wait for other ranks."""
    return model.module if is_model_wrapper(model) else model
