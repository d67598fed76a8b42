"""TensorBoard beside the log files, by one word on the command line."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import torch
from mmaction.registry import VISBACKENDS
from mmengine.config import Config
from mmengine.visualization import LocalVisBackend, TensorboardVisBackend


@VISBACKENDS.register_module()
class LocalTensorboardVisBackend(LocalVisBackend):
    r"""MMEngine's ``LocalVisBackend`` and ``TensorboardVisBackend`` in one.

    Lists of a recipe cannot be made longer on the command line, and without ``LocalVisBackend``
    there is no ``scalars.json``, which reports are made from. So one entry is both::

        tools/train.py RECIPE --cfg-options \
            visualizer.vis_backends.0.type=LocalTensorboardVisBackend

    Pictures go into the event file alone: what draws them writes files of its own.

    Args:
        save_dir: Folder for both; MMEngine gives it.

    Raises:
        ImportError: tensorboard is not installed; said before training, not at the first log.
    """

    def __init__(self, save_dir: str) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            raise ImportError(
                "LocalTensorboardVisBackend needs tensorboard: pip install tensorboard, or leave "
                "visualizer.vis_backends.0.type=LocalVisBackend"
            )
        super().__init__(save_dir)
        self._events = TensorboardVisBackend(save_dir)

    @property
    def experiment(self) -> Any:
        """TensorBoard's ``SummaryWriter``."""
        return self._events.experiment

    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Write the recipe to ``config.py`` and to the event file."""
        super().add_config(config, **kwargs)
        self._events.add_config(config, **kwargs)

    def add_image(
        self, name: str, image: np.ndarray[Any, Any], step: int = 0, **kwargs: Any
    ) -> None:
        """Write a picture (H, W, 3) uint8 RGB to the event file."""
        self._events.add_image(name, image, step, **kwargs)

    def add_scalar(
        self, name: str, value: int | float | torch.Tensor, step: int = 0, **kwargs: Any
    ) -> None:
        """Write a number to ``scalars.json`` and to the event file."""
        super().add_scalar(name, value, step, **kwargs)
        self._events.add_scalar(name, value, step, **kwargs)

    def add_scalars(
        self,
        scalar_dict: dict[str, Any],
        step: int = 0,
        file_path: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Write numbers to ``scalars.json`` and to the event file."""
        super().add_scalars(scalar_dict, step, file_path, **kwargs)
        self._events.add_scalars(scalar_dict, step, file_path, **kwargs)

    def close(self) -> None:
        """Write what is left of the event file."""
        self._events.close()
