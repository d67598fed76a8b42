"""Something-Something V2, all 174 classes: train.json, validation.json and labels.json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from .errors import PreparationError, stop_for
from .reading import find_file, read_json
from .sources import FACTS, DatasetFacts
from .ssv2_entries import plain, read_entries
from .video_index import VideoIndex
from .video_list import ListedVideo, VideoLists

_LABELS = ["labels.json", "something-something-v2-labels.json"]


@dataclass(frozen=True)
class SSv2:
    """Videos ``NUMBER.webm``, each with a template that names its class.

    Labels are those of the data set's own ``labels.json``, as in MMAction2.

    Args:
        annotations: folder of ``train.json``, ``validation.json`` and ``labels.json``.
    """

    annotations: Path
    facts: ClassVar[DatasetFacts] = FACTS["ssv2"]
    remedy: ClassVar[str] = (
        "Unpack the labels of https://www.qualcomm.com/developer/software/"
        "something-something-v-2-dataset and name their folder as ANNOTATIONS."
    )

    def read(self, index: VideoIndex) -> VideoLists:
        """Read the lists.

        Raises:
            PreparationError: a file is missing, an entry is not as it should be, or has a template
                that ``labels.json`` does not know.
        """
        path = find_file(self.annotations, _LABELS, self.remedy)
        classes = self._classes(path)
        labels = {plain(name): label for label, name in enumerate(classes)}
        group, problems = [], []
        for part in ("train", "val"):
            videos = []
            for video, template, where in read_entries(self.annotations, part, self.remedy):
                label = labels.get(plain(template))
                if label is None:
                    problems.append(f"{where}: {template!r} is no class of {path}")
                else:
                    videos.append(ListedVideo(video, label, where))
            group.append(self.facts.video_list(part, videos))
        stop_for(problems, self.remedy)
        return VideoLists(self.facts.num_classes, [group], classes)

    def _classes(self, path: Path) -> list[str]:
        """Return the names in the order of their labels.

        Raises:
            PreparationError: they are not one name for each of 0 to 173.
        """
        names = read_json(path, dict)
        try:
            by_label = {int(label): str(name) for name, label in names.items()}
        except (TypeError, ValueError):
            raise PreparationError(
                f"{path}: each class name must have a whole number as its label. {self.remedy}"
            ) from None
        wanted = set(range(self.facts.num_classes))
        distinct = {plain(name) for name in names}
        if set(by_label) != wanted or len(names) != len(wanted) or len(distinct) != len(wanted):
            raise PreparationError(
                f"{path} has {len(names)} names for {len(by_label)} labels; it must have one for "
                f"each of 0 to {self.facts.num_classes - 1}. {self.remedy}"
            )
        return [by_label[label] for label in sorted(by_label)]
