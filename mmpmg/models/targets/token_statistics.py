"""Normalisation of each token by its own statistics: the "patch norm" of masked autoencoders."""

from __future__ import annotations

import torch
from torch import Tensor


def normalize_tokens(tokens: Tensor, eps: float) -> Tensor:
    """Make it ``(x - mean) / (sqrt(var) + eps)``, per token and channel, in place.

    Args:
        tokens: (B, K, P, C): P values of C channels in each token; P >= 2.
        eps: Added to the standard deviation (of the unbiased variance), > 0.

    Returns:
        ``tokens``.
    """
    # In place, since each pass over fresh memory costs as much as a small matrix product.
    tokens = tokens.sub_(tokens.mean(dim=2, keepdim=True))
    spread = torch.linalg.vector_norm(tokens, dim=2, keepdim=True)
    return tokens.div_(spread.div_((tokens.shape[2] - 1) ** 0.5).add_(eps))


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
    tokens = tokens.sub_(tokens.nanmean(dim=2, keepdim=True))
    spread = torch.linalg.vector_norm(tokens.nan_to_num(nan=0.0), dim=2, keepdim=True)
    return tokens.div_(spread.div_((count - 1).clamp_(min=1).sqrt()).add_(eps))
