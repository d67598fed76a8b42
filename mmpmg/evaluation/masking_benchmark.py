"""Flow-guided masking: its ratios, how often it falls back, and its share of a training step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor, nn

from mmpmg.evaluation.step_models import StepSize, build_ours, training_step
from mmpmg.evaluation.timing import (
    Side,
    alternate,
    device_clock,
    limited_threads,
    markdown_table,
    notes,
    spread,
)
from mmpmg.models.maskers import (
    FlowGuidedDenseMasker,
    FlowGuidedMasker,
    RandomMasker,
    TubeMasker,
)
from mmpmg.models.maskers.region_ratios import RULES
from mmpmg.models.tokens import Grid
from mmpmg.motion import MotionSampler
from mmpmg.motion.motion_map import motion_map

DENSE, SPARSE = 0.7, 0.3
SCHEDULE = {0: 0.3, 1: 0.35, 5: 0.41, 10: 0.46, 100: 0.8}
"""Epoch of the paper's schedule (Ep = 100) -> P_spa by Eq. 15, rounded."""
AREAS = tuple(range(10, 100, 10))
FAMILIES = ("SlidingWindow", "ZoomInOut", "Affine", "Perspective", "CutMix", "SmoothDisplacement",
            "Layered")  # fmt: skip
THRESHOLDS = (0.5, 1.0, 2.0)
CLIP = (16, 224, 224)
COLUMNS = (("counts", 0), ("counts", 10), ("counts", 100), ("densities", 10))
"""Of the table over motions: rule, and epoch of ``SCHEDULE``."""
WARMUP = 1
TIME_HEAD = ["step", "masker", "draws in, ms", "step, ms", "share (min to max)"]


def ratio_table(rule: str) -> list[list[str]]:
    """Compute P_act and P_bg for moving regions of 10 to 90 % along the paper's schedule.

    Args:
        rule: Of ``RULES``.

    Returns:
        Rows: area, then for each P_spa "P_act / P_bg" in percent, or "random".
    """
    area, rows = torch.tensor(AREAS), []
    columns = [RULES[rule](area, 100, DENSE, SPARSE, spatial) for spatial in SCHEDULE.values()]
    for number, percent in enumerate(AREAS):
        rows.append([f"{percent} %"])
        for found in columns:
            pair = f"{100 * found.moving[number]:.0f} / {100 * found.background[number]:.0f}"
            rows[-1].append("random" if found.random[number] else pair)
    return rows


def denser_rows(clips: int) -> list[list[str]]:
    """Say in how many slots of our own motions what moves is masked more, or less, than the rest.

    Args:
        clips: Of each family, 16 x 224 x 224 each.

    Returns:
        Rows: family, threshold, moving places in percent, then "more / less" in percent of the
        slots: by counts for three P_spa, and by densities.
    """
    rows = []
    for family in FAMILIES:
        sampler, rng = MotionSampler([family]), np.random.default_rng(0)
        drawn = [motion_map(sampler.sample(rng, CLIP[0], CLIP[1:])) for _ in range(clips)]
        maps = torch.from_numpy(np.stack(drawn)).flatten(2)
        for threshold in THRESHOLDS:
            area, places = (maps >= threshold).sum(2), maps.shape[2]
            rows.append(
                [family, f"{threshold:g}", f"{100 * float(area.float().mean()) / places:.0f}"]
            )
            for rule, epoch in COLUMNS:
                found = RULES[rule](area, places, DENSE, SPARSE, SCHEDULE[epoch])
                shares = [
                    100 * float((~found.random & denser).float().mean())
                    for denser in (found.moving > found.background, found.moving < found.background)
                ]
                rows[-1].append(f"{shares[0]:.0f} / {shares[1]:.0f}")
    return rows


