"""Learning-rate schedules that count updates of the weights, so accumulation does not shift them.

MMEngine's step once a batch. With ``accumulative_counts=K`` the rate of an update is then that of
the last of its K batches, and a warm-up of n batches ends between two updates: close to the large
batch's rate, but not it.
"""

from __future__ import annotations

from typing import Any

from mmaction.registry import PARAM_SCHEDULERS
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler import CosineAnnealingLR, LinearLR
from torch.optim import Optimizer

FOREVER = int(1e9)


def updates(batches: int, optimizer: Optimizer | OptimWrapper) -> int:
    """Count the updates in so many batches; the last one may be of fewer than K of them."""
    per_update = getattr(optimizer, "_accumulative_counts", 1)
    return batches if batches == FOREVER else -(-int(batches) // per_update)


class _ByUpdate:
    """Steps when the weights have just changed."""

    optimizer: Any
    by_epoch: bool

    @classmethod
    def build_iter_from_epoch(cls, *args: Any, epoch_length: int, **settings: Any) -> Any:
        """Build from lengths in epochs, each of ``epoch_length`` batches."""
        length = updates(epoch_length, settings["optimizer"])
        return super().build_iter_from_epoch(  # type: ignore[misc]
            *args, epoch_length=length, in_updates=True, **settings
        )

    def step(self) -> None:
        """Go on by one, after each epoch or each update."""
        changed = getattr(self.optimizer, "should_update", None)
        if self.by_epoch or changed is None or changed():
            super().step()  # type: ignore[misc]


@PARAM_SCHEDULERS.register_module()
class LinearLRByUpdate(_ByUpdate, LinearLR):
    """MMEngine's ``LinearLR``, counting updates; without accumulation it is that.

    Args:
        optimizer: The optimizer or its wrapper; the runner fills it in.
        start_factor: Factor of the first update, in (0, 1].
        end_factor: Factor of the last one, in [0, 1].
        begin: Where it begins, in epochs or, with ``by_epoch=False``, in batches.
        end: Where it ends.
        last_step: Where to go on without a state; -1 for the start.
        by_epoch: Whether lengths are epochs.
        verbose: Print each rate.
        in_updates: Whether lengths are updates already; ``convert_to_iter_based`` sets it.
    """

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        begin: int = 0,
        end: int = FOREVER,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        in_updates: bool = False,
    ) -> None:
        if not (by_epoch or in_updates):
            begin, end = updates(begin, optimizer), updates(end, optimizer)
        super().__init__(
            optimizer,
            start_factor=start_factor,
            end_factor=end_factor,
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
            verbose=verbose,
        )


@PARAM_SCHEDULERS.register_module()
class CosineAnnealingLRByUpdate(_ByUpdate, CosineAnnealingLR):
    """MMEngine's ``CosineAnnealingLR``, counting updates; without accumulation it is that.

    Args:
        optimizer: The optimizer or its wrapper; the runner fills it in.
        T_max: Length of half a period; from ``begin`` to ``end`` by default.
        eta_min: Rate at the end; give this or ``eta_min_ratio``.
        begin: Where it begins, in epochs or, with ``by_epoch=False``, in batches.
        end: Where it ends.
        last_step: Where to go on without a state; -1 for the start.
        by_epoch: Whether lengths are epochs.
        verbose: Print each rate.
        eta_min_ratio: Rate at the end as a share of the first.
        in_updates: Whether lengths are updates already; ``convert_to_iter_based`` sets it.
    """

    def __init__(
        self,
        optimizer: Optimizer | OptimWrapper,
        T_max: int | None = None,
        eta_min: float | None = None,
        begin: int = 0,
        end: int = FOREVER,
        last_step: int = -1,
        by_epoch: bool = True,
        verbose: bool = False,
        eta_min_ratio: float | None = None,
        in_updates: bool = False,
    ) -> None:
        if not (by_epoch or in_updates):
            begin, end = updates(begin, optimizer), updates(end, optimizer)
            T_max = None if T_max is None else updates(T_max, optimizer)
        super().__init__(
            optimizer,
            T_max=T_max,
            eta_min=eta_min,
            begin=begin,
            end=end,
            last_step=last_step,
            by_epoch=by_epoch,
            verbose=verbose,
            eta_min_ratio=eta_min_ratio,
        )
