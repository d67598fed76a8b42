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
    clipping acts on the accumulated gradient. An epoch that is no multiple of K ends with a step
    from the batches that are left, as a large batch's last one would; so the next epoch, and a run
    resumed there, starts clean: ``AccumulationHook`` sees to it. (MMEngine carries them over into
    the next epoch, and loses them when a run is resumed.) It is not exact where a batch is looked
    at as a whole: mixing takes its partner from the same batch of the dataloader, so it has fewer
    to choose from; and without ``train_dataloader.drop_last`` a last batch of fewer samples weighs
    as much as the others. The schedules of `update_schedules` give each step the large batch's
    learning rate.

    Args:
        optimizer: The optimizer; from a recipe, its config.
        accumulative_counts: K, batches whose gradients are summed before a step, >= 1.
        clip_grad: MMEngine's clipping options; None for no clipping, as in VideoMAE.
        dtype: "bfloat16" or "float32", what autocast uses on a GPU. A CPU always computes in
            float32.
        nonfinite_loss: "stop" the run when a loss is NaN or infinite, or "skip" the step. Checked
            before the weights change; all ranks do the same.
        max_skips: Steps skipped in a row after which "skip" stops as well, >= 1.

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
        self._skips = 0
        self._broken = False

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """MMEngine's context, with autocast where there is a GPU."""
        on_gpu = torch.cuda.is_available()
        enabled = on_gpu and self.dtype is not torch.float32
        with super().optim_context(model), torch.autocast("cuda", self.dtype, enabled=enabled):
            yield

    def _window(self, number: int) -> tuple[int, bool]:
        """(batches in the step that batch ``number`` belongs to, whether it is their last)."""
        counts = self._accumulative_counts
        length = self._max_counts if self.epoch_length is None else self.epoch_length
        if length <= 0:  # used without a runner
            return counts, number % counts == counts - 1
        place = number % length
        size = min(counts, length - place // counts * counts)
        return size, place % counts == size - 1

    def should_update(self) -> bool:
        """Whether the batch that was just counted completes a step."""
        return self._inner_count == 0 or self._window(self._inner_count - 1)[1]

    def should_sync(self) -> bool:
        """Whether the coming batch completes a step, so that ranks must exchange gradients."""
        return self._window(self._inner_count)[1]

    def scale_loss(self, loss: torch.Tensor) -> torch.Tensor:
        """Divide the loss by the number of batches in its step."""
        return loss / self._window(self._inner_count)[0]

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
        finite = torch.isfinite(loss.detach()).all().to(torch.float32)
        if get_world_size() > 1:
            all_reduce(finite, "sum")
            finite /= get_world_size()
        # A GPU waits here for the loss. Being sure that no broken step is taken is worth it.
        if finite.item() == 1:
            self._skips = 0
            if self._broken:
                self._pass_over(zero_kwargs)
            else:
                super().update_params(loss, step_kwargs, zero_kwargs)
            return
        self._skips += 1
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
        self._broken = True
        self._pass_over(zero_kwargs)

    def _pass_over(self, zero_kwargs: dict | None) -> None:
        """Count a batch without using it; the next accumulation starts clean."""
        self.zero_grad(**(zero_kwargs or {}))
        self._inner_count += 1
        self._broken = not self.should_update()

    def _describe(self, loss: torch.Tensor) -> str:
        iteration = self.message_hub.get_info("iter", "unknown")
        names = ", ".join(self.sample_names) or "unknown (custom_hooks lacks SampleNamesHook)"
        whose = "" if get_world_size() == 1 else " (of another rank where this one is finite)"
        return f"loss {loss.item()} at iteration {iteration}{whose}; samples here: {names}"
