"""bf16 where there is a GPU, float32 where there is none, and no step on a broken loss."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from mmaction.registry import OPTIM_WRAPPERS
from mmengine.dist import all_reduce, get_world_size
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from torch import nn
from torch.optim import Optimizer

from .accumulation_windows import Window, Windows

REACTIONS = ("stop", "skip")
DTYPES = ("bfloat16", "float32")


class NonFiniteLossError(RuntimeError):
    """The loss became NaN or infinite."""


@OPTIM_WRAPPERS.register_module()
class AutocastOptimWrapper(OptimWrapper):
    """MMEngine's ``OptimWrapper`` with autocast on GPUs and a guard on the loss.

    MMEngine's ``AmpOptimWrapper`` refuses a machine without a GPU, so no recipe could name it and
    still run on a laptop. bfloat16 has the range of float32 and needs no loss scaling, which
    leaves so little to do that one recipe serves both.

    **Accumulation** of K batches takes the step of the batch that holds all their samples, up to
    rounding: masks belong to samples, the loss is a mean over equally many numbers of each, and
    clipping acts on the accumulated gradient. Steps start anew with each epoch, wherever a run is
    resumed: ``AccumulationHook`` sees to it. Where an epoch is no multiple of K, the batches that
    are left do what a large batch's remainder does: a step of their own, or none with
    ``train_dataloader.drop_last``. (MMEngine carries them over into the next epoch, and loses them
    when a run is resumed.) It is not exact where a batch is looked at as a whole: mixing takes its
    partner from the same batch of the dataloader, so it has fewer to choose from; and without
    ``drop_last`` a last batch of fewer samples weighs as much as the others. A loop without epochs
    that is resumed inside an accumulation takes that step from the batches that are left of it,
    and warns. The schedules of `update_schedules` give each step the large batch's learning rate.

    Args:
        optimizer: The optimizer; from a recipe, its config.
        accumulative_counts: K, batches whose gradients are summed before a step, >= 1.
        clip_grad: MMEngine's clipping options; None for no clipping, as in VideoMAE.
        dtype: "bfloat16" or "float32", what autocast uses on a GPU. A CPU always computes in
            float32.
        nonfinite_loss: "stop" the run when a loss is NaN or infinite, or "skip" the step. Checked
            before the weights change; all ranks do the same.
        max_skips: Steps (not batches) skipped in a row after which "skip" stops as well, >= 1.

    Raises:
        ValueError: Unknown ``dtype`` or ``nonfinite_loss``, ``max_skips`` below 1.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        accumulative_counts: int = 1,
        clip_grad: dict | None = None,
        dtype: str = "bfloat16",
        nonfinite_loss: str = "stop",
        max_skips: int = 20,
    ) -> None:
        super().__init__(optimizer, accumulative_counts, clip_grad)
        if dtype not in DTYPES:
            raise ValueError(
                f"dtype {dtype!r} is unknown; optim_wrapper.dtype is one of {', '.join(DTYPES)} "
                "(float16 needs loss scaling: use MMEngine's AmpOptimWrapper)"
            )
        if nonfinite_loss not in REACTIONS:
            raise ValueError(
                f"nonfinite_loss {nonfinite_loss!r} is unknown; optim_wrapper.nonfinite_loss is "
                f"one of {', '.join(REACTIONS)}"
            )
        if max_skips < 1:
            raise ValueError(f"max_skips {max_skips} must be >= 1; mend optim_wrapper.max_skips")
        self.dtype = getattr(torch, dtype)
        self.nonfinite_loss = nonfinite_loss
        self.max_skips = max_skips
        self.sample_names: Sequence[str] = ()
        """Names of the samples in the current batch, kept up to date by ``SampleNamesHook``."""
        self.epoch_length: int | None = None
        """Batches of an epoch, set by ``AccumulationHook``; None for a run without epochs."""
        self.drop_incomplete = False
        """Whether an epoch's last step is passed over if it lacks batches; set likewise."""
        self._epoch_start = 0
        self._resumed_at = 0
        self._skips = 0
        self._broken = False

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """MMEngine's context, with autocast where there is a GPU."""
        on_gpu = torch.cuda.is_available()
        enabled = on_gpu and self.dtype is not torch.float32
        with super().optim_context(model), torch.autocast("cuda", self.dtype, enabled=enabled):
            yield

    def initialize_count_status(self, model: nn.Module, init_counts: int, max_counts: int) -> None:
        """Start counting, in a resumed run from where it was.

        Args:
            model: The model, which is looked through for batch norm.
            init_counts: Batches done before.
            max_counts: Batches of the whole run.
        """
        # MMEngine's warning of lost gradients takes a run that goes on with an epoch for broken;
        # AccumulationHook warns where they are.
        super().initialize_count_status(model, 0, max_counts)
        self._inner_count = self._resumed_at = init_counts

    def start_epoch(self) -> None:
        """Let an accumulation begin with the coming batch."""
        self._epoch_start = self._inner_count
        self._broken = False

    @property
    def windows(self) -> Windows:
        """Which batches make a step together."""
        length = self._max_counts if self.epoch_length is None else self.epoch_length
        known = length if length > 0 else None  # not without a runner
        return Windows(self._accumulative_counts, known, self.drop_incomplete)

    def _window(self, number: int) -> Window:
        """Look up the step that batch ``number`` of the run belongs to."""
        if self.epoch_length is None:
            return self.windows.at(number, self._resumed_at)
        return self.windows.at(number - self._epoch_start)

    def should_update(self) -> bool:
        """Whether the batch that was just counted completes a step."""
        return self._inner_count == 0 or self._window(self._inner_count - 1).last

    def should_sync(self) -> bool:
        """Whether the coming batch completes a step, so that ranks must exchange gradients."""
        return self._window(self._inner_count).last

    def scale_loss(self, loss: torch.Tensor) -> torch.Tensor:
        """Divide the loss by the number of batches in its step."""
        return loss / self._window(self._inner_count).size

    def update_params(
        self,
        loss: torch.Tensor,
        step_kwargs: dict | None = None,
        zero_kwargs: dict | None = None,
    ) -> None:
        """Step, unless the loss of any rank is NaN or infinite.

        Args:
            loss: Scalar loss of this rank.
            step_kwargs: Handed to ``optimizer.step``.
            zero_kwargs: Handed to ``optimizer.zero_grad``.

        Raises:
            NonFiniteLossError: The loss is not finite, and the reaction is to stop.
        """
        if self._window(self._inner_count).dropped:
            self._pass_over(zero_kwargs)
            return
        finite = torch.isfinite(loss.detach()).all().to(torch.float32)
        if get_world_size() > 1:
            all_reduce(finite, "sum")
            finite /= get_world_size()
        # A GPU waits here for the loss. Being sure that no broken step is taken is worth it.
        if finite.item() == 1:
            if self._broken:
                self._pass_over(zero_kwargs)
                self._broken = not self.should_update()
            else:
                super().update_params(loss, step_kwargs, zero_kwargs)
                if self.should_update():
                    self._skips = 0
            return
        # However many of its batches are broken, one step is skipped.
        self._skips += not self._broken
        message = self._describe(loss)
        if self.nonfinite_loss == "stop":
            raise NonFiniteLossError(
                f"{message}. Look at these samples, lower the learning rate or set "
                "optim_wrapper.clip_grad=dict(max_norm=1.0); optim_wrapper.nonfinite_loss='skip' "
                "goes on without such steps"
            )
        if self._skips >= self.max_skips:
            raise NonFiniteLossError(
                f"{message}, the step number {self._skips} in a row: the model is broken. Resume "
                "from an earlier checkpoint with a lower learning rate; optim_wrapper.max_skips "
                "sets how many are borne"
            )
        print_log(f"{message}: step skipped", logger="current", level=logging.WARNING)
        # The other batches of this accumulation go too: a step from part of them would be a weaker
        # one, and ranks that did not synchronise yet would part ways.
        self._pass_over(zero_kwargs)
        self._broken = not self.should_update()

    def _pass_over(self, zero_kwargs: dict | None) -> None:
        """Count a batch without using it; the next accumulation starts clean."""
        self.zero_grad(**(zero_kwargs or {}))
        self._inner_count += 1

    def _describe(self, loss: torch.Tensor) -> str:
        iteration = self.message_hub.get_info("iter", "unknown")
        names = ", ".join(self.sample_names) or "unknown (custom_hooks lacks SampleNamesHook)"
        whose = "" if get_world_size() == 1 else " (of another rank where this one is finite)"
        return f"loss {loss.item()} at iteration {iteration}{whose}; samples here: {names}"
