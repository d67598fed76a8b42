"""Accuracy over epochs, images or videos per class, of several runs: PMG, Figs. 3 and 4."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .line_names import line_names
from .log_curves import Curve
from .paper_numbers import SCRATCH
from .run_log import Run, max_epochs, training_set

AXES = {
    "pretraining-epochs": "epochs of pre-training",
    "images": "images of pre-training",
    "shots": "training videos of each class",
    "epochs": "epochs",
}
OF_PRETRAINING = ("pretraining-epochs", "images")


def axis_value(run: Run, axis: str) -> float | None:
    """Return where a run stands on an axis, from its dumped config and that of its pre-training.

    Args:
        run: A fine-tuning or probing run.
        axis: Of ``AXES``.

    Returns:
        The number; None where the configs do not say.

    Raises:
        ValueError: Another axis.
    """
    if axis not in AXES:
        raise ValueError(f"--axis {axis} is unknown; it is one of {', '.join(AXES)}")
    if axis == "epochs":
        return run.epochs
    if axis == "shots":
        shots = re.search(r"(\d+)-shot", str(training_set(run.config).get("ann_file", "")))
        return float(shots[1]) if shots else None
    if run.pretraining is None:
        return None
    if axis == "pretraining-epochs":
        return max_epochs(run.pretraining)
    return training_set(run.pretraining).get("num_images")


def final_accuracy(run: Run) -> float | None:
    """Return the accuracy of the last test, else of the last validation, in percent."""
    return run.last if run.tested is None else run.tested


def accuracy_series(
    runs: Sequence[Run], axis: str, given: Mapping[str, float] | None = None
) -> tuple[dict[str, Curve], list[str]]:
    """Arrange runs on an axis; a line joins those that differ in nothing else (:mod:`.line_names`).

    Args:
        runs: Fine-tuning or probing runs.
        axis: Of ``AXES``.
        given: Name of a run -> its place, instead of what its config says.

    Returns:
        Name of each line -> (places, accuracies in percent), and a sentence for each run left out.

    Raises:
        ValueError: Another axis, or a place for a run that is not there.
    """
    given = given or {}
    unknown = set(given) - {run.name for run in runs}
    if unknown:
        raise ValueError(
            f"--value names {', '.join(sorted(unknown))}; the runs are "
            f"{', '.join(run.name for run in runs)}"
        )
    series: dict[str, Curve] = {}
    lines = line_names(runs, axis)
    left_out = []
    for run in runs:
        place = given.get(run.name, axis_value(run, axis))
        accuracy = final_accuracy(run)
        if run.config is None:
            left_out.append(f"{run.name}: {'; '.join(run.problems)}")
        elif place is None:
            left_out.append(f"{run.name}: {_why_nowhere(run, axis)}")
        elif accuracy is None:
            left_out.append(f"{run.name}: no accuracy in its logs; {'; '.join(run.problems)}")
        else:
            line = series.setdefault(lines[run.name], ([], []))
            line[0].append(float(place))
            line[1].append(accuracy)
    return series, left_out


def _why_nowhere(run: Run, axis: str) -> str:
    """Say why a run has no place on an axis, and what gives it one."""
    if axis in OF_PRETRAINING and run.loaded == SCRATCH:
        return "it was trained from scratch, so it has no pre-training"
    if axis in OF_PRETRAINING and run.is_pretraining:
        return "it is a pre-training itself; name the work dirs of the fine-tuning behind it"
    return f"its config does not tell the {AXES[axis]}; --value {run.name}=NUMBER"
