"""Mean, recall and decay of J and F: the numbers of DAVIS-2017, and a table of its objects."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .contour_accuracy import contour_accuracy
from .region_similarity import region_similarity

Values: TypeAlias = npt.NDArray[np.float64]

#: A frame counts for recall when its value is above this.
RECALL_ABOVE = 0.5
_BINS = 4
#: The official table's order.
MEASURES = ("J&F-Mean", "J-Mean", "J-Recall", "J-Decay", "F-Mean", "F-Recall", "F-Decay")


@dataclass(frozen=True, eq=False)
class ObjectScores:
    """J and F of one object in the frames that count: all but the first and the last.

    Attributes:
        sequence: Its name.
        object_id: The object's value in the annotation.
        similarity: (T - 2,) J.
        accuracy: (T - 2,) F.
    """

    sequence: str
    object_id: int
    similarity: Values
    accuracy: Values

    def measures(self) -> dict[str, float]:
        """Return this object's `MEASURES`."""
        j, f = self.similarity, self.accuracy
        return {
            "J&F-Mean": float(j.mean() + f.mean()) / 2,
            "J-Mean": float(j.mean()),
            "J-Recall": recall(j),
            "J-Decay": decay(j),
            "F-Mean": float(f.mean()),
            "F-Recall": recall(f),
            "F-Decay": decay(f),
        }


def recall(values: Values) -> float:
    """Return the share of frames above `RECALL_ABOVE`.

    Args:
        values: (frames,) J or F, at least one.
    """
    return float(np.mean(values > RECALL_ABOVE))


def decay(values: Values) -> float:
    """Return how much is lost over time: mean of the first quarter less mean of the last.

    The quarters end at frames 1, (n + 3) / 4, (n + 1) / 2, (3 n + 1) / 4 and n, rounded, halves up;
    both ends belong to a quarter. The official code holds them in 8 bits, which is the same up to
    256 frames; here sequences may be longer.

    Args:
        values: (frames,) J or F, at least one.
    """
    ends = np.floor(np.linspace(1, len(values), _BINS + 1) + 0.5).astype(np.int64) - 1
    return float(values[: ends[1] + 1].mean() - values[ends[-2] :].mean())


def score_sequence(
    sequence: str,
    predicted: npt.NDArray[np.integer],
    truth: npt.NDArray[np.integer],
    object_ids: Sequence[int],
) -> list[ObjectScores]:
    """Score every object of a sequence by the semi-supervised protocol of DAVIS-2017.

    Args:
        sequence: Its name, for messages and tables.
        predicted: (T, H, W) object ids, T >= 3; 0 is background.
        truth: The same shape.
        object_ids: Of the objects in the first frame. Others in the truth count as background.

    Returns:
        One for each object, in that order.

    Raises:
        ValueError: The shapes differ, there are fewer than 3 frames, or ids are predicted that the
            sequence does not have.
    """
    if predicted.shape != truth.shape or truth.ndim != 3:
        raise ValueError(
            f"{sequence}: pred_masks {predicted.shape} must be (T, H, W) like gt_masks "
            f"{truth.shape}; the model has to predict at the size of its input"
        )
    if len(truth) < 3:
        raise ValueError(
            f"{sequence}: {len(truth)} frames, but the first and the last do not count, so at "
            "least 3 are needed; take it out of test_dataloader.dataset.sequences"
        )
    unknown = sorted(set(np.unique(predicted).tolist()) - {0, *object_ids})
    if unknown:
        raise ValueError(
            f"{sequence}: ids {unknown} are predicted, but its objects are {list(object_ids)}"
        )
    scores = []
    for number in object_ids:
        ours, theirs = predicted[1:-1] == number, truth[1:-1] == number
        similarity, accuracy = region_similarity(ours, theirs), contour_accuracy(ours, theirs)
        scores.append(ObjectScores(sequence, int(number), similarity, accuracy))
    return scores


def average(scores: Sequence[ObjectScores]) -> dict[str, float]:
    """Return `MEASURES` averaged over objects: all weigh the same, whatever their sequence.

    Args:
        scores: At least one.
    """
    measures = [one.measures() for one in scores]
    return {name: float(np.mean([each[name] for each in measures])) for name in MEASURES}


def object_table(scores: Sequence[ObjectScores]) -> str:
    """Return CSV: a line for each object, for each sequence ("all" objects), and one for all.

    Args:
        scores: At least one; those of a sequence follow one another.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["sequence", "object", "frames", *MEASURES])

    def line(sequence: str, name: str, frames: int, measures: dict[str, float]) -> None:
        table.writerow([sequence, name, frames, *(f"{measures[key]:.4f}" for key in MEASURES)])

    by_sequence: dict[str, list[ObjectScores]] = {}
    for one in scores:
        by_sequence.setdefault(one.sequence, []).append(one)
    for sequence, objects in by_sequence.items():
        for one in objects:
            line(sequence, str(one.object_id), len(one.similarity), one.measures())
        line(sequence, "all", len(objects[0].similarity), average(objects))
    total = sum(len(objects[0].similarity) for objects in by_sequence.values())
    line("(all)", "all", total, average(scores))
    return text.getvalue()
