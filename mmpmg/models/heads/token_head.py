"""What every head has: a target for each masked token, and the weight of its loss."""

from __future__ import annotations

import math

from mmaction.registry import MODELS
from mmengine.model import BaseModule
from torch import nn

from mmpmg.models.tokens import TokenShape

PLACE = "model.branches.*.head"
"""Recipe key of a head, for messages."""


class TokenHead(BaseModule):
    """Compares what the decoder says of masked tokens with their target.

    Args:
        target: Config of a `TokenTarget`; ``token_shape`` is added.
        token_shape: (frames, rows, columns) of a token.
        loss_weight: Factor of the loss, finite and >= 0.
        init_cfg: MMEngine initialisers.

    Raises:
        ValueError: A weight that is negative or no number.
    """

    def __init__(
        self,
        target: dict,
        token_shape: TokenShape,
        loss_weight: float,
        init_cfg: dict | list[dict],
    ) -> None:
        super().__init__(init_cfg)
        if not 0 <= loss_weight < math.inf:
            raise ValueError(
                f"loss_weight {loss_weight} must be finite and >= 0; mend {PLACE}.loss_weight"
            )
        self.target = MODELS.build(target, default_args=dict(token_shape=token_shape))
        self.loss_weight = loss_weight

    def check(self, num_frames: int, data_preprocessor: nn.Module) -> None:
        """Refuse a model in which the target cannot be computed, when it is built.

        Args:
            num_frames: T of the clips that the encoder is built for.
            data_preprocessor: The model's.

        Raises:
            ValueError: It cannot; the message names the recipe key.
        """
        self.target.check(num_frames, data_preprocessor)
