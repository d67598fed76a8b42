"""Rows of Kinetics' CSV lists, which Mimetics has too: a class and a part of a YouTube video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .errors import PreparationError, stop_for
from .reading import read_csv
from .video_list import ListedVideo

_COLUMNS = ("label", "youtube_id", "time_start", "time_end")

Row = tuple[str, dict[str, str]]


def read_rows(path: Path) -> list[Row]:
    """Return ``file, line 3`` and the row of each clip of a list.

    Raises:
        PreparationError: the file cannot be read or lacks a column.
    """
    return list(read_csv(path, _COLUMNS))


def class_labels(path: Path, rows: Sequence[Row], count: int, remedy: str) -> dict[str, int]:
    """Number the classes in alphabetical order with ``_`` for blanks, as MMAction2 does.

    Args:
        path: of the list, for messages.
        rows: of it.
        count: classes that it must have.
        remedy: what to do when it has others.

    Raises:
        PreparationError: it has more or fewer classes.
    """
    classes = sorted({row["label"].replace(" ", "_") for _, row in rows})
    if len(classes) != count:
        raise PreparationError(f"{path} has {len(classes)} classes instead of {count}. {remedy}")
    return {name: label for label, name in enumerate(classes)}


def listed_clips(
    path: Path, rows: Sequence[Row], labels: Mapping[str, int], remedy: str
) -> list[ListedVideo]:
    """Name the file of each row, ``abseiling/ID_000012_000022``.

    Args:
        path: of the list that the classes are of, for messages.
        rows: of a list.
        labels: class with ``_`` for blanks -> label.
        remedy: what to do when a row is not as it should be.

    Raises:
        PreparationError: a row is of another class, or its times are no numbers.
    """
    clips, problems = [], []
    for where, row in rows:
        name = row["label"].replace(" ", "_")
        try:
            start, end = (round(float(row[key])) for key in ("time_start", "time_end"))
            clip = f"{row['label']}/{row['youtube_id']}_{start:06d}_{end:06d}"
            clips.append(ListedVideo(clip, labels[name], where))
        except KeyError:
            problems.append(f"{where}: {row['label']!r} is no class of {path}")
        except ValueError:
            problems.append(f"{where}: time_start and time_end must be seconds")
    stop_for(problems, remedy)
    return clips
