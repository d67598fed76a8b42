"""MiniSSv2: the 87 of Something-Something V2's 174 classes that SynAPT evaluates on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .errors import PreparationError, stop_for
from .path_label_lists import read_path_labels
from .reading import read_lines
from .sources import FACTS, DatasetFacts
from .ssv2_entries import plain, read_entries
from .video_index import VideoIndex
from .video_list import ListedVideo, VideoLists


@dataclass(frozen=True)
class MiniSSv2:
    """All training and validation videos of SSv2 whose class is one of the 87.

    The classes are named by a file, one of: a list of class names, one a line (labels follow its
    order), such as mini_ssv2.txt of IBM/action-recognition-pytorch; or a list ``path;label`` of
    SynAPT or PPMA, whose videos tell which class has which label.

    Args:
        annotations: folder of SSv2's ``train.json`` and ``validation.json``.
        classes: the file that names the classes.
    """

    annotations: Path
    classes: Path
    facts: ClassVar[DatasetFacts] = FACTS["ssv2_mini"]
    remedy: ClassVar[str] = (
        "Unpack the labels of https://www.qualcomm.com/developer/software/"
        "something-something-v-2-dataset and name their folder as ANNOTATIONS; --classes names "
        "mini_ssv2.txt of github.com/IBM/action-recognition-pytorch, or data/splits/mini_ssv2/"
        "val.csv of github.com/howardzh01/PPMA."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists.

        Raises:
            PreparationError: a file is missing, an entry is not as it should be, or a class of the
                file is none of SSv2's.
        """
        entries = {
            part: read_entries(self.annotations, part, self.remedy) for part in ("train", "val")
        }
        templates = {video: text for part in entries.values() for video, text, _ in part}
        classes = self._classes(templates)
        labels = {plain(name): label for label, name in enumerate(classes)}
        unknown = sorted(set(labels) - {plain(text) for text in templates.values()})
        stop_for([f"{self.classes}: {name!r} is no class of SSv2" for name in unknown], self.remedy)
        group = []
        for part, found in entries.items():
            videos = [
                ListedVideo(video, labels[plain(text)], where)
                for video, text, where in found
                if plain(text) in labels
            ]
            group.append(self.facts.video_list(part, videos))
        return VideoLists(self.facts.num_classes, [group], classes)

    def _classes(self, templates: dict[str, str]) -> list[str]:
        lines = list(read_lines(self.classes))
        if lines and ";" in lines[0][1]:
            classes = self._voted(templates)
        else:
            classes = [line for _, line in lines]
        repeated = [name for name, count in Counter(map(plain, classes)).items() if count > 1]
        if repeated or len(classes) != self.facts.num_classes:
            raise PreparationError(
                f"{self.classes} names {len(classes)} classes instead of {self.facts.num_classes}"
                + (f", {repeated[0]!r} twice" if repeated else "") + f". {self.remedy}"
            )  # fmt: skip
        return classes

    def _voted(self, templates: dict[str, str]) -> list[str]:
        """Return the class of each label, which the videos of a list agree on."""
        classes: dict[int, tuple[str, str]] = {}
        problems = []
        for video in read_path_labels(self.classes):
            name = video.name.rsplit("/", 1)[-1].split(".")[0]
            if name not in templates:
                problems.append(f"{video.where}: SSv2's lists have no video {name}")
                continue
            first, where = classes.setdefault(video.label, (templates[name], video.where))
            if first != templates[name]:
                problems.append(
                    f"{video.where}: label {video.label} is {templates[name]!r} here and "
                    f"{first!r} in {where}"
                )
        stop_for(problems, self.remedy)
        if sorted(classes) != list(range(len(classes))):
            raise PreparationError(f"{self.classes}: its labels have gaps. {self.remedy}")
        return [classes[label][0] for label in sorted(classes)]
