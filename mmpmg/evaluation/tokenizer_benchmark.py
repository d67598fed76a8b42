"""The tokenizer's share of a DEMVM step, and what searching for masked tokens alone saves of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from mmpmg.evaluation.arithmetic import count_flops
from mmpmg.evaluation.progress import Say, silent
from mmpmg.evaluation.step_models import training_step
from mmpmg.evaluation.timing import (
    Side,
    Timings,
    alternate,
    device_clock,
    limited_threads,
    markdown_table,
    notes,
    spread,
)
from mmpmg.models.maskers import RandomMasker
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokenizers import shrink

CONFIGS = Path(__file__).parents[2] / "configs" / "demvm"
SHARES = (0.15, 0.72)
"""Of masked tokens: early in the paper's run of 10 epochs, and the end of its schedule of 100."""
WARMUP = 1
HEAD = ["step", "masked, %", "step, ms", "target, ms", "share (min to max)", "features, ms",
        "search, masked, ms", "search, all, ms", "saved of the target (min to max)"]  # fmt: skip
COUNT_HEAD = ["step", "masked, %", "step, G", "target, G", "share", "features, G",
              "search, masked, G", "search, all, G", "saved of the target"]  # fmt: skip


class DemvmStep(NamedTuple):
    """A recipe's model and a batch; the clips are as large as the model is built for."""

    recipe: str
    """File of ``configs/demvm`` with one branch named "token", without ``.py``."""
    name: str
    batch: int


TOY = DemvmStep("swin-toy_photographs", "toy Swin, small tokenizer", 8)
SWIN_T = DemvmStep("swin-t_ucf101", "Swin-T, full tokenizer", 1)
STEPS = {"cpu": (TOY, SWIN_T), "cuda": (TOY, SWIN_T._replace(batch=6))}
"""Device -> steps; 6 clips are the authors' batch on each GPU."""


def build_demvm(recipe: str) -> Any:
    """Build a recipe's model without files: random weights, and codes that mean nothing.

    Masks are drawn at random, so that their share is exact: what is timed depends on nothing else.

    Args:
        recipe: See `DemvmStep`.
    """
    model = Config.fromfile(CONFIGS / f"{recipe}.py").model
    model.masker = dict(type="RandomMasker")
    model.backbone.init_cfg = None
    model.branches.token.head.target.update(checkpoint=None, random=True)
    return MODELS.build(model)


class TokenizerSides:
    """A DEMVM step, its target, and the target's parts.

    Args:
        step: Recipe and batch.
        device: "cpu" or "cuda".
        dtype: Of the step: float32, or bfloat16 for autocast. The tokenizer has its own.
    """

    def __init__(self, step: DemvmStep, device: str, dtype: torch.dtype) -> None:
        torch.manual_seed(0)
        self.model = build_demvm(step.recipe).to(device).train()
        self.target = self.model.heads["token"].target
        self.target.tokenizer.to(device)
        self.grid = self.model.backbone.grid
        sides = zip(self.grid, self.model.backbone.token_shape, strict=True)
        frames, height, width = (count * side for count, side in sides)
        self.name = f"{step.name}, {frames} x {height}², batch {step.batch}"
        clips = torch.randn(step.batch, 3, frames, height, width)
        self.inputs = clips.unsqueeze(1).to(device)
        self.samples = []
        for seed in range(step.batch):
            self.samples.append(ActionDataSample())
            self.samples[-1].set_metainfo(dict(sample_seed=seed))
        self.clip = WholeClip(self.model.pixels(self.inputs[:, 0]))
        self.found = self.features()
        self.step = training_step(self.model, self.loss, device, dtype)

    def loss(self) -> Tensor:
        """Return the loss of the batch, whose masks the model draws anew from the same seeds."""
        loss: Tensor = self.model(self.inputs, self.samples, mode="loss")["loss_token"]
        return loss

    @torch.no_grad()
    def features(self) -> Tensor:
        """Encode the clips in the target's precision: (B, C, t, h, w)."""
        pixels, dtype = self.clip.pixels, self.target.dtype
        enabled = pixels.is_cuda and dtype is not torch.float32
        with torch.autocast(pixels.device.type, dtype if enabled else None, enabled=enabled):
            found: Tensor = self.target.tokenizer.features(shrink(pixels, self.target.scale))
        return found

    @torch.no_grad()
    def search(self, mask: Tensor) -> Tensor:
        """Find the codes of the tokens in a mask (B, N) from features that are there: (M,)."""
        wanted = self.found.flatten(2).transpose(1, 2)[mask]
        tokenizer = self.target.tokenizer
        codes: Tensor = tokenizer.codebook.nearest(tokenizer.code_vectors(wanted))
        return codes

    def masks(self, share: float) -> tuple[Tensor, Tensor]:
        """Set the share of masked tokens: the mask (B, N) of each step, and one of all tokens."""
        self.model.masker = RandomMasker(share)
        mask = self.model.draw(self.inputs[:, 0], self.samples).mask
        return mask, torch.ones_like(mask)

    def sides(self, share: float) -> dict[str, Side]:
        """Return what is timed at a share of masked tokens.

        Args:
            share: In (0, 1).

        Returns:
            "step" and, which is a part of it, "target"; and the target's parts "features" and
            "masked", the search; and "all", the search if it were made for all tokens.
        """
        mask, everything = self.masks(share)
        return {
            "step": self.step,
            "target": lambda _: self.target(self.clip, mask),
            "features": lambda _: self.features(),
            "masked": lambda _: self.search(mask),
            "all": lambda _: self.search(everything),
        }

    def counts(self, share: float) -> dict[str, int]:
        """Count the additions and multiplications of the same sides at a share in (0, 1)."""
        sides = self.sides(share)
        found = {"step": count_flops(self.loss)}
        for name in ("target", "features", "masked", "all"):
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                sides[name](0)
            found[name] = int(counter.get_total_flops())
        return found


