"""Residual blocks of convolution and attention along one axis at a time."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.tokenizers.same_padding import SamePadConv3d

AXES = {"w": 3, "h": 2, "t": 1}
"""Where an axis stands in (B, t, h, w, C)."""


class AxisAttention(nn.Module):
    """Multi-head self-attention along one axis of a map, all other places apart.

    Keys of the state are VideoGPT's (``w_qs``, ``w_ks``, ``w_vs``, ``fc``).

    Args:
        channels: C, a multiple of ``num_heads``.
        num_heads: Attention heads.
        axis: "t", "h" or "w".
    """

    def __init__(self, channels: int, num_heads: int, axis: str) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.axis = AXES[axis]
        self.w_qs = nn.Linear(channels, channels, bias=False)
        self.w_ks = nn.Linear(channels, channels, bias=False)
        self.w_vs = nn.Linear(channels, channels, bias=False)
        self.fc = nn.Linear(channels, channels)
        for layer in (self.w_qs, self.w_ks, self.w_vs, self.fc):
            nn.init.normal_(layer.weight, std=channels**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """Attend: (B, t, h, w, C) -> the same shape."""
        lines = x.movedim(self.axis, 3)  # [B, ., ., L, C]

        def heads(y: Tensor) -> Tensor:
            # [B, ., ., L, C] -> [lines, heads, L, C / heads]
            return y.flatten(0, 2).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

        mixed = F.scaled_dot_product_attention(
            heads(self.w_qs(lines)), heads(self.w_ks(lines)), heads(self.w_vs(lines))
        )
        mixed = mixed.transpose(1, 2).flatten(2).unflatten(0, lines.shape[:3])
        return self.fc(mixed).movedim(3, self.axis)


class AxialBlock(nn.Module):
    """Sum of attentions along each axis (VideoGPT, Fig. 2; no position embedding).

    Args:
        channels: C.
        num_heads: Attention heads of each.
        axes: Which axes: "wht" for clips, "wh" for lone frames.
    """

    def __init__(self, channels: int, num_heads: int, axes: str) -> None:
        super().__init__()
        self.axes = axes
        for axis in axes:
            self.add_module(f"attn_{axis}", AxisAttention(channels, num_heads, axis))

    def forward(self, x: Tensor) -> Tensor:
        """Attend: (B, C, t, h, w) -> the same shape."""
        x = x.movedim(1, -1)
        attended = (self.get_submodule(f"attn_{axis}")(x) for axis in self.axes)
        return functools.reduce(torch.add, attended).movedim(-1, 1)


class AttentionResidualBlock(nn.Module):
    """Convolution to half the width and back and axial attention, added to the input.

    Args:
        channels: C, even.
        num_heads: Attention heads.
        axes: Of `AxialBlock`; without "t" the convolution does not look at other frames either.
    """

    def __init__(self, channels: int, num_heads: int, axes: str) -> None:
        super().__init__()
        half, reach = channels // 2, (3 if "t" in axes else 1, 3, 3)
        self.block = nn.Sequential(
            nn.BatchNorm3d(channels),
            nn.ReLU(),
            SamePadConv3d(channels, half, reach, bias=False),
            nn.BatchNorm3d(half),
            nn.ReLU(),
            SamePadConv3d(half, channels, (1, 1, 1), bias=False),
            nn.BatchNorm3d(channels),
            nn.ReLU(),
            AxialBlock(channels, num_heads, axes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Add: (B, C, t, h, w) -> the same shape."""
        return x + self.block(x)


def residual_stack(channels: int, layers: int, num_heads: int, axes: str) -> nn.Sequential:
    """Stack residual blocks, closed by batch norm and ReLU.

    Args:
        channels: C.
        layers: Number of blocks.
        num_heads: Attention heads.
        axes: Of `AxialBlock`.
    """
    blocks: Sequence[nn.Module] = [
        AttentionResidualBlock(channels, num_heads, axes) for _ in range(layers)
    ]
    return nn.Sequential(*blocks, nn.BatchNorm3d(channels), nn.ReLU())
