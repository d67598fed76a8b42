"""Pictures of what the model reconstructs, time after time, of the same clips."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmaction.registry import HOOKS, MODELS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.visualization import LocalVisBackend
from torch.distributed.fsdp import FullyShardedDataParallel

from mmpmg.engine.bare_model import bare_model
from mmpmg.models.pretrainers.pretrainer import Pretrainer
from mmpmg.models.tokenizers.vqvae import VQVAE
from mmpmg.visualization import STATISTICS, reconstruction_picture, write
from mmpmg.visualization.model_reconstructions import drawn_branches, reconstruct_samples
from mmpmg.visualization.tokenizer_picture import tokenizer_picture
from mmpmg.visualization.training_samples import (
    TrainingSample,
    isolated_randomness,
    read_samples,
    spread_indices,
)


@HOOKS.register_module()
class ReconstructionHook(Hook):
    """Draws reconstructions of a few training clips to ``WORK_DIR/reconstructions/epoch_N.png``.

    Of every branch: pixels, with MotionMAE the true and the predicted motion, with DEMVM what its
    tokenizer makes of the true and of the predicted codes. Of a tokenizer: clips and what it
    decodes of their codes.
    With iterations counted, ``iter_N.png``. TensorBoard and other backends of the run's visualizer
    get the same pictures under the name ``reconstructions``, at the run's iteration.

    The clips are spread evenly over the training set and are those of the run's first epoch,
    unmixed and under the same masks each time, also after a resume: pictures of two epochs differ
    by the model alone, and where a ``MaskingRatioHook`` raises the ratio by that. They are read
    once, when training starts, by the main process. Training goes on as if nothing had happened:
    bit for bit the same weights. A picture costs one forward pass of ``num_clips`` clips and its
    drawing, whatever the size of the training set; where weights are sharded (FSDP), also a whole
    model on the main process while it draws.

    Args:
        interval: Epochs (or iterations) between pictures, >= 1; the last gets one in any case.
        num_clips: How many clips, >= 1.
        statistics: Where mean and contrast of the reconstructed tokens come from: "visible"
            (interpolated from visible tokens) or "truth" (as in VideoMAE's own pictures, which
            flatter any model).
        columns: Frames shown of each clip, >= 1.
        by_epoch: Count epochs; False: iterations.

    Raises:
        ValueError: An option outside its range, or a model of which nothing can be drawn.
    """

    priority = "LOW"

    def __init__(
        self,
        interval: int = 1,
        num_clips: int = 2,
        statistics: str = "visible",
        columns: int = 8,
        by_epoch: bool = True,
    ) -> None:
        for name, value in dict(interval=interval, num_clips=num_clips, columns=columns).items():
            if value < 1:
                raise ValueError(
                    f"{name} {value} must be >= 1: --cfg-options "
                    f"default_hooks.reconstruction.{name}=N"
                )
        if statistics not in STATISTICS:
            raise ValueError(
                f"statistics {statistics!r} is unknown; "
                f"default_hooks.reconstruction.statistics is one of {', '.join(STATISTICS)}"
            )
        self.interval = interval
        self.num_clips = num_clips
        self.statistics = statistics
        self.columns = columns
        self.by_epoch = by_epoch
        self._samples: list[TrainingSample] = []

    def before_train(self, runner: Runner) -> None:
        """Read the clips, before the loader's workers may have moved the training set's seeds."""
        model = bare_model(runner)
        if not isinstance(model, (Pretrainer, VQVAE)):
            raise ValueError(
                f"ReconstructionHook: a {type(model).__name__} masks and reconstructs nothing. It "
                "belongs to recipes of pre-training and of tokenizers; leave "
                "default_hooks.reconstruction out here"
            )
        if not is_main_process():
            return
        if isinstance(model, Pretrainer):
            drawn_branches(model)  # raises now rather than after an epoch
        dataset = runner.train_dataloader.dataset
        indices = spread_indices(len(dataset), self.num_clips)
        self._samples = read_samples(dataset, indices, int(runner.seed or 0))

    def after_train_epoch(self, runner: Runner) -> None:
        """Draw, every so many epochs and after the last."""
        if self.by_epoch and (
            self.every_n_epochs(runner, self.interval) or self.is_last_train_epoch(runner)
        ):
            self._draw(runner, "epoch", runner.epoch + 1, runner.iter)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Draw, every so many iterations and after the last."""
        if not self.by_epoch and (
            self.every_n_train_iters(runner, self.interval) or runner.iter + 1 == runner.max_iters
        ):
            self._draw(runner, "iter", runner.iter + 1, runner.iter + 1)

    def _draw(self, runner: Runner, unit: str, number: int, step: int) -> None:
        sharded = isinstance(runner.model, FullyShardedDataParallel)
        weights = runner.model.state_dict() if sharded else None  # each process hands over its part
        if not self._samples:
            return
        title = f"Training clips after {'iteration' if unit == 'iter' else unit} {number}"
        height = self._samples[0].clip.shape[1]
        height *= max(1, round(96 / height))
        with isolated_randomness(int(runner.seed or 0)):
            model = bare_model(runner) if weights is None else _whole(runner, weights)
            if isinstance(model, VQVAE):
                picture = tokenizer_picture(model, self._samples, self.columns, title, height)
            else:
                drawn = reconstruct_samples(model, self._samples)
                picture = reconstruction_picture(
                    {"": drawn}, self.statistics, self.columns, title, height
                )
        path = write(Path(runner.work_dir) / "reconstructions" / f"{unit}_{number}.png", picture)
        for backend in runner.visualizer._vis_backends.values():
            if type(backend) is not LocalVisBackend:  # that one would write the same file again
                backend.add_image("reconstructions", picture, step)
        runner.logger.info("reconstructions drawn to %s", path)


def _whole(runner: Runner, weights: dict[str, Any]) -> Any:
    """Build the model again from gathered weights: a sharded one computes with all ranks or not."""
    model = MODELS.build(runner.cfg.model)
    model.load_state_dict(weights)
    trained = getattr(bare_model(runner), "masker", None)
    for name in getattr(trained, "schedulable", ()):  # in no state: the hook's of this epoch
        setattr(model.masker, name, getattr(trained, name))
    return model.to(next(runner.model.parameters()).device)
