"""What one branch of a model predicted of one clip: what is common to pixels and motion."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .labels import Picture

FloatArray: TypeAlias = npt.NDArray[np.float32]

STATISTICS = {
    "visible": "patch mean and contrast interpolated from the visible tokens: no pixel of a "
    "masked token is used",
    "truth": "patch mean and contrast taken from the truth: even an untrained model shows the "
    "right colours",
}


def check_statistics(statistics: str) -> None:
    """Refuse an unknown source of mean and contrast.

    Raises:
        ValueError: It is none of ``STATISTICS``.
    """
    if statistics not in STATISTICS:
        raise ValueError(
            f"statistics {statistics!r} is unknown; it is one of {', '.join(STATISTICS)} "
            "(--statistics, or custom_hooks: ReconstructionHook.statistics)"
        )


@dataclass(frozen=True, eq=False)
class BranchPrediction(ABC):
    """One clip, its mask and what a branch predicted for the masked tokens.

    Attributes:
        clip: (T, H, W, 3) uint8, the truth.
        mask: (N,) bool in (t, h, w) order, True = masked, K True.
        prediction: (K, values) in ascending order of the masked tokens; inside a token (time, row,
            column) order, channel last, as the targets have it.
        token_shape: (frames, rows, columns) of a token.
        normalized: True if the target is normalised by each token's own mean and deviation.
        eps: What the target adds to the deviation.
        loss: The loss of this clip alone, for the label; None leaves it out.
        flat_loss: The loss of predicting zeros, which is what the loss is to be compared with:
            with a normalised target flat patches of the right level, with plain motion rest. None
            leaves it out.
        name: Of the clip, for the label.
        token_loss: (K,) the loss of each masked token, NaN where nothing is known of it; with 0
            there their mean is ``loss``. None: no heat map.
        measure: What the losses are of and in which units: losses of one measure can be compared.
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
    measure: str = ""

    def __post_init__(self) -> None:
        """Refuse a prediction that does not belong to the mask.

        Raises:
            ValueError: Not one row, or not one loss, for each masked token, or rows of another
                length.
        """
        wanted = (int(self.mask.sum()), int(np.prod(self.value_shape)))
        if self.prediction.shape != wanted:
            raise ValueError(
                f"prediction has shape {self.prediction.shape}; {wanted[0]} masked tokens of "
                f"{self.value_shape} values need {wanted}"
            )
        if self.token_loss is not None and self.token_loss.shape != wanted[:1]:
            raise ValueError(
                f"token_loss has shape {self.token_loss.shape}; {wanted[0]} masked tokens need "
                f"{wanted[:1]}"
            )

    @property
    @abstractmethod
    def value_shape(self) -> tuple[int, int, int, int]:
        """(frames, rows, columns, channels) of a token's values."""

    @property
    def loss_name(self) -> str:
        """What the heat map below the prediction is of."""
        return "loss of each patch"

    @property
    def flat_name(self) -> str:
        """What the prediction of zeros means."""
        return "flat patches"

    @property
    def size(self) -> tuple[int, int, int]:
        """(T, H, W) of the clip."""
        return (self.clip.shape[0], self.clip.shape[1], self.clip.shape[2])

    @abstractmethod
    def rows(self, statistics: str) -> list[tuple[str, Picture]]:
        """Return what is drawn of it, label and (T, h, w, 3) frames; the last is the prediction.

        Args:
            statistics: One of ``STATISTICS``.
        """

    @abstractmethod
    def note(self, statistics: str) -> str:
        """Say, for the head of a picture, what its rows show and where that comes from."""


def token_statistics(tokens: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and unbiased standard deviation of each token and channel, as VideoMAE does.

    Args:
        tokens: (N, values, C); NaN, which is unknown, does not count.

    Returns:
        Two arrays (N, C), zero for a token of which nothing is known.
    """
    if not np.isnan(tokens).any():
        return tokens.mean(axis=1), tokens.std(axis=1, ddof=1)
    count = (~np.isnan(tokens)).sum(axis=1)
    mean = np.nansum(tokens, axis=1) / np.maximum(count, 1)
    squares = np.nansum((tokens - mean[:, None]) ** 2, axis=1)
    deviation = np.sqrt(squares / np.maximum(count - 1, 1))
    return mean.astype(np.float32), deviation.astype(np.float32)
