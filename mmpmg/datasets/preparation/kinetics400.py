"""Kinetics-400: the CSV lists train.csv and val.csv."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .errors import PreparationError, stop_for
from .reading import find_file, read_csv
from .sources import FACTS, DatasetFacts
from .video_index import VideoIndex
from .video_list import ListedVideo, VideoLists

_COLUMNS = ("label", "youtube_id", "time_start", "time_end")
_NAMES = {
    "train": ["train.csv", "kinetics_train.csv", "kinetics-400_train.csv"],
    "val": ["val.csv", "validate.csv", "kinetics_val.csv", "kinetics-400_val.csv"],
}


@dataclass(frozen=True)
class Kinetics400:
    """Clips ``ID_000012_000022.mp4``, in folders of classes or not.

    Labels number the classes in alphabetical order with ``_`` for blanks, as in MMAction2.

    Args:
        annotations: folder of the lists.
    """

    annotations: Path
    facts: ClassVar[DatasetFacts] = FACTS["kinetics400"]
    remedy: ClassVar[str] = (
        "Take train.csv and val.csv from https://github.com/cvdfoundation/kinetics-dataset and "
        "name their folder as ANNOTATIONS."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists.

        Raises:
            PreparationError: a file is missing or a row is not as it should be.
        """
        paths = {part: find_file(self.annotations, _NAMES[part], self.remedy) for part in _NAMES}
        rows = {part: list(read_csv(path, _COLUMNS)) for part, path in paths.items()}
        classes = sorted({row["label"].replace(" ", "_") for _, row in rows["train"]})
        if len(classes) != self.facts.num_classes:
            raise PreparationError(
                f"{paths['train']} has {len(classes)} classes instead of "
                f"{self.facts.num_classes}. {self.remedy}"
            )
        labels = {name: label for label, name in enumerate(classes)}
        group, problems = [], []
        for part, found in rows.items():
            videos = []
            for where, row in found:
                name = row["label"].replace(" ", "_")
                try:
                    start, end = (round(float(row[key])) for key in ("time_start", "time_end"))
                    clip = f"{row['label']}/{row['youtube_id']}_{start:06d}_{end:06d}"
                    videos.append(ListedVideo(clip, labels[name], where))
                except KeyError:
                    problems.append(f"{where}: {row['label']!r} is no class of {paths['train']}")
                except ValueError:
                    problems.append(f"{where}: time_start and time_end must be seconds")
            group.append(self.facts.video_list(part, videos))
        stop_for(problems, self.remedy)
        return VideoLists(self.facts.num_classes, [group], classes)
