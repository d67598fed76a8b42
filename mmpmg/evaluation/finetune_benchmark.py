"""How fast fine-tuning is on our encoder, beside MMAction2's with the same weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from torch import Tensor, nn

from mmpmg.evaluation.step_models import StepSize
from mmpmg.evaluation.timing import (
    Spread,
    alternate,
    device_clock,
    limited_threads,
    markdown_table,
    notes,
    ratios,
    spread,
)
from mmpmg.models.backbones.masked_vit import ARCHITECTURES, MaskedVisionTransformer

HEAD = ["forward + backward", "precision", "ours, s", "MMAction2, s", "ratio (min to max)",
        "largest difference"]  # fmt: skip
TOLERANCE = 1e-5


def build_encoders(size: StepSize) -> tuple[MaskedVisionTransformer, VisionTransformer]:
    """Build both encoders for recognition, with the same random weights."""
    width, depth, heads = ARCHITECTURES[size.arch]
    torch.manual_seed(0)
    ours = MaskedVisionTransformer(size.arch, img_size=size.side, num_frames=size.num_frames)
    theirs = VisionTransformer(
        img_size=size.side,
        embed_dims=width,
        depth=depth,
        num_heads=heads,
        qkv_bias=True,
        num_frames=size.num_frames,
        norm_cfg=dict(type="LN", eps=1e-6),
    )
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def benchmark_finetune(sizes: Sequence[StepSize], device: str, threads: int, repeats: int) -> str:
    """Compare forward and backward of a clip's features: a Markdown table.

    Args:
        sizes: Architectures and batches.
        device: "cpu" (float32) or "cuda" (float32 and bfloat16).
        threads: CPU threads of both sides.
        repeats: Rounds.

    Raises:
        RuntimeError: In float32 the outputs differ by more than 1e-5, so there is nothing to
            compare.
    """
    dtypes = [torch.float32] + ([torch.bfloat16] if device == "cuda" else [])
    rows, found = [], []
    with limited_threads(threads):
        for size in sizes:
            encoders = [encoder.to(device).train() for encoder in build_encoders(size)]
            shape = (size.batch, 3, size.num_frames, size.side, size.side)
            clip = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(device)
            for dtype in dtypes:
                cells, ratio = _row(size, encoders, clip, device, dtype, repeats)
                rows.append(cells)
                found.append(ratio)
    if device == "cpu":
        rows.append(["any, on a GPU", "bfloat16", "", "", "not run yet", ""])
    title = f"Fine-tuning on {device}, {threads} CPU threads, {repeats} rounds"
    return f"### {title}\n\n{markdown_table(HEAD, rows)}{notes(found)}"


def _row(
    size: StepSize,
    encoders: Sequence[nn.Module],
    clip: Tensor,
    device: str,
    dtype: torch.dtype,
    repeats: int,
) -> tuple[list[str], Spread]:
    def features(encoder: nn.Module) -> Tensor:
        with torch.autocast(device, dtype, enabled=dtype is not torch.float32):
            return encoder(clip)

    def step(encoder: nn.Module) -> None:
        encoder.zero_grad()
        features(encoder).square().sum().backward()

    with torch.no_grad():
        ours, theirs = (features(encoder).float() for encoder in encoders)
    difference = float((ours - theirs).abs().max())
    if dtype is torch.float32 and difference > TOLERANCE:
        raise RuntimeError(f"{size}: the outputs differ by {difference:.1e}, not the same model")
    sides = {"ours": lambda _: step(encoders[0]), "theirs": lambda _: step(encoders[1])}
    timings = alternate(sides, repeats, warmup=1, clock=device_clock(device))
    seconds = [f"{spread(timings[side]).median:.3f}" for side in sides]
    ratio = ratios(timings, "ours", "theirs")
    return [str(size), str(dtype)[6:], *seconds, str(ratio), f"{difference:.1e}"], ratio
