"""Pixels of the masked tokens as the thing to predict."""

from __future__ import annotations

from mmaction.registry import MODELS
from torch import Tensor

from mmpmg.models.targets.token_target import TokenTarget
from mmpmg.models.targets.whole_clip import WholeClip
from mmpmg.models.tokens import TokenShape


@MODELS.register_module()
class PixelTarget(TokenTarget):
    """VideoMAE's target: pixels in [0, 1], each token normalised by its own statistics.

    Mean and unbiased variance are taken per token **and per colour channel**, over the
    2 x 16 x 16 = 512 pixels, and the token becomes ``(x - mean) / (sqrt(var) + eps)``.
    (Image MAE normalises all channels jointly with ``sqrt(var + eps)``: another target.)

    Args:
        token_shape: (frames, rows, columns) of a token; the head fills it in.
        normalize: Per-token normalisation; False leaves plain pixels in [0, 1].
        eps: Added to the standard deviation, > 0.
    """

    def __init__(self, token_shape: TokenShape, normalize: bool = True, eps: float = 1e-6) -> None:
        super().__init__(token_shape, normalize, eps)

    def field(self, clip: WholeClip) -> Tensor:
        """Take the pixels as they are."""
        return clip.pixels
