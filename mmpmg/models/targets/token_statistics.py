"""Normalisation of each token by its own statistics: the "patch norm" of masked autoencoders."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDING = 2.0**-20
"""Deviations up to this share of the mean are none: some roundings of float32 add up to less."""


def _without_rounding(spread: Tensor, mean: Tensor) -> Tensor:
    """Make a deviation infinite that is rounding, in place: what is divided by it is exactly 0.

    A token of one value but for its rounding would be amplified to noise of size 1. Where the
    deviation is that small the mean is as good as the greatest value, and no pass is needed.

    Args:
        spread: (B, K, 1, C) standard deviations.
        mean: (B, K, 1, C).

    Returns:
        ``spread``.
    """
    return spread.masked_fill_(spread < mean.abs().mul_(ROUNDING), torch.inf)


def normalize_tokens(tokens: Tensor, eps: float) -> Tensor:
    """Make it ``(x - mean) / (sqrt(var) + eps)``, per token and channel, in place.

    Where all values are one but for rounding, it is 0.

    Args:
        tokens: (B, K, P, C): P values of C channels in each token; P >= 2.
        eps: Added to the standard deviation (of the unbiased variance), > 0.

    Returns:
        ``tokens``.
    """
    # In place, since each pass over fresh memory costs as much as a small matrix product.
    mean = tokens.mean(dim=2, keepdim=True)
    tokens = tokens.sub_(mean)
    spread = torch.linalg.vector_norm(tokens, dim=2, keepdim=True)
    spread = _without_rounding(spread.div_((tokens.shape[2] - 1) ** 0.5), mean)
    return tokens.div_(spread.add_(eps))


def normalize_known(tokens: Tensor, eps: float) -> Tensor:
    """Do as `normalize_tokens` does with what is known of each token; NaN is not, and stays.

    A single known value becomes 0.

    Args:
        tokens: (B, K, P, C).
        eps: Added to the standard deviation, > 0.

    Returns:
        ``tokens``.
    """
    count = tokens.isnan().logical_not_().sum(dim=2, keepdim=True)
    mean = tokens.nanmean(dim=2, keepdim=True)
    tokens = tokens.sub_(mean)
    spread = torch.linalg.vector_norm(tokens.nan_to_num(nan=0.0), dim=2, keepdim=True)
    spread = _without_rounding(spread.div_((count - 1).clamp_(min=1).sqrt()), mean)
    return tokens.div_(spread.add_(eps))
