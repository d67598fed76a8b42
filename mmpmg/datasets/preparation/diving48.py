"""Diving48, version 2: Diving48_V2_train.json, Diving48_V2_test.json and the vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .errors import PreparationError, stop_for
from .reading import find_file, read_json
from .sources import FACTS, DatasetFacts
from .video_index import VideoIndex
from .video_list import ListedVideo, VideoLists


@dataclass(frozen=True)
class Diving48:
    """The official split of version 2, in which version 1's labels were mended.

    Args:
        annotations: folder of the three JSON files.
    """

    annotations: Path
    facts: ClassVar[DatasetFacts] = FACTS["diving48"]
    remedy: ClassVar[str] = (
        "Take Diving48_V2_train.json, Diving48_V2_test.json and Diving48_vocab.json from "
        "http://www.svcl.ucsd.edu/projects/resound/dataset.html and name their folder as "
        "ANNOTATIONS."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists.

        Raises:
            PreparationError: a file is missing or an entry is not as it should be.
        """
        path = find_file(self.annotations, ["Diving48_vocab.json"], self.remedy)
        classes = [
            " ".join(one) if isinstance(one, list) else str(one) for one in read_json(path, list)
        ]
        if len(classes) != self.facts.num_classes:
            raise PreparationError(
                f"{path} has {len(classes)} classes instead of {self.facts.num_classes}. "
                f"{self.remedy}"
            )
        group = [
            self.facts.video_list(part, self._list(f"Diving48_V2_{name}.json"))
            for part, name in (("train", "train"), ("val", "test"))
        ]
        return VideoLists(
            self.facts.num_classes, [group], classes, empty_classes=self.facts.empty_classes
        )

    def _list(self, name: str) -> list[ListedVideo]:
        path = find_file(self.annotations, [name], self.remedy)
        videos, problems = [], []
        for number, entry in enumerate(read_json(path, list), 1):
            where = f"{path}, entry {number}"
            try:
                name, label = str(entry["vid_name"]), entry["label"]
            except (KeyError, TypeError):
                name, label = "", None
            if type(label) is int:  # neither 3.7 nor true nor "3"
                videos.append(ListedVideo(name, label, where))
            else:
                problems.append(f"{where}: needs vid_name and a whole number as label: {entry}")
        stop_for(problems, self.remedy)
        return videos
