"""Convolutions whose output is the input's size over (or times) the stride."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

Sides = tuple[int, int, int]


def padding_of(kernel: Sides, stride: Sides) -> list[int]:
    """Zeros to put around a clip, in the order of ``F.pad``: columns first.

    Kernel minus stride in all, the odd one in front: where VideoGPT's weights were trained with it.
    """
    pads: list[int] = []
    for side, step in zip(reversed(kernel), reversed(stride), strict=True):
        pads += [(side - step + 1) // 2, (side - step) // 2]
    return pads


class SamePadConv3d(nn.Module):
    """Convolution: (B, C, T, H, W) -> (B, C', T / stride, H / stride, W / stride).

    Args:
        in_channels: C.
        out_channels: C'.
        kernel: Frames, rows and columns of the kernel, each at least the stride's.
        stride: Steps along time, height and width; sides of the input are multiples of them.
        bias: Whether to add one.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: Sides,
        stride: Sides = (1, 1, 1),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.pads = padding_of(kernel, stride)
        self.conv = nn.Conv3d(in_channels, out_channels, kernel, stride, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve."""
        return self.conv(F.pad(x, self.pads) if any(self.pads) else x)


class SamePadConvTranspose3d(nn.Module):
    """Transposed convolution: (B, C, t, h, w) -> (B, C', t * stride, h * stride, w * stride).

    Args:
        in_channels: C.
        out_channels: C'.
        kernel: Frames, rows and columns of the kernel, each at least the stride's.
        stride: Factors of time, height and width.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: Sides, stride: Sides = (1, 1, 1)
    ) -> None:
        super().__init__()
        self.pads = padding_of(kernel, stride)
        cut = (kernel[0] - 1, kernel[1] - 1, kernel[2] - 1)
        self.convt = nn.ConvTranspose3d(in_channels, out_channels, kernel, stride, padding=cut)

    def forward(self, x: Tensor) -> Tensor:
        """Pad and convolve."""
        return self.convt(F.pad(x, self.pads) if any(self.pads) else x)
