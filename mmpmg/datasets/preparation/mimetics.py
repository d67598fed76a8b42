"""Mimetics: mimed actions of 50 classes of Kinetics-400, a few of each to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .few_shot import few_shot
from .reading import find_file
from .sources import FACTS, DatasetFacts
from .video_index import VideoIndex
from .video_list import VideoList, VideoLists
from .youtube_clips import class_labels, listed_clips, read_rows

_CLIPS = 713


@dataclass(frozen=True)
class Mimetics:
    """713 clips of mimed actions, without a published part for training.

    The set was made to test models of Kinetics-400. DEMVM (Sec. 4.1) trains on two clips a class
    that it draws at random and names nowhere; here they follow from (seed, name of the clip), and
    all others are for validation. Clips that do not exist are not drawn: YouTube loses videos.

    Labels number the 50 classes in alphabetical order with ``_`` for blanks.

    Args:
        annotations: folder of ``mimetics_v1.0.csv``.
        shots: clips of each class to train on, 1 or more.
        seeds: one pair of lists for each, 0 or more.
    """

    annotations: Path
    shots: int = 2
    seeds: Sequence[int] = (0,)
    facts: ClassVar[DatasetFacts] = FACTS["mimetics"]
    remedy: ClassVar[str] = (
        "Take mimetics_v1.0.csv from the page of Mimetics (https://europe.naverlabs.com) "
        "and name its folder as ANNOTATIONS."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the list and draw what is trained on.

        Raises:
            PreparationError: the list is missing, a row is not as it should be, or a class has
                fewer clips than are asked for.
        """
        path = find_file(self.annotations, ["mimetics_v1.0.csv", "mimetics.csv"], self.remedy)
        rows = read_rows(path)
        labels = class_labels(path, rows, self.facts.num_classes, self.remedy)
        clips = listed_clips(path, rows, labels, self.remedy)
        there = [clip for clip in clips if index.find(clip.name)]
        groups = []
        for seed in self.seeds:
            drawn = few_shot(there, self.shots, seed, len(labels), classes=list(labels))
            rest = [clip for clip in clips if clip not in set(drawn)]
            trained = self.shots * len(labels)
            groups.append([
                VideoList(f"mimetics_{part}_{self.shots}-shot_seed{seed}_videos.txt", videos, size)
                for part, videos, size in (
                    ("train", drawn, trained), ("val", rest, _CLIPS - trained)
                )
            ])  # fmt: skip
        return VideoLists(self.facts.num_classes, groups, list(labels))
