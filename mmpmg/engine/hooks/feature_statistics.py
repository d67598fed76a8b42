"""Measures the features of a frozen encoder, once, before a linear layer learns on them."""

from __future__ import annotations

import torch
from mmaction.registry import HOOKS
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmpmg.engine.bare_model import bare_model
from mmpmg.models.heads.linear_probe import LinearProbeHead


@HOOKS.register_module()
class FeatureStatisticsHook(Hook):
    """Tells ``LinearProbeHead`` mean and variance of the training features, over all processes.

    A resumed run keeps those of its checkpoint; one that only starts from weights (``load_from``)
    measures, also where these are of another probe and hold statistics of other features.

    Every process measures ``max_batches`` batches at most, so of a training set of more batches
    than that, the statistics depend on the batch size and on the number of processes.

    Args:
        max_batches: Batches of each process to measure at most, >= 1.

    Raises:
        ValueError: ``max_batches`` is below 1.
    """

    priority = "HIGH"

    def __init__(self, max_batches: int = 200) -> None:
        if max_batches < 1:
            raise ValueError(f"FeatureStatisticsHook.max_batches={max_batches}: must be 1 or more")
        self.max_batches = max_batches

    @torch.no_grad()
    def before_train(self, runner: Runner) -> None:
        """Measure, with the training's own augmentation.

        Raises:
            TypeError: The classifier is no ``LinearProbeHead``.
        """
        model = bare_model(runner)
        head = model.cls_head
        if not isinstance(head, LinearProbeHead):
            raise TypeError(
                f"FeatureStatisticsHook measures for model.cls_head.type='LinearProbeHead', not "
                f"{type(head).__name__}; take it out of custom_hooks"
            )
        if head.measured and runner.iter > 0:  # resumed: weights alone leave it at 0
            return
        training = model.training
        model.eval()
        device = head.feature_mean.device
        # Count, sum and sum of squares; in float64, because the spread is small beside the mean.
        totals = torch.zeros(3, head.in_channels, dtype=torch.float64, device=device)
        for number, batch in enumerate(runner.train_dataloader):
            if number == self.max_batches:
                break
            inputs = model.data_preprocessor(batch, training=False)["inputs"]
            features = head.pool(model.extract_feat(inputs, stage="backbone")[0]).double()
            totals[0] += len(features)
            totals[1] += features.sum(0)
            totals[2] += features.square().sum(0)
        all_reduce(totals)
        mean = totals[1] / totals[0]
        head.set_statistics(mean, (totals[2] / totals[0] - mean.square()).clamp(min=0))
        model.train(training)
        runner.logger.info("features measured on %d clips", int(totals[0, 0]))
