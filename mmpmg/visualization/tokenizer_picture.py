"""Clips beside what a tokenizer makes of their codes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dataset import pseudo_collate

from mmpmg.models.tokenizers.shrinking import shrink
from mmpmg.models.tokenizers.vqvae import VQVAE

from .contact_sheet import spread_frames, tile
from .labels import Picture
from .model_pictures import clip_label, evaluating, grey_levels
from .training_samples import TrainingSample


def tokenizer_picture(
    model: VQVAE,
    samples: Sequence[TrainingSample],
    columns: int = 8,
    title: str = "",
    cell_height: int = 112,
) -> Picture:
    """Draw clips, at the size that the tokenizer sees them, above what it decodes of their codes.

    Args:
        model: The tokenizer; it is left as it was.
        samples: The first view of each is drawn.
        columns: Frames shown, at least 1.
        title: First line, above what the picture says of itself.
        cell_height: Height of a frame in the picture, in pixels.

    Returns:
        (H, W, 3) uint8. Labels have the PSNR of each clip, over all its frames, and the title how
        many of the codes these clips use.
    """
    with evaluating(model):
        batch = pseudo_collate([dict(sample.packed) for sample in samples])
        batch["inputs"] = [views[:1] for views in batch["inputs"]]
        inputs = model.data_preprocessor(batch, False)["inputs"].flatten(0, 1)
        clips = shrink(inputs / 255, model.scale)
        codes = model.encode(clips)
        decoded = model.decode(codes)
    errors = (decoded - clips).square().flatten(1).mean(1)
    psnr = (-10 * errors.clamp_min(1e-10).log10()).tolist()
    rows: list[list[Picture]] = []
    labels: list[str] = []
    chosen = spread_frames(clips.shape[2], columns)
    both = zip(grey_levels(clips), grey_levels(decoded), strict=True)
    for i, (true, drawn) in enumerate(both):
        used = len(codes[i].unique())
        labels += [clip_label(samples[i]), f"decoded\n{psnr[i]:.1f} dB PSNR\n{used} codes"]
        rows += [[true[k] for k in chosen], [drawn[k] for k in chosen]]
    used = len(codes.unique())
    share = torch.bincount(codes.flatten()).float() / codes.numel()
    perplexity = float(torch.special.entr(share).sum().exp())
    told = (
        f"{codes.numel()} codes of {len(rows) // 2} clips of {clips.shape[3]} x {clips.shape[4]} "
        f"pixels: {used} of {model.num_codes} are used ({used / model.num_codes:.0%}), perplexity "
        f"{perplexity:.0f}. A code stands for "
        f"{' x '.join(map(str, model.downsample))} pixels."
    )
    return tile(
        rows,
        row_labels=labels,
        column_labels=[f"frame {k}" for k in chosen],
        title=f"{title}\n{told}".strip(),
        cell_height=cell_height,
        spaced=range(0, len(rows), 2),
    )
