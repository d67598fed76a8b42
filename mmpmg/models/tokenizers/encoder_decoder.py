"""From a clip to its map and back: strided convolutions around a stack of residual blocks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from mmpmg.models.tokenizers.axial_attention import residual_stack
from mmpmg.models.tokenizers.same_padding import SamePadConv3d, SamePadConvTranspose3d, Sides


def token_sides(downsample: Sequence[int]) -> Sides:
    """Check how many pixels a code stands for.

    Args:
        downsample: Of time, height and width: powers of 2, and a code is of 4 rows or columns at
            least, since VideoGPT's layers are counted for two convolutions or more.

    Raises:
        ValueError: It is something else.
    """
    sides = tuple(int(side) for side in downsample)
    good = len(sides) == 3 and all(side > 0 and side & (side - 1) == 0 for side in sides)
    if not good or max(sides[1:]) < 4:
        raise ValueError(
            f"model: downsample={tuple(downsample)} must be three powers of 2, (frames, rows, "
            "columns) of a code, with 4 or more rows or columns, such as (2, 4, 4)"
        )
    return sides[0], sides[1], sides[2]


def strides_of(downsample: Sides) -> list[Sides]:
    """Split (2, 4, 4) into the strides of its convolutions: (2, 2, 2), then (1, 2, 2)."""
    time, height, width = downsample
    steps = [2**n for n in range(max(downsample).bit_length() - 1)]
    return [(1 + (time > n), 1 + (height > n), 1 + (width > n)) for n in steps]


class Encoder(nn.Module):
    """Clip (B, 3, T, H, W) in [-.5, .5] -> features (B, C, T / 2, H / 4, W / 4).

    Args:
        channels: C.
        layers: Residual blocks.
        num_heads: Heads of their attention.
        axes: Axes along which features mix, see `AxialBlock`.
        downsample: Pixels of a code along time, height and width.
    """

    def __init__(
        self, channels: int, layers: int, num_heads: int, axes: str, downsample: Sides
    ) -> None:
        super().__init__()
        strides = strides_of(downsample)
        time = "t" in axes
        self.convs = nn.ModuleList(
            SamePadConv3d(channels if n else 3, channels, (4 if time else 1, 4, 4), stride)
            for n, stride in enumerate(strides)
        )
        self.conv_last = SamePadConv3d(channels, channels, (3 if time else 1, 3, 3))
        self.res_stack = residual_stack(channels, layers, num_heads, axes)

    def forward(self, x: Tensor) -> Tensor:
        """Encode."""
        for conv in self.convs:
            x = F.relu(conv(x))
        return self.res_stack(self.conv_last(x))


class Decoder(nn.Module):
    """Features (B, C, t, h, w) -> clip (B, 3, 2t, 4h, 4w) around 0. Arguments are `Encoder`'s."""

    def __init__(
        self, channels: int, layers: int, num_heads: int, axes: str, downsample: Sides
    ) -> None:
        super().__init__()
        strides = strides_of(downsample)
        time = "t" in axes
        self.res_stack = residual_stack(channels, layers, num_heads, axes)
        self.convts = nn.ModuleList(
            SamePadConvTranspose3d(
                channels, channels if n + 1 < len(strides) else 3, (4 if time else 1, 4, 4), stride
            )
            for n, stride in enumerate(strides)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Decode."""
        x = self.res_stack(x)
        for n, convt in enumerate(self.convts):
            x = convt(F.relu(x) if n else x)
        return x
