"""Whether a table of positions is VideoMAE's fixed one, which every library computes itself."""

from __future__ import annotations

import torch
from mmaction.models.backbones.vit_mae import get_sinusoid_encoding
from torch import Tensor


def sinusoid(num_tokens: int, width: int) -> Tensor:
    """Compute the fixed table (1, N, C): pos / 10000^(2 (j // 2) / C), sine on even j, else cosine.

    Args:
        num_tokens: N.
        width: C.
    """
    return get_sinusoid_encoding(num_tokens, width)


def distance_from_fixed(table: Tensor) -> float:
    """Largest difference of a table (1, N, C) from the fixed one."""
    _, tokens, width = table.shape
    return float((table.float() - sinusoid(tokens, width)).abs().max())


def is_fixed(table: Tensor) -> bool:
    """Whether a table (1, N, C) is the fixed one, up to the rounding of its precision.

    Others computed it in float32, where large angles lose four digits; a learnt table is off by
    about 1.
    """
    tolerance = 1e-3 if table.dtype in (torch.float32, torch.float64) else 1e-2
    return distance_from_fixed(table) <= tolerance
