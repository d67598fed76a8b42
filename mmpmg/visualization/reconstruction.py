"""Pictures of what a masked model predicts, which say what they show.

A model with VideoMAE's target predicts every token up to mean and contrast, so a picture needs
statistics from elsewhere. The authors' pictures take them from the hidden truth, whereby a model
that predicts nothing still shows a blurred version of the answer. Here the default takes them from
the visible tokens alone, and either way the picture names its source.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch

from mmpmg.models.tokens import patchify, token_grid, unpatchify

from .labels import Picture

FloatArray: TypeAlias = npt.NDArray[np.float32]

STATISTICS = {
    "visible": "patch mean and contrast interpolated from the visible tokens: no pixel of a "
    "masked token is used",
    "truth": "patch mean and contrast taken from the truth: even an untrained model shows the "
    "right colours",
}
PLAIN = "the model predicts plain pixels: nothing is added from elsewhere"


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """One clip, its mask and what was predicted for the masked tokens.

    Attributes:
        clip: (T, H, W, 3) uint8, the truth.
        mask: (N,) bool in (t, h, w) order, True = masked, K True.
        prediction: (K, dt * dh * dw * 3) in ascending order of the masked tokens; inside a token
            (time, row, column) order, colour last, as ``PixelTarget`` has it.
        token_shape: (frames, rows, columns) of a token.
        normalized: True if the target is normalised by each token's own mean and deviation.
        eps: What the target adds to the deviation.
        loss: The loss of this clip alone, for the label; None leaves it out.
        flat_loss: The loss of predicting zeros, that is, with a normalised target, flat patches of
            the right colour: what the loss is to be compared with. None leaves it out.
        name: Of the clip, for the label.
        token_loss: (K,) the loss of each masked token, whose mean is ``loss``; None: no heat map.
    """

    clip: Picture
    mask: npt.NDArray[np.bool_]
    prediction: FloatArray
    token_shape: tuple[int, int, int]
    normalized: bool = True
    eps: float = 1e-6
    loss: float | None = None
    flat_loss: float | None = None
    name: str = ""
    token_loss: FloatArray | None = None

    def __post_init__(self) -> None:
        """Refuse a prediction that does not belong to the mask.

        Raises:
            ValueError: Not one row, or not one loss, for each masked token, or rows of another
                length.
        """
        wanted = (int(self.mask.sum()), int(np.prod(self.token_shape)) * 3)
        if self.prediction.shape != wanted:
            raise ValueError(
                f"prediction has shape {self.prediction.shape}; {wanted[0]} masked tokens of "
                f"{self.token_shape} pixels need {wanted}"
            )
        if self.token_loss is not None and self.token_loss.shape != wanted[:1]:
            raise ValueError(
                f"token_loss has shape {self.token_loss.shape}; {wanted[0]} masked tokens need "
                f"{wanted[:1]}"
            )

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
        if statistics not in STATISTICS:
            raise ValueError(
                f"statistics {statistics!r} is unknown; it is one of {', '.join(STATISTICS)} "
                "(--statistics, or custom_hooks: ReconstructionHook.statistics)"
            )
        # [T, H, W, C] -> [1, C, T, H, W] -> [N, dt*dh*dw, C]
        pixels = torch.from_numpy(self.clip.astype(np.float32) / 255).permute(3, 0, 1, 2)[None]
        size = (self.clip.shape[0], self.clip.shape[1], self.clip.shape[2])
        grid = token_grid(size, self.token_shape)
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


def token_statistics(tokens: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and unbiased standard deviation of each token and colour, as VideoMAE does.

    Args:
        tokens: (N, pixels, 3).

    Returns:
        Two arrays (N, 3).
    """
    return tokens.mean(axis=1), tokens.std(axis=1, ddof=1)


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
