"""Learning-rate schedules that count updates of the weights, so accumulation does not shift them.

MMEngine's step once a batch. With ``accumulative_counts=K`` the rate of an update is then that of
the last of its K batches, and a warm-up of n batches ends between two updates: close to the large
batch's rate, but not it. Lengths in epochs with ``convert_to_iter_based`` are the large batch's
exactly. With ``by_epoch=False`` they are batches, K to an update within each epoch, as many as the
large batch's if they end with an epoch or an accumulation; otherwise the update that they end in
counts as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mmaction.registry import PARAM_SCHEDULERS
from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler import CosineAnnealingLR, LinearLR
from torch.optim import Optimizer

from .accumulation_windows import Windows

FOREVER = int(1e9)


def updates(
    length: float, optimizer: Optimizer | OptimWrapper, epoch_length: int | None = None
) -> int:
    """Count the updates in so many batches or epochs.

    Args:
        length: Batches; epochs where ``epoch_length`` is given. Batches that end inside an
            accumulation or an epoch count the update that they begin.
        optimizer: The optimizer or its wrapper.
        epoch_length: Batches of an epoch.
    """
    if length == FOREVER:
        return FOREVER
    counts = getattr(optimizer, "_accumulative_counts", 1)
    windows = getattr(optimizer, "windows", Windows(counts))
    if epoch_length is None:
        return windows.updates(int(length))
    return int(length * replace(windows, length=epoch_length).updates(epoch_length))


class _ByUpdate:
    """Steps when the weights have just changed."""

    optimizer: Any
    by_epoch: bool
    _lengths: dict[str, float | None]
    _epoch_length: int | None

    @classmethod
    def build_iter_from_epoch(cls, *args: Any, by_epoch: bool = True, **settings: Any) -> Any:
        """Build from lengths in epochs, each of ``epoch_length`` batches."""
        return cls(*args, by_epoch=False, **settings)  # type: ignore[call-arg]

    def _keep(self, epoch_length: int | None, **lengths: float | None) -> None:
        """Remember the lengths of the recipe, and count updates with what is known so far."""
        self._epoch_length, self._lengths = epoch_length, lengths
        self.count_updates()

    def count_updates(self) -> None:
        """Turn the recipe's lengths into updates.

        ``AccumulationHook`` does it again when the optimizer's wrapper knows the epochs: the
        runner builds schedules before. The first step's rate does not depend on it.

        Raises:
            ValueError: No update between ``begin`` and ``end``.
        """
        if self.by_epoch:
            return
        counted = {
            name: updates(length, self.optimizer, self._epoch_length)
            for name, length in self._lengths.items()
            if length is not None
        }
        if counted["end"] <= counted["begin"]:
            raise ValueError(
                f"a {type(self).__name__} of param_scheduler begins and ends at update "
                f"{counted['end']}: from begin={self._lengths['begin']:g} to "
                f"end={self._lengths['end']:g} there is none with "
                "optim_wrapper.accumulative_counts="
                f"{getattr(self.optimizer, '_accumulative_counts', 1)}; lengthen it or take it out"
            )
        vars(self).update(counted, **self._durations(counted))

    def _durations(self, counted: dict[str, int]) -> dict[str, int]:
        """What MMEngine derives from the lengths when it builds a schedule."""
        raise NotImplementedError

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
        epoch_length: Batches of an epoch, if lengths are epochs though rates change with each
            update; ``convert_to_iter_based`` sets it.
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
        epoch_length: int | None = None,
    ) -> None:
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
        self._keep(epoch_length, begin=begin, end=end)

    def _durations(self, counted: dict[str, int]) -> dict[str, int]:
        return dict(total_iters=counted["end"] - counted["begin"] - 1)


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
        epoch_length: Batches of an epoch, if lengths are epochs though rates change with each
            update; ``convert_to_iter_based`` sets it.
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
        epoch_length: int | None = None,
    ) -> None:
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
        self._keep(epoch_length, begin=begin, end=end, T_max=T_max)

    def _durations(self, counted: dict[str, int]) -> dict[str, int]:
        return dict(T_max=counted.get("T_max", counted["end"] - counted["begin"]))
