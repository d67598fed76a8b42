"""Pictures of what a masked model predicts, which say what they show.

A model with VideoMAE's target predicts every token up to mean and contrast, so a picture needs
statistics from elsewhere. The authors' pictures take them from the hidden truth, whereby a model
that predicts nothing still shows a blurred version of the answer. Here the default takes them from
the visible tokens alone, and either way the picture names its source.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from mmpmg.models.tokens import patchify, token_grid, unpatchify

from .branch_prediction import (
    STATISTICS,
    BranchPrediction,
    FloatArray,
    check_statistics,
    token_statistics,
)
from .labels import Picture

PLAIN = "the model predicts plain pixels: nothing is added from elsewhere"


class Reconstruction(BranchPrediction):
    """One clip, its mask and the pixels that were predicted for the masked tokens.

    Its ``prediction`` is (K, dt * dh * dw * 3), as ``PixelTarget`` has it.
    """

    @property
    def value_shape(self) -> tuple[int, int, int, int]:
        """Three colours of every pixel of a token."""
        return (*self.token_shape, 3)

    def rows(self, statistics: str) -> list[tuple[str, Picture]]:
        """Return the reconstructed clip under its label."""
        return [("reconstruction", self.frames(statistics))]

    def note(self, statistics: str) -> str:
        """Say where mean and contrast come from."""
        check_statistics(statistics)
        source = STATISTICS[statistics] if self.normalized else PLAIN
        return f"Masked tokens: {source}. Visible tokens are shown as they are."

    def frames(self, statistics: str = "visible") -> Picture:
        """Return the reconstructed clip; visible tokens are shown as they are.

        Args:
            statistics: "visible" or "truth", see ``STATISTICS``; without effect where the target
                is not normalised.

        Returns:
            (T, H, W, 3) uint8.

        Raises:
            ValueError: Another ``statistics``.
        """
        check_statistics(statistics)
        # [T, H, W, C] -> [1, C, T, H, W] -> [N, dt*dh*dw, C]
        pixels = torch.from_numpy(self.clip.astype(np.float32) / 255).permute(3, 0, 1, 2)[None]
        grid = token_grid(self.size, self.token_shape)
        tokens = patchify(pixels, self.token_shape)[0].numpy()
        predicted = self.prediction.reshape(len(self.prediction), -1, 3).astype(np.float32)
        if self.normalized:
            mean, std = token_statistics(tokens)
            if statistics == "visible":
                mean = from_visible(mean, self.mask, grid)
                std = from_visible(std, self.mask, grid)
            predicted = predicted * (std[self.mask, None] + self.eps) + mean[self.mask, None]
        filled = tokens.copy()
        filled[self.mask] = predicted
        clip = unpatchify(torch.from_numpy(filled)[None], grid, self.token_shape)[0]
        grey_levels = np.clip(clip.permute(1, 2, 3, 0).numpy() * 255, 0, 255)
        return grey_levels.round().astype(np.uint8)


def from_visible(
    values: FloatArray,
    mask: npt.NDArray[np.bool_],
    grid: tuple[int, int, int],
    power: float = 4.0,
) -> FloatArray:
    """Replace the masked tokens' values by an inverse-distance mean of the visible tokens' values.

    Args:
        values: (N, n), one row for each token in (t, h, w) order; masked rows are not read.
        mask: (N,) bool, True = masked, at least one False.
        grid: (t, h, w) with N = t * h * w; distances are counted in tokens along all three.
        power: Weights are distance ** -power; above 3, or the many far tokens outweigh the near.

    Returns:
        (N, n), visible rows as they were.
    """
    places = np.stack(np.unravel_index(np.arange(len(mask)), grid), axis=1).astype(np.float32)
    # [K, 1, 3] - [1, N - K, 3] -> [K, N - K]
    squared = ((places[mask][:, None] - places[~mask][None]) ** 2).sum(axis=2)
    weights = squared ** (-power / 2)
    filled = values.copy()
    filled[mask] = weights @ values[~mask] / weights.sum(axis=1, keepdims=True)
    return filled
