"""What a model of codes predicted, drawn by the tokenizer whose codes they are (DEMVM, Fig. 5)."""

from __future__ import annotations

from dataclasses import dataclass

from .branch_prediction import BranchPrediction
from .labels import Picture


@dataclass(frozen=True, eq=False, kw_only=True)
class CodeReconstruction(BranchPrediction):
    """One clip, its mask, and the likeliest code of each masked token.

    A tokenizer draws whole clips, so each picture is its decoding of a whole map of codes: of the
    true codes, which is the best that any model could be shown with, and of the true codes with
    those of the masked tokens replaced, by what was predicted or by something that no model said.
    With few masked tokens that looks good already, which a picture of predictions alone would hide.

    Attributes:
        true: (T, h, w, 3) uint8, the decoded true codes.
        blind: (T, h, w, 3) uint8, the same with the clip's commonest visible code for all of them.
        decoded: (T, h, w, 3) uint8, the decoded prediction.
        right: Share of the masked tokens whose code was guessed, in [0, 1].
        frequencies_loss: Entropy of the true codes of the masked tokens of all clips drawn
            together, >= 0: the loss of a model that knows nothing but how often each code is.
        commonest: Share of their commonest code among them, in [0, 1]: what such a model has right.
    """

    true: Picture
    blind: Picture
    decoded: Picture
    right: float
    frequencies_loss: float
    commonest: float

    @property
    def value_shape(self) -> tuple[int, int, int, int]:
        """One code for each token."""
        return (1, 1, 1, 1)

    @property
    def loss_name(self) -> str:
        """What the heat map below the prediction is of."""
        return "loss of each code"

    @property
    def flat_name(self) -> str:
        """What knowing codes' frequencies alone would cost, and the same probability for each."""
        return f"frequencies alone {self.frequencies_loss:.4f}, any code alike"

    def rows(self, statistics: str) -> list[tuple[str, Picture]]:
        """Return the tokenizer's own reconstruction, that without a model, and the prediction."""
        del statistics  # codes need none
        return [
            ("true codes, decoded", self.true),
            (f"no model, decoded\n{self.mask.mean():.0%} of codes replaced", self.blind),
            (
                f"predicted codes, decoded\n{self.right:.0%} of them right; frequencies alone "
                f"{self.commonest:.0%}",
                self.decoded,
            ),
        ]

    def note(self, statistics: str) -> str:
        """Say where the pictures come from, and what leaks."""
        del statistics
        height, width = self.true.shape[1:3]
        return (
            f"Codes are drawn by the tokenizer, at {height} x {width} pixels. True codes: what a "
            "perfect model would show. Predicted: the likeliest code of each masked token; visible "
            "tokens keep their true codes, which the tokenizer took from the whole clip: through "
            "them what is hidden leaks into the picture, though not into the model. No model: the "
            "commonest code of the visible tokens in each masked one, for comparison. Frequencies "
            "alone: entropy of the true codes shown masked, and the share of their commonest; a "
            "model must beat both to have learned more than how often each code is."
        )
