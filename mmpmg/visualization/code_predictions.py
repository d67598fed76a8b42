"""From a head that predicts codes to what its tokenizer draws of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mmpmg.models.heads import MaskedClassificationHead
from mmpmg.models.targets.whole_clip import WholeClip

from .code_reconstruction import CodeReconstruction
from .labels import Picture
from .model_pictures import grey_levels


def draw_codes(
    head: MaskedClassificationHead,
    whole: WholeClip,
    mask: Tensor,
    logits: Tensor,
    clips: Sequence[Picture],
    names: Sequence[str],
) -> list[CodeReconstruction]:
    """Decode true and predicted codes of a batch.

    Args:
        head: Its target's tokenizer draws.
        whole: The unmasked clips.
        mask: (B, N) bool, True = masked.
        logits: (..., num_codes) of the M masked tokens: sample after sample, tokens ascending.
        clips: The same clips as (T, H, W, 3) uint8.
        names: Of the clips.

    Returns:
        One for each clip.
    """
    target, counts = head.target, mask.sum(1).tolist()
    codes = target(whole, torch.ones_like(mask)).reshape(mask.shape)
    logits = logits.flatten(0, -2).float()
    guessed, wanted = logits.argmax(1), codes[mask]
    losses = F.cross_entropy(
        logits, wanted, reduction="none", label_smoothing=head.label_smoothing
    ).split(counts)
    # Every code the same probability: the logarithm of their number, smoothed labels or not.
    alike = math.log(target.num_codes)
    # What anybody can reach who counts codes: the entropy of the clips' own frequencies.
    shares = wanted.bincount().double() / max(len(wanted), 1)
    entropy = float(torch.special.entr(shares).sum())
    size = whole.pixels.shape[2:]
    grid = tuple(n // side for n, side in zip(size, head.token_shape, strict=True))
    filled = codes.clone()
    filled[mask] = guessed
    common = [
        own[~hidden].bincount(minlength=1).argmax() for own, hidden in zip(codes, mask, strict=True)
    ]
    blind = torch.where(mask, torch.stack(common).unsqueeze(1), codes)
    decoded = [
        grey_levels(target.tokenizer.decode(c.reshape(-1, *grid))) for c in (codes, blind, filled)
    ]
    right = (guessed == wanted).float().split(counts)
    return [
        CodeReconstruction(
            clip=clip,
            mask=mask[i].cpu().numpy(),
            prediction=guessed.split(counts)[i].cpu().numpy().astype(np.float32)[:, None],
            token_shape=head.token_shape,
            normalized=False,
            loss=float(losses[i].mean()),
            flat_loss=alike,
            name=names[i],
            token_loss=losses[i].cpu().numpy(),
            measure=f"cross-entropy over {target.num_codes} codes",
            true=decoded[0][i],
            blind=decoded[1][i],
            decoded=decoded[2][i],
            right=float(right[i].mean()),
            frequencies_loss=entropy,
            commonest=float(shares.max()),
        )
        for i, clip in enumerate(clips)
    ]
