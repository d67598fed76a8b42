"""Whether a table of positions is VideoMAE's fixed one, which every library computes itself."""

from __future__ import annotations

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

    Others computed it in float32, where large angles lose four digits, or kept it in bfloat16
    before, which rounds by up to 4e-3; a learnt table is off by about 1.
    """
    return distance_from_fixed(table) <= 1e-2
