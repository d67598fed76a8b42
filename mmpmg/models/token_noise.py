"""Random numbers on the device that depend on the sample's seed and on nothing else."""

from __future__ import annotations

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB


def _signed(value: int) -> int:
    """The int64 with the bits of an unsigned 64-bit number."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical right shift: torch's ``>>`` would drag the sign bit along."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _mix(x: Tensor) -> Tensor:
    """The finaliser of splitmix64 (Steele, Lea and Flood, 2014), on int64 that wrap around."""
    x = (x ^ _shift_right(x, 30)) * _signed(_MIX_1)
    x = (x ^ _shift_right(x, 27)) * _signed(_MIX_2)
    return x ^ _shift_right(x, 31)


def token_noise(seeds: Tensor, num_tokens: int, stream: int = 0) -> Tensor:
    """One random 64-bit number for each token of each sample.

    A generator object would depend on which samples share a batch, on the number of ranks and on
    how often the run was resumed. A counter hashed with the sample's seed does not, it needs no
    state in the checkpoint, and it runs on every device with the same bits.

    Args:
        seeds: (B,) int64, the samples' seeds.
        num_tokens: n, numbers wanted per sample.
        stream: Which independent sequence; parts that draw from the same seeds use different ones.

    Returns:
        (B, n) int64, uniform over the full range. Sort them for a permutation.
    """
    counter = torch.arange(1, num_tokens + 1, device=seeds.device, dtype=torch.int64)
    key = _mix(seeds + _signed(_GOLDEN * (2 * stream + 1)))
    return _mix(key.unsqueeze(1) + counter.unsqueeze(0) * _signed(_GOLDEN))
