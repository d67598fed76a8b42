"""Accuracy of every class, of two or three runs side by side: PMG's supplement, Figs. 5 and 6."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .prediction_dump import DumpError, Predictions, read_dump


@dataclass(frozen=True, eq=False)
class ClassComparison:
    """Accuracies in percent, classes sorted by the last run's lead over the first, greatest first.

    Attributes:
        runs: Names of the runs, two or three.
        classes: Names of the classes that the test set has videos of.
        videos: (classes,) videos of each.
        accuracy: (classes, runs) top-1 accuracy in percent.
        overall: (runs,) over all videos.
    """

    runs: tuple[str, ...]
    classes: tuple[str, ...]
    videos: npt.NDArray[np.int64]
    accuracy: npt.NDArray[np.float64]
    overall: npt.NDArray[np.float64]

    @property
    def difference(self) -> npt.NDArray[np.float64]:
        """(classes,) the last run's accuracy less the first's, in points."""
        return np.asarray(self.accuracy[:, -1] - self.accuracy[:, 0])

    def csv(self) -> str:
        """Return the table, a line a class, in the same order."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        lead = f"{self.runs[-1]} minus {self.runs[0]}"
        table.writerow(["class", "videos", *self.runs, lead])
        for name, count, row, gain in zip(
            self.classes, self.videos, self.accuracy, self.difference, strict=True
        ):
            table.writerow([name, int(count), *(f"{x:.2f}" for x in row), f"{gain:.2f}"])
        gain = self.overall[-1] - self.overall[0]
        overall = [f"{x:.2f}" for x in self.overall]
        table.writerow(["(all videos)", int(self.videos.sum()), *overall, f"{gain:.2f}"])
        return text.getvalue()

    def write_csv(self, path: str | Path) -> Path:
        """Write the table; its folder is made.

        Args:
            path: File to write.

        Returns:
            ``path``.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.csv())
        return path


def compare_classes(
    dumps: Mapping[str, str | Path],
    ann_file: str | Path | None = None,
    class_names: Sequence[str] | None = None,
) -> ClassComparison:
    """Compare the runs' accuracies class by class.

    Args:
        dumps: Name of each run -> its dump of predictions; two or three.
        ann_file: The test set's list, ``relative/path label`` a line, to check the dumps against;
            None: they are checked against one another.
        class_names: A name for each class; None: ``class 0``, ``class 1``, ...

    Returns:
        The comparison.

    Raises:
        FileNotFoundError: A dump or the list is missing.
        DumpError: The dumps are of different test sets or numbers of classes, or there are not as
            many names as classes; the message names the file that differs.
    """
    if not 2 <= len(dumps) <= 3:
        raise DumpError(f"{len(dumps)} dumps: two or three runs of different names are compared")
    read = [read_dump(path) for path in dumps.values()]
    first = read[0]
    for other in read[1:]:
        _same_test_set(first, other)
    if ann_file is not None:
        _matches_list(first, Path(ann_file))
    names = class_names or [f"class {k}" for k in range(first.num_classes)]
    if len(names) != first.num_classes:
        raise DumpError(
            f"{len(names)} class names for the {first.num_classes} classes of {first.path}: "
            "--classes names a file with one name a line, in the order of the labels"
        )
    videos = np.bincount(first.labels, minlength=first.num_classes)
    right = np.stack(
        [np.bincount(each.labels, each.guesses == each.labels, first.num_classes) for each in read],
        axis=1,
    )
    present = np.flatnonzero(videos)
    accuracy = 100 * right[present] / videos[present, None]
    # The order of the classes decides between equals, so that the picture is the same every time.
    order = np.argsort(accuracy[:, 0] - accuracy[:, -1], kind="stable")
    return ClassComparison(
        tuple(dumps),
        tuple(names[k] for k in present[order]),
        videos[present][order],
        accuracy[order],
        100 * right.sum(axis=0) / len(first.labels),
    )


def read_class_names(path: str | Path) -> list[str]:
    """Read names of classes, one a line; MMAction2's ``number name`` is taken too.

    Args:
        path: Text file in UTF-8, in the order of the labels; empty lines at the end do not count.

    Returns:
        The names.

    Raises:
        FileNotFoundError: No such file.
        DumpError: A line before the last name is empty.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no class names at {path}, which --classes names")
    text = Path(path).read_text(encoding="utf-8-sig").rstrip()
    lines = [line.strip() for line in text.splitlines()]
    if "" in lines:
        raise DumpError(
            f"{path}, line {lines.index('') + 1} is empty, which would shift the names behind it: "
            "give that class a name, or delete the line"
        )
    first = [line.split(maxsplit=1) for line in lines]
    for start in (0, 1):
        if all(len(p) == 2 and p[0] == str(k) for k, p in enumerate(first, start)):
            return [parts[1] for parts in first]
    return lines


def _same_test_set(first: Predictions, other: Predictions) -> None:
    again = "test both checkpoints with the same recipe's test_dataloader and dump again"
    if other.num_classes != first.num_classes:
        raise DumpError(
            f"{other.path} has {other.num_classes} classes, {first.path} has "
            f"{first.num_classes}: {again}"
        )
    if len(other.labels) != len(first.labels):
        raise DumpError(
            f"{other.path} has {len(other.labels)} videos, {first.path} has "
            f"{len(first.labels)}, so they are of different test sets: {again}"
        )
    unlike = np.flatnonzero(other.labels != first.labels)
    if len(unlike):
        k = int(unlike[0])
        raise DumpError(
            f"{other.path} and {first.path} give {len(unlike)} of {len(first.labels)} videos other "
            f"labels, video {k} for one: {other.labels[k]} and {first.labels[k]}; so they are of "
            f"different test sets, or of one in another order: {again}"
        )
    _in_range(other)
    _in_range(first)


def _in_range(one: Predictions) -> None:
    if one.labels.min() < 0 or one.labels.max() >= one.num_classes:
        raise DumpError(
            f"{one.path} has labels from {one.labels.min()} to {one.labels.max()}, but scores for "
            f"{one.num_classes} classes: test with the annotation file that the model is for"
        )


def _matches_list(one: Predictions, ann_file: Path) -> None:
    if not ann_file.is_file():
        raise FileNotFoundError(f"no annotation file at {ann_file}, which --ann-file names")
    lines = [line for line in ann_file.read_text().splitlines() if line.strip()]
    try:
        labels = np.array([int(line.split()[-1]) for line in lines])
    except ValueError as error:
        raise DumpError(f"{ann_file}: every line must be `relative/path label` ({error})") from None
    if len(labels) != len(one.labels) or (labels != one.labels).any():
        count = f"{len(labels)} videos and the dumps {len(one.labels)}"
        if len(labels) == len(one.labels):
            k = int(np.flatnonzero(labels != one.labels)[0])
            count = f"label {labels[k]} in line {k + 1} ({lines[k]}) and the dumps {one.labels[k]}"
        raise DumpError(
            f"{ann_file} has {count}: the dumps (first {one.path}) are of another test set; name "
            "its list with --ann-file, or leave the option out"
        )
