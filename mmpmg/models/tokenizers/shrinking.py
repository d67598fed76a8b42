"""Fewer pixels for a tokenizer whose codes are to be as large as tokens."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def shrink(clip: Tensor, scale: int) -> Tensor:
    """Average over squares of pixels, frame by frame (DEMVM, Sec. 3.1: "downsampled two times").

    The paper does not say how. Halving by the mean over 2 x 2 pixels is what bilinear interpolation
    does too (``align_corners=False``), and for larger factors the mean is the one without aliasing.

    Args:
        clip: (B, C, T, H, W); H and W are multiples of ``scale``.
        scale: Side of the squares in pixels; 1 leaves the clip as it is.

    Returns:
        (B, C, T, H / scale, W / scale).

    Raises:
        ValueError: H or W is no multiple.
    """
    height, width = clip.shape[-2:]
    if height % scale or width % scale:
        raise ValueError(
            f"frames of {height} x {width} pixels are no multiple of scale={scale}; mend the "
            "pipeline's resize, or scale"
        )
    return clip if scale == 1 else F.avg_pool3d(clip, (1, scale, scale))
