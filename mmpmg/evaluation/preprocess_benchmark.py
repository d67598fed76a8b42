"""How much of a step goes into making the clips on the device: rendering, mixing, normalising."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from torch import Tensor

from mmpmg.evaluation.render_benchmark import noise_image
from mmpmg.evaluation.step_models import DECODERS, StepSize, training_step
from mmpmg.evaluation.timing import (
    alternate,
    device_clock,
    limited_threads,
    markdown_table,
    notes,
    spread,
)
from mmpmg.motion import MotionSampler

RECIPE = Path(__file__).parents[2] / "configs" / "pmg" / "vit-b_shaders1k.py"
HEAD = ["step", "precision", "clips made in, ms", "step, ms", "share (min to max)"]
WARMUP = 1


def build_recipe_model(size: StepSize) -> tuple[Any, MotionSampler]:
    """Build the main recipe's model at another size, and the sampler of its motions."""
    config = Config.fromfile(str(RECIPE))
    width, heads = DECODERS[size.arch]
    neck = dict(embed_dims=width, num_heads=heads)
    config.merge_from_dict(
        dict(
            model=dict(
                backbone=dict(arch=size.arch, img_size=size.side, num_frames=size.num_frames),
                branches=dict(pixel=dict(neck=neck)),
            )
        )
    )
    motion = config.train_dataloader.dataset.pipeline.motion
    return MODELS.build(config.model), MotionSampler(motion.ops)


def deferred_batch(
    size: StepSize, sampler: MotionSampler, seed: int, pinned: bool
) -> dict[str, list[Any]]:
    """Make a batch as it leaves the data workers: an image and a motion for each clip.

    Args:
        size: Of the clips and the batch.
        sampler: Of the motions; none may need a second image.
        seed: Of the motions.
        pinned: Whether the images lie in pinned memory, as the recipe's loader puts them.
    """
    rng = np.random.default_rng(seed)
    image = noise_image((size.side, size.side))
    batch: dict[str, list[Any]] = dict(inputs=[], data_samples=[])
    for number in range(size.batch):
        # [H, W, 3] -> [1, 3, 1, H, W]
        still = torch.from_numpy(np.roll(image, number, 0)).permute(2, 0, 1)[None, :, None]
        batch["inputs"].append(still.pin_memory() if pinned else still)
        sample = ActionDataSample()
        motion = sampler.sample(rng, size.num_frames, (size.side, size.side))
        sample.set_metainfo(dict(sample_seed=seed + number, deferred_motion=motion))
        batch["data_samples"].append(sample)
    return batch


def benchmark_preprocess(
    sizes: Sequence[StepSize], device: str, threads: int, repeats: int, dtype: torch.dtype
) -> str:
    """Time the data preprocessor beside the step it belongs to: a Markdown table.

    Args:
        sizes: Architectures and batches; a batch of one becomes two, or nothing would be mixed.
        device: "cpu" or "cuda".
        threads: CPU threads.
        repeats: Rounds.
        dtype: Of the step; clips are always made in float32.
    """
    rows, found = [], []
    with limited_threads(threads):
        for size in sizes:
            size = size._replace(batch=max(2, size.batch))
            times = _time(size, device, repeats, dtype)
            rounds = zip(times["clips"], times["step"], strict=True)
            found.append(spread([100 * clips / (clips + step) for clips, step in rounds]))
            rows.append(
                [str(size), str(dtype)[6:]]
                + [f"{1000 * spread(times[side]).median:.1f}" for side in ("clips", "step")]
                + [found[-1].text(".1f", " %")]
            )
    if device == "cpu":
        rows.append(["any, on a GPU", "bfloat16", "", "", "not run yet"])
    title = f"Clips made on {device}, {threads} CPU threads, {repeats} rounds"
    note = "Share of the whole: clips, forward, backward, AdamW."
    if any(size.batch < 2 for size in sizes):
        note += " A batch of 1 is measured as one of 2: there would be nothing to mix."
    if device == "cpu":
        note += " On a CPU the recipe leaves the rendering to the data workers, and to OpenCV."
    return f"### {title}\n\n{note}\n\n{markdown_table(HEAD, rows)}{notes(found)}"


def _time(size: StepSize, device: str, repeats: int, dtype: torch.dtype) -> dict[str, list[float]]:
    torch.manual_seed(0)
    model, sampler = build_recipe_model(size)
    model = model.to(device).train()
    pinned = device == "cuda"
    # The preprocessor takes the motions out of the samples, so a batch serves once.
    batches = deque(
        deferred_batch(size, sampler, seed, pinned) for seed in range(repeats + WARMUP + 1)
    )
    data = model.data_preprocessor(batches.popleft(), training=True)

    def loss() -> Tensor:
        return model(**data, mode="loss")["loss_pixel"]

    sides = {
        "clips": lambda _: model.data_preprocessor(batches.popleft(), training=True),
        "step": training_step(model, loss, device, dtype),
    }
    return alternate(sides, repeats, WARMUP, clock=device_clock(device))