class MaskingSides:
    """A step of a ViT with flow-guided masks, or of a Video Swin, and the draws beside it.

    Args:
        size: Of the ViT's step; of the Swin's, clip and batch are taken from it.
        swin: Time MMAction2's Video Swin-T, forward, backward and AdamW, in place of the ViT. It is
            DEMVM's encoder alone, so the share is of less than the whole step.
        device: "cpu" or "cuda".
        dtype: float32, or bfloat16 for autocast.
    """

    def __init__(self, size: StepSize, swin: bool, device: str, dtype: torch.dtype) -> None:
        torch.manual_seed(0)
        self.device, self.dtype = device, dtype
        shape = (size.batch, 3, size.num_frames, size.side, size.side)
        self.clips = torch.randn(shape, device=device)
        self.seeds = torch.arange(size.batch, device=device)
        self.maskers: dict[str, nn.Module]
        if swin:
            self.grid: Grid = (size.num_frames // 2, size.side // 8, size.side // 8)
            self.maskers = dict(
                random=RandomMasker(0.45), dense=FlowGuidedDenseMasker(DENSE, SPARSE, 0.46, 0.49)
            )
            model = MODELS.build(dict(type="SwinTransformer3D", arch="tiny", pretrained2d=False))
            self.name, loss = f"Video Swin-T, {size.num_frames} x {size.side}²", self._swin_loss
        else:
            self.grid = (size.num_frames // 2, size.side // 16, size.side // 16)
            self.maskers = dict(tube=TubeMasker(0.75), guided=FlowGuidedMasker(0.75))
            model, loss = build_ours(size, 0.75), self._vit_loss
            model.masker = self.maskers["guided"]
            self.name = f"ViT {size.arch}, {size.num_frames} x {size.side}²"
        self.name += f", batch {size.batch}"
        self.samples = guided_samples(size.batch, self.grid, device)
        self.model: Any = model.to(device)
        self.model.train()  # which of a Swin returns nothing
        self.step = training_step(self.model, loss, device, dtype)

    def sides(self) -> dict[str, Side]:
        """Return what is timed: the step, and each masker's draws for its batch."""

        def draw(masker: nn.Module, _: int) -> None:
            masker(self.seeds, self.grid, self.samples)

        draws = {name: partial(draw, masker) for name, masker in self.maskers.items()}
        return {"step": self.step, **draws}

    def _swin_loss(self) -> Tensor:
        features: Tensor = self.model(self.clips)
        return features.float().square().mean()

    def _vit_loss(self) -> Tensor:
        losses = self.model(self.clips.unsqueeze(1), self.samples, mode="loss")
        loss: Tensor = losses["loss_pixel"]
        return loss


def guided_samples(batch: int, grid: Grid, device: str) -> list[ActionDataSample]:
    """Make samples with seeds and motion maps on the device; 40 % of the cells move."""
    generator, samples = torch.Generator().manual_seed(0), []
    for seed in range(batch):
        samples.append(ActionDataSample())
        samples[-1].set_metainfo(dict(sample_seed=seed))
        samples[-1].motion_map = (torch.rand(grid, generator=generator) < 0.4).half().to(device)
    return samples


def benchmark_masking(
    sizes: Sequence[StepSize],
    device: str,
    threads: int,
    repeats: int,
    dtype: torch.dtype,
    clips: int = 50,
) -> str:
    """Print the ratios, the fall-backs, and what masking costs: Markdown tables.

    Args:
        sizes: Steps; the last is also that of the Swin.
        device: "cpu" or "cuda", of the steps.
        threads: CPU threads of the steps.
        repeats: Rounds.
        dtype: Of the steps.
        clips: Of each family of motion.
    """
    text = []
    epochs = [f"epoch {epoch}: P_spa {spatial:g}" for epoch, spatial in SCHEDULE.items()]
    for rule in RULES:
        table = markdown_table(["moving", *epochs], ratio_table(rule))
        text.append(
            f'### Masked of the moving region / of the rest, %: ratios="{rule}", P_den {DENSE:g}, '
            f"P_spr {SPARSE:g}\n\n{table}"
        )
    head = ["motion", "threshold, px a frame", "moving, %"]
    head += [f"{rule} at {SCHEDULE[epoch]:g}" for rule, epoch in COLUMNS]
    text.append(
        f"### Slots in which what moves is masked more / less than the rest, %: {clips} clips of "
        f"{CLIP[0]} x {CLIP[1]}² a family\n\nThe others are masked at random.\n\n"
        f"{markdown_table(head, denser_rows(clips))}"
    )
    rows, found = [], []
    with limited_threads(threads):
        for size, swin in [*((size, False) for size in sizes), (sizes[-1], True)]:
            timed = MaskingSides(size, swin, device, dtype)
            times = alternate(timed.sides(), repeats, WARMUP, device_clock(device))
            for name, masker in timed.maskers.items():
                found.append(
                    spread([100 * a / b for a, b in zip(times[name], times["step"], strict=True)])
                )
                rows.append(
                    [timed.name, type(masker).__name__]
                    + [f"{1000 * spread(times[side]).median:.2f}" for side in (name, "step")]
                    + [found[-1].text(".2f", " %")]
                )
    title = f"Masking on {device}, {threads} CPU threads, {str(dtype)[6:]}, {repeats} rounds"
    text.append(f"### {title}\n\n{markdown_table(TIME_HEAD, rows)}{notes(found)}")
    return "\n\n".join(text)