def saved(features: float, masked: float, everything: float) -> float:
    """Return what part of a target that searched for all tokens is saved, in percent."""
    return 100 * (everything - masked) / (features + everything)


def _time_row(times: Timings) -> tuple[list[str], list[Any]]:
    """Cells after the first two, and the spreads that tell how quiet the machine was."""
    shares = [100 * a / b for a, b in zip(times["target"], times["step"], strict=True)]
    parts = zip(times["features"], times["masked"], times["all"], strict=True)
    share, less = spread(shares), spread([saved(*part) for part in parts])
    medians = {name: f"{1000 * spread(values).median:.1f}" for name, values in times.items()}
    return [
        medians["step"], medians["target"], share.text(".1f", " %"), medians["features"],
        medians["masked"], medians["all"], less.text(".1f", " %"),
    ], [share, spread(times["step"])]  # fmt: skip


def _count_row(counted: dict[str, int]) -> list[str]:
    sizes = {name: f"{flops / 1e9:.2f}" for name, flops in counted.items()}
    share = f"{100 * counted['target'] / counted['step']:.1f} %"
    less = f"{saved(counted['features'], counted['masked'], counted['all']):.1f} %"
    return [sizes["step"], sizes["target"], share, sizes["features"], sizes["masked"],
            sizes["all"], less]  # fmt: skip


def benchmark_tokenizer(
    device: str,
    threads: int,
    repeats: int,
    dtype: torch.dtype,
    steps: Sequence[DemvmStep] | None = None,
    say: Say = silent,
) -> str:
    """Time and count the tokenizer beside the step that it is a part of: Markdown tables.

    Args:
        device: "cpu" or "cuda".
        threads: CPU threads.
        repeats: Rounds, >= 1.
        dtype: Of the steps.
        steps: Recipes and batches; those of ``STEPS`` by default.
        say: Told what is measured next.
    """
    rows, counted, found = [], [], []
    with limited_threads(threads):
        for step in STEPS[device] if steps is None else steps:
            timed = TokenizerSides(step, device, dtype)
            for share in SHARES:
                say(f"tokenizer, {timed.name}, {100 * share:g} % masked")
                times = alternate(timed.sides(share), repeats, WARMUP, device_clock(device))
                cells, spreads = _time_row(times)
                found += spreads
                first = [timed.name, f"{100 * share:g}"]
                rows.append(first + cells)
                counted.append(first + _count_row(timed.counts(share)))
    if device == "cpu":
        rows.append(["any, on a GPU", *["not run yet"] * (len(HEAD) - 1)])
    title = f"Tokenizing on {device}, {threads} CPU threads, {str(dtype)[6:]}, {repeats} rounds"
    return (
        f"### {title}\n\nShare of the step (forward, backward, AdamW), of which the target is a "
        "part; what is saved is the search for tokens that are not masked.\n\n"
        f"{markdown_table(HEAD, rows)}{notes(found)}\n\n"
        "### The same in additions and multiplications\n\nOf matrix products, convolutions and "
        f"attention, in thousand millions; no machine's load changes them.\n\n"
        f"{markdown_table(COUNT_HEAD, counted)}"
    )
