"""Layer-wise learning-rate decay that counts the layers itself."""

from __future__ import annotations

from typing import Any

from mmaction.engine.optimizers import LearningRateDecayOptimizerConstructor
from mmaction.registry import OPTIM_WRAPPER_CONSTRUCTORS
from torch import nn


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class EncoderLayerDecayConstructor(LearningRateDecayOptimizerConstructor):
    """MMAction2's layer decay with ``num_layers`` taken from the encoder.

    MMAction2 wants the number in the recipe. Where a delta changes ``model.backbone.arch`` and not
    that number, the surplus blocks train at up to 24 times the learning rate, without a word.

    ``paramwise_cfg`` takes ``decay_rate`` in (0, 1] and ``decay_type="layer_wise"``.
    """

    def add_params(self, params: list[dict], module: nn.Module, **options: Any) -> None:
        """Group the parameters by layer.

        Raises:
            ValueError: ``num_layers`` is given and wrong, or an unknown key is.
        """
        layers = len(module.backbone.blocks)
        unknown = set(self.paramwise_cfg) - {"decay_rate", "decay_type", "num_layers"}
        if unknown:
            raise ValueError(
                f"optim_wrapper.paramwise_cfg.{min(unknown)} is unknown; it takes decay_rate and "
                "decay_type"
            )
        given = self.paramwise_cfg.setdefault("num_layers", layers)
        if given != layers:
            raise ValueError(
                f"optim_wrapper.paramwise_cfg.num_layers={given}, but the encoder has {layers} "
                "blocks; leave the key out"
            )
        super().add_params(params, module, **options)
