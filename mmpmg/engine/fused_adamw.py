"""AdamW in one pass over the weights, wherever the installed torch can."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from mmaction.registry import OPTIMIZERS

# Older ones fuse on GPUs only.
_FUSES_ON_CPU = tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 4)


@OPTIMIZERS.register_module()
class FusedAdamW(torch.optim.AdamW):
    """``torch.optim.AdamW`` with ``fused=True`` where it is to be had.

    The same update in one kernel instead of a dozen for every weight; sums may differ in the last
    bit. Its state loads into ``AdamW`` and the reverse. With weights that are not floating point,
    or on a device that cannot fuse, it is plain ``AdamW``.

    Args:
        params: Weights, or groups of them.
        lr: Learning rate, >= 0.
        betas: Decay of the two moments, each in [0, 1).
        eps: Added to the root of the second moment, >= 0.
        weight_decay: Decoupled, >= 0.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        groups = list(params)
        weights = [
            weight
            for group in groups
            for weight in (group["params"] if isinstance(group, dict) else [group])
        ]
        fused = all(
            weight.is_floating_point() and (weight.is_cuda or (_FUSES_ON_CPU and weight.is_cpu))
            for weight in weights
        )
        # None, not False: elsewhere torch chooses among its other ways.
        super().__init__(
            groups, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, fused=fused or None
        )
