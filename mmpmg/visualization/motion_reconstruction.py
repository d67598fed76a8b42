"""What a motion branch was asked for and what it predicted, as colours (MotionMAE, Fig. 3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mmpmg.models.tokens import token_grid, unpatchify

from .branch_prediction import BranchPrediction, FloatArray, check_statistics, token_statistics
from .labels import Picture
from .masks import TINT, pixel_mask
from .motion_colors import PAINTS, full_colour

OTHER_COLOURS = "Slate: visible tokens, of which no motion is predicted. Grey: unknown."


@dataclass(frozen=True, eq=False, kw_only=True)
class MotionReconstruction(BranchPrediction):
    """One clip, its mask, and the motion that was to be predicted for the masked tokens.

    A normalised target is shown in its own units, true and predicted: each patch by its own mean
    and deviation, so that nothing of the truth is added to the prediction. With the statistics
    "truth" both are shown in plain units, and the prediction has mean and contrast from the truth.

    Attributes:
        kind: "signed" or "absolute" difference of pixels in [0, 1], or "flow".
        truth: (N, values) what the target asks of every token, NaN where it is unknown.
        field_shape: (frames, rows, columns) of a token's values; fewer rows and columns than the
            token has where the target averages over cells.
        unit: Of each channel: what a value of 1 is in grey levels, or in pixels.
        plain: (N, values) the truth before its normalisation; None where it is not normalised.
    """

    kind: str
    truth: FloatArray
    field_shape: tuple[int, int, int]
    unit: tuple[float, ...]
    plain: FloatArray | None = None

    @property
    def value_shape(self) -> tuple[int, int, int, int]:
        """(frames, rows, columns, channels) of a token's values."""
        return (*self.field_shape, len(self.unit))

    @property
    def flat_name(self) -> str:
        """Zeros of a target that is not normalised are a clip at rest."""
        return super().flat_name if self.normalized else "no motion"

    def rows(self, statistics: str) -> list[tuple[str, Picture]]:
        """Return the true motion and the predicted one, under their labels."""
        kind, scale, truth, predicted = self._fields(statistics)
        paint, unit = PAINTS[kind].paint, PAINTS[kind].unit
        hidden = pixel_mask(self.mask, self.size, self.token_shape)[..., None]
        shown = np.where(hidden, paint(predicted, scale), TINT.astype(np.uint8))
        return [
            (f"true motion\nfull colour {scale:.3g} {unit}", paint(truth, scale)),
            ("predicted motion", shown),
        ]

    def note(self, statistics: str) -> str:
        """Say what the colours mean, and where a prediction's mean and contrast come from."""
        told = f"Motion: {PAINTS[self._kind(statistics)].legend}. {OTHER_COLOURS}"
        if self.normalized and statistics == "truth":
            told += " Mean and contrast of each patch are taken from the true motion."
        return told

    def _kind(self, statistics: str) -> str:
        """Name the kind of field that is drawn."""
        if not self.normalized or statistics == "truth":
            return self.kind
        return "normalized flow" if self.kind == "flow" else "normalized"

    def _fields(self, statistics: str) -> tuple[str, float, FloatArray, FloatArray]:
        """Return kind, value of full colour, and (T, H, W, C) truth and prediction."""
        check_statistics(statistics)
        kind = self._kind(statistics)
        channels = len(self.unit)
        truth = self.truth if self.plain is None or kind != self.kind else self.plain
        truth = truth.reshape(len(truth), -1, channels)
        predicted = self.prediction.reshape(len(self.prediction), -1, channels)
        if self.normalized and kind == self.kind:
            mean, std = token_statistics(truth)
            predicted = predicted * (std[self.mask, None] + self.eps) + mean[self.mask, None]
        if kind == self.kind:
            unit = np.array(self.unit, dtype=np.float32)
            truth, predicted = truth * unit, predicted * unit
        # What is unknown met no loss: there the prediction is as little to be looked at.
        filled = truth.copy()
        filled[self.mask] = np.where(np.isnan(truth[self.mask]), np.nan, predicted)
        # One scale for both, from the truth alone: that of every model and mask.
        return kind, full_colour(kind, truth), self._spread(truth), self._spread(filled)

    def _spread(self, tokens: FloatArray) -> FloatArray:
        """[N, values, C] -> [T, H, W, C], cells repeated over their pixels."""
        grid = token_grid(self.size, self.token_shape)
        field = unpatchify(torch.from_numpy(tokens)[None], grid, self.field_shape)[0]
        spread = field.permute(1, 2, 3, 0).numpy()
        for axis in (1, 2):
            spread = spread.repeat(self.token_shape[axis] // self.field_shape[axis], axis=axis)
        return spread
