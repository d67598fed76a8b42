"""The data preprocessor for whole sequences, which stay on the host; a few frames leave it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.registry import MODELS
from mmengine.model import BaseDataPreprocessor
from torch import Tensor


@MODELS.register_module()
class SequencePreprocessor(BaseDataPreprocessor):
    """Hands sequences on as they are, and normalises the frames that the model asks for.

    A sequence may have any length, so neither its pixels as float32 nor all of it on a GPU has a
    bound; MMAction2's ``ActionDataPreprocessor`` makes both at once.

    Args:
        mean: Mean of each colour in grey levels.
        std: Deviation of each colour in grey levels, > 0.

    Raises:
        ValueError: Not three of each, or a deviation that is not positive.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError(
                f"SequencePreprocessor: model.data_preprocessor.mean={mean!r} and std={std!r} must "
                "have three numbers each, std above 0"
            )
        # As in MMAction2's, these are the recipe's and not the checkpoint's.
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Check a batch and hand it on, on the host.

        Args:
            data: ``inputs``, for each sequence (1, 3, T, H, W) uint8 RGB; ``data_samples``.
            training: Has no meaning here.

        Raises:
            ValueError: A sequence is of another shape or type.
        """
        for sequence in data["inputs"]:
            good = sequence.ndim == 5 and tuple(sequence.shape[:2]) == (1, 3)
            if not good or sequence.dtype != torch.uint8 or not sequence.shape[2]:
                raise ValueError(
                    f"a sequence is {tuple(sequence.shape)} {sequence.dtype}, not (1, 3, T, H, W) "
                    "torch.uint8; end test_dataloader.dataset.pipeline with "
                    "dict(type='FormatShape', input_format='NCTHW') and PackActionInputs"
                )
        return data

    def normalise(self, frames: Tensor) -> Tensor:
        """Bring frames (n, 3, H, W) uint8 to the model's device as normalised float32."""
        return (frames.to(self.device).float() - self.mean) / self.std
