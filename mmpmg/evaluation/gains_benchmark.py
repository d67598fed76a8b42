"""What each optimisation of the step brings: undone one by one, on the same weights."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from mmaction.registry import MODELS
from torch import Tensor

from mmpmg.engine import FusedAdamW
from mmpmg.evaluation.step_models import StepSize, build_ours, make_inputs
from mmpmg.evaluation.timing import (
    Side,
    alternate,
    device_clock,
    limited_threads,
    markdown_table,
    notes,
    ratios,
    spread,
)
from mmpmg.evaluation.undone_gains import UNDONE, Undoing

HEAD = ["optimisation", "s a step with all", "s without it", "gain (min to max)", "difference"]
OURS = "all of them"
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "AdamW in one kernel, not one for each operation": dict(foreach=True),
    "AdamW in one kernel, not weight by weight": dict(foreach=False),
}
DECODER_MASK = "not in VideoMAE: decoder masking (half the masked tokens)"
WARMUP = 1


class Gains:
    """A model and its batch, stepped with this or that undone.

    The learning rate is 0: the arithmetic of a step, and weights that stay as they are, so that
    every step has the same loss.

    Args:
        size: Architecture and batch.
        mask_ratio: In (0, 1).
        device: "cpu" or "cuda".
        dtype: float32, or bfloat16 for autocast.
    """

    def __init__(self, size: StepSize, mask_ratio: float, device: str, dtype: torch.dtype) -> None:
        torch.manual_seed(0)
        self.device, self.dtype = device, dtype
        self.model = build_ours(size, mask_ratio).to(device).train()
        self.inputs = make_inputs(self.model, size, device)
        self.optimizer = FusedAdamW(self.model.parameters(), lr=0.0)

    def loss(self) -> Tensor:
        """Compute the loss."""
        with torch.autocast(self.device, self.dtype, enabled=self.dtype is not torch.float32):
            return self.model(self.inputs.ours, self.inputs.samples, mode="loss")["loss_pixel"]

    def step(
        self, undone: Undoing | None = None, optimizer: torch.optim.Optimizer | None = None
    ) -> Side:
        """Make a step to be timed.

        Args:
            undone: What to undo in the model.
            optimizer: In place of the fused one.
        """

        def run(_: int) -> None:
            with self._undone(undone):
                self.model.zero_grad()
                self.loss().backward()
            (optimizer or self.optimizer).step()

        return run

    def difference(self, undone: Undoing) -> float:
        """Relative difference that undoing makes to the loss."""
        with torch.no_grad():
            ours = float(self.loss())
            with self._undone(undone):
                return abs(float(self.loss()) - ours) / ours

    def optimizer_difference(self, **options: Any) -> float:
        """Largest difference of a weight after a step, in learning rates."""
        self.step()(0)
        rate, results = 1e-3, []
        for make in (FusedAdamW, lambda p, lr: torch.optim.AdamW(p, lr=lr, **options)):
            copies = []
            for weight in self.model.parameters():
                if weight.requires_grad:
                    copies.append(weight.detach().clone())
                    copies[-1].grad = weight.grad
            make(copies, lr=rate).step()
            results.append(copies)
        return max(float((a - b).abs().max()) for a, b in zip(*results, strict=True)) / rate

    def _undone(self, undone: Undoing | None) -> AbstractContextManager[None]:
        return nullcontext() if undone is None else undone(self.model)


def masked_decoder_step(gains: Gains) -> Side:
    """Make the step of the model with a masked decoder, which is another method: another loss."""
    masker = MODELS.build(dict(type="RunningCellMasker", mask_ratio=0.5))

    def run(number: int) -> None:
        gains.model.decoder_masker = masker
        try:
            gains.step()(number)
        finally:
            gains.model.decoder_masker = None

    return run


def benchmark_gains(
    sizes: Sequence[StepSize],
    mask_ratio: float,
    device: str,
    threads: int,
    repeats: int,
    dtype: torch.dtype,
) -> str:
    """Undo each optimisation of the step and say what it brought: a Markdown table for each size.

    Args:
        sizes: Architectures and batches.
        mask_ratio: In (0, 1).
        device: "cpu" or "cuda".
        threads: CPU threads.
        repeats: Rounds.
        dtype: float32, or bfloat16 for autocast.
    """
    return "\n\n".join(_table(size, mask_ratio, device, threads, repeats, dtype) for size in sizes)


def _table(
    size: StepSize, mask_ratio: float, device: str, threads: int, repeats: int, dtype: torch.dtype
) -> str:
    with limited_threads(threads):
        gains = Gains(size, mask_ratio, device, dtype)
        weights = list(gains.model.parameters())
        sides: dict[str, Side] = {OURS: gains.step()}
        differences: dict[str, str] = {}
        for name, undone in UNDONE.items():
            sides[name] = gains.step(undone)
            differences[name] = f"loss {gains.difference(undone):.0e}"
        for name, options in OPTIMIZERS.items():
            plain = torch.optim.AdamW(weights, lr=0.0, fused=False, **options)
            sides[name] = gains.step(optimizer=plain)
            differences[name] = f"weights {gains.optimizer_difference(**options):.0e} lr"
        sides[DECODER_MASK] = masked_decoder_step(gains)
        differences[DECODER_MASK] = "another loss"
        times = alternate(sides, repeats, WARMUP, device_clock(device))
    seconds = {name: f"{spread(values).median:.3f}" for name, values in times.items()}
    rows, found = [], []
    for name in list(sides)[1:]:
        # Decoder masking is added, not undone: its gain is the other way round.
        with_it, without = (name, OURS) if name == DECODER_MASK else (OURS, name)
        found.append(ratios(times, with_it, without))
        rows.append([name, seconds[with_it], seconds[without], str(found[-1]), differences[name]])
    title = f"Gains: {size}, mask {mask_ratio:g}, {str(dtype)[6:]}, {device}, {repeats} rounds"
    return f"### {title}\n\n{markdown_table(HEAD, rows)}{notes(found)}"
