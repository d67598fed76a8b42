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

    @property
    def loss_name(self) -> str:
        """What the heat map below the prediction is of."""
        return "loss of each patch's motion"

    def rows(self, statistics: str) -> list[tuple[str, Picture]]:
        """Return the true motion, as it is and as the target has it, and the predicted one."""
        check_statistics(statistics)
        kind = self._kind(statistics)
        truth, predicted = self._tokens(kind == self.kind)
        # One scale for both, from the truth alone: that of every model and mask.
        scale = full_colour(kind, truth)
        paint = PAINTS[kind].paint
        rows = []
        if kind != self.kind:
            plain, _ = self._tokens(True)
            rows.append(self._true_row("true motion", self.kind, plain))
            rows.append(self._true_row("the same, normalised", kind, truth))
        else:
            rows.append(self._true_row("true motion", kind, truth))
        hidden = pixel_mask(self.mask, self.size, self.token_shape)[..., None]
        slate = TINT.astype(np.uint8)
        shown = np.where(hidden, paint(self._spread(predicted), scale), slate)
        return [*rows, ("predicted motion", shown)]

    def _true_row(self, name: str, kind: str, tokens: FloatArray) -> tuple[str, Picture]:
        scale = full_colour(kind, tokens)
        label = f"{name}\nfull colour {scale:.3g} {PAINTS[kind].unit}"
        return label, PAINTS[kind].paint(self._spread(tokens), scale)

    def note(self, statistics: str) -> str:
        """Say what the colours mean, and where a prediction's mean and contrast come from."""
        check_statistics(statistics)
        told = f"Motion: {PAINTS[self.kind].legend}."
        if self._kind(statistics) != self.kind:
            told += f" Normalised and predicted: {PAINTS[self._kind(statistics)].legend}."
        elif self.normalized:
            told += " Predicted: mean and contrast of each patch are taken from the true motion."
        return f"{told} {OTHER_COLOURS}"

    def _kind(self, statistics: str) -> str:
        """Name the kind of field that is drawn."""
        if not self.normalized or statistics == "truth":
            return self.kind
        return "normalized flow" if self.kind == "flow" else "normalized"

    def _tokens(self, in_units: bool) -> tuple[FloatArray, FloatArray]:
        """Return truth and prediction of every token, (N, values, C); visible ones have the truth.

        Args:
            in_units: In grey levels or pixels, with the truth's statistics where these are missing;
                False: as the target is.
        """
        channels = len(self.unit)
        truth = self.truth if self.plain is None or not in_units else self.plain
        truth = truth.reshape(len(truth), -1, channels)
        predicted = self.prediction.reshape(len(self.prediction), -1, channels)
        if self.normalized and in_units:
            mean, std = token_statistics(truth)
            predicted = predicted * (std[self.mask, None] + self.eps) + mean[self.mask, None]
        if in_units:
            unit = np.array(self.unit, dtype=np.float32)
            truth, predicted = truth * unit, predicted * unit
        # What is unknown met no loss: there the prediction is as little to be looked at.
        filled = truth.copy()
        filled[self.mask] = np.where(np.isnan(truth[self.mask]), np.nan, predicted)
        return truth, filled

    def _spread(self, tokens: FloatArray) -> FloatArray:
        """[N, values, C] -> [T, H, W, C], cells repeated over their pixels."""
        grid = token_grid(self.size, self.token_shape)
        field = unpatchify(torch.from_numpy(tokens)[None], grid, self.field_shape)[0]
        spread = field.permute(1, 2, 3, 0).numpy()
        for axis in (1, 2):
            spread = spread.repeat(self.token_shape[axis] // self.field_shape[axis], axis=axis)
        return spread
