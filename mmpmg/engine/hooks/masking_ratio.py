"""Masks more as training goes on: the progressive masking ratio (DEMVM, Sec. 3.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from mmpmg.engine.bare_model import bare_model
from mmpmg.models.maskers.region_ratios import SHARES

UNITS = ("epoch", "iter")
KEY = "default_hooks.masking_ratio"
"""Where our recipes have the hook."""

SHARES_EVERY = 10
"""Batches from one look at the masker's shares to the next: each is a copy from the device."""


@HOOKS.register_module()
class MaskingRatioHook(Hook):
    """Drives a masker's ratios from a start to an end, by the square root of progress.

    Equations 15 and 16: ``ratio = start + (end - start) * sqrt(ep / Ep)``. Both numbers are keys:
    ``ep`` counts the epochs that are run (``train_cfg.max_epochs``) from 0, and ``period`` is Ep.
    The paper runs 10 epochs with Ep = 100, so its last epoch masks P_spa = .45 and P_tmp = .48 of
    the .8 and .9 that it gives as ends. Past the period the ends hold.

    The ratios follow from the run's epoch or iteration alone, so a resumed run goes on with those
    it would have had. They are logged as ``train/RATIO`` in every log line and to every backend.
    Every tenth batch's shares of slots in which a ``FlowGuidedDenseMasker`` masks what moves more
    (``slots_guided``), nothing more (``slots_random``), or the rest more (``slots_reversed``) are
    logged as well.
    A masker with exactly K masked tokens changes K, thereby the length of the encoder's sequences;
    a run takes most memory at the lowest ratio. With ``torch.compile`` masks are drawn outside the
    graph, so no ratio is part of it; a change of K compiles the step once more, for any K.

    Args:
        ratios: Name of a masker's ratio -> (start, end), e.g. ``spatial_ratio=(.3, .8)``. They
            take the place of what ``model.masker`` says.
        period: Ep: epochs (or iterations) from start to end, > 0.
        by: What is counted: "epoch" or "iter". The latter are batches: with
            ``optim_wrapper.accumulative_counts`` n of them are one update.
        power: Of progress; .5 is the paper's square root, 1 a straight line. > 0.

    Raises:
        ValueError: An option outside its range.
    """

    def __init__(
        self,
        ratios: Mapping[str, Sequence[float]],
        period: float = 100,
        by: str = "epoch",
        power: float = 0.5,
    ) -> None:
        if by not in UNITS:
            raise ValueError(
                f"MaskingRatioHook: by={by!r} is not one of {', '.join(UNITS)}; set {KEY}.by"
            )
        for name, value in dict(period=period, power=power).items():
            if not value > 0:
                raise ValueError(
                    f"MaskingRatioHook: {name}={value} must be above 0; set {KEY}.{name}"
                )
        for name, ends in ratios.items():
            numbers = isinstance(ends, Sequence) and all(isinstance(end, Real) for end in ends)
            if not numbers or len(ends) != 2:
                raise ValueError(
                    f"MaskingRatioHook: ratios.{name}={ends!r} is no (start, end), e.g. "
                    f"{KEY}.ratios.{name}=0.3,0.8"
                )
        if not ratios:
            raise ValueError(
                "MaskingRatioHook: ratios is empty; name a masker's ratio, e.g. "
                "dict(mask_ratio=(0.5, 0.9)), or leave the hook out"
            )
        self.ratios = {name: (float(ends[0]), float(ends[1])) for name, ends in ratios.items()}
        self.period = period
        self.by = by
        self.power = power

    def ratios_at(self, count: float) -> dict[str, float]:
        """Compute the ratios (Eq. 15, 16) after so many epochs or iterations, >= 0."""
        progress = min(1.0, count / self.period) ** self.power
        return {
            name: start + (end - start) * progress for name, (start, end) in self.ratios.items()
        }

    def before_train(self, runner: Runner) -> None:
        """Refuse a schedule that the masker cannot follow to its end, and set the first ratios.

        Raises:
            ValueError: The model has no masker, or one without such a ratio; a ratio is out of its
                range at the start or the end; or epochs are to be counted where there are none.
        """
        if self.by == "epoch" and isinstance(runner.train_loop, IterBasedTrainLoop):
            raise ValueError(
                "MaskingRatioHook: by='epoch', but train_cfg.by_epoch=False counts iterations; set "
                f"{KEY}.by='iter' and {KEY}.period to so many iterations"
            )
        model = bare_model(runner)
        masker = getattr(model, "masker", None)
        if masker is None:
            raise ValueError(
                f"MaskingRatioHook: a {type(model).__name__} masks nothing; set {KEY}=None"
            )
        allowed = getattr(masker, "schedulable", ())
        for name in self.ratios:
            if name not in allowed:
                raise ValueError(
                    f"MaskingRatioHook: ratios.{name}: {type(masker).__name__} has no such ratio "
                    f"to drive; it has {', '.join(allowed) or 'none'}"
                )
        # Ratios lie between their ends, and so does the number of tokens that they mask.
        for count in (0.0, self.period):
            self._set(masker, count)
            try:
                masker.check(model.backbone.grid)
            except ValueError as error:
                told = str(error).replace("model.masker.", f"{KEY}.ratios.")
                raise ValueError(f"MaskingRatioHook: ratios={self.ratios}: {told}") from error
        self._set(masker, self._count(runner))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the ratios of this iteration, and log them."""
        for name, value in self._set(bare_model(runner).masker, self._count(runner)).items():
            runner.message_hub.update_scalar(f"train/{name}", value)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Log of a flow-guided masker which slots it guided: ``slots_guided`` and its siblings."""
        shares = getattr(bare_model(runner).masker, "shares", None)
        if shares is None or runner.iter % SHARES_EVERY:
            return
        for name, share in zip(SHARES, shares.tolist(), strict=True):
            runner.message_hub.update_scalar(f"train/slots_{name}", share)

    def _count(self, runner: Runner) -> int:
        return runner.epoch if self.by == "epoch" else runner.iter

    def _set(self, masker: Any, count: float) -> dict[str, float]:
        ratios = self.ratios_at(count)
        for name, value in ratios.items():
            setattr(masker, name, value)
        return ratios
