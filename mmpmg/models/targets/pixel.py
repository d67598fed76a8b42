"""Pixels of the masked tokens as the thing to predict."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from torch import Tensor, nn

from mmpmg.models.tokens import TokenShape, tokens_at

CHANNELS = 3


@MODELS.register_module()
class PixelTarget(nn.Module):
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
        super().__init__()
        if eps <= 0:
            raise ValueError(f"eps {eps} must be > 0; mend model.branches.*.head.target.eps")
        self.token_shape = token_shape
        self.normalize = normalize
        self.eps = eps

    @property
    def num_values(self) -> int:
        """Numbers to predict per token: 2 * 16 * 16 * 3 = 1536 at VideoMAE's sizes."""
        frames, rows, columns = self.token_shape
        return frames * rows * columns * CHANNELS

    @torch.no_grad()
    def forward(self, pixels: Tensor, masked: Tensor) -> Tensor:
        """Compute the target of the masked tokens only; no gradient flows through it.

        Args:
            pixels: (B, 3, T, H, W) in [0, 1].
            masked: (B, K) int64 numbers of the masked tokens.

        Returns:
            (B, K, num_values) float32 (float64 of such pixels), in (time, row, column) order,
            colour last. The caller may write into it.
        """
        precise = pixels.to(torch.promote_types(pixels.dtype, torch.float32))
        tokens = tokens_at(precise, masked, self.token_shape)
        if self.normalize:
            # [B, K, P, C]: statistics over the pixels, for each colour. In place, since each pass
            # over fresh memory costs as much as a small matrix product.
            tokens = tokens.sub_(tokens.mean(dim=2, keepdim=True))
            spread = torch.linalg.vector_norm(tokens, dim=2, keepdim=True)
            tokens = tokens.div_(spread.div_((tokens.shape[2] - 1) ** 0.5).add_(self.eps))
        return tokens.flatten(2)
