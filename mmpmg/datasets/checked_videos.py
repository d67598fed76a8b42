"""Video datasets that name what is missing before training, and pass over what is corrupt."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmaction.datasets import RepeatAugDataset, VideoDataset
from mmaction.registry import DATASETS
from mmengine.fileio import list_from_file
from mmengine.logging import print_log

from mmpmg import typed

from .bad_samples import BadSamples
from .file_check import missing_files
from .named_pipeline import in_order
from .sample_seed import SeedSample, generator
from .video_reading import VideoReadError, naming_its_video, video_file

_GOES_ON = re.compile(r"(.*[^\s,;:|])[\s,;:|]+")


class _ChecksVideos(VideoDataset):
    """What both datasets do about bad videos; stands first among their bases."""

    hint: str | None
    bad_samples: BadSamples

    def _begin_checks(self, max_bad_share: float) -> None:
        """Wrap the reading transforms; the data list must have been loaded."""
        if self.max_refetch < 0:
            raise ValueError(f"dataset.max_refetch={self.max_refetch}: must be 0 or more")
        steps = self.pipeline.transforms
        steps[:] = map(naming_its_video, steps)
        self.max_bad_share = max_bad_share
        self._begin_record()

    def _begin_record(self) -> None:
        self.bad_samples = BadSamples(len(self), "video", self._name, self.max_bad_share)

    def _name(self, number: int) -> str:
        return str(self.get_data_info(number)["filename"])

    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Keep only some videos, and begin a new record of the bad ones."""
        super().get_subset_(indices)
        self._begin_record()

    def get_subset(self, indices: Sequence[int] | int) -> _ChecksVideos:
        """Return a copy that has only some of the videos, with a record of its own."""
        other = super().get_subset(indices)
        other._begin_record()
        return other

    def load_data_list(self) -> list[dict]:
        """Load the annotation file: ``path label`` a line, or ``path`` alone.

        Names may hold spaces: the label is what follows the last delimiter, if that is a whole
        number. With the delimiter ``" "`` tabs part them too. Blank lines are dropped.

        Raises:
            FileNotFoundError: it does not exist, names no video, or names videos that do not
                exist.
            ValueError: a line of several labels (``multi_class``) has one that is no number.
        """
        if "://" not in self.ann_file and not os.path.isfile(self.ann_file):
            raise self._missing(f"The video list {self.ann_file} (ann_file) does not exist.")
        folder = self.data_prefix.get("video") or ""
        videos: list[dict[str, Any]] = []
        for number, line in enumerate(list_from_file(self.ann_file), 1):
            text = line.strip("\ufeff \t\r\n")
            if text:
                path, label = self._path_and_label(text, number)
                videos.append(dict(filename=os.path.join(folder, path), label=label))
        if not videos:
            raise self._missing(f"The video list {self.ann_file} (ann_file) names no video.")
        self._warn_of_two_labels(videos)
        if "://" in videos[0]["filename"]:
            return videos
        missing = missing_files(lambda n: video_file(videos[n]["filename"]), len(videos), "all")
        if missing:
            raise self._missing(
                f"{len(missing)} of the {len(videos)} videos that {self.ann_file} names do not "
                f"exist, for example {', '.join(missing[:3])}. Relative paths start from "
                f"data_prefix.video={self.data_prefix.get('video')!r}."
                + self._delimiter_advice(videos, missing[0])
            )
        return videos

    def _warn_of_two_labels(self, videos: list[dict[str, Any]]) -> None:
        """Name videos that stand in the list twice, with different labels; one must be wrong."""
        labels: dict[str, Any] = {}
        twice = []
        for video in videos:
            name, label = video["filename"], video["label"]
            if labels.setdefault(name, label) != label:
                twice.append(f"{name} ({labels[name]} and {label})")
        if twice:
            print_log(
                f"{self.ann_file} names {len(twice)} videos again with another label, for example "
                f"{', '.join(twice[:3])}: delete the wrong lines",
                logger="current",
                level=logging.WARNING,
            )

    def _delimiter_advice(self, videos: list[dict[str, Any]], missing: str) -> str:
        """Say of a missing name that goes on behind a video's: that may have been meant as label.

        Lists without labels are fine for pre-training, so a name alone is no reason.
        """
        head = _GOES_ON.match(missing)
        if head is None or not os.path.isfile(video_file(head[1])):
            return ""
        for video in videos:
            if video_file(video["filename"]) == missing and video["label"] == -1:
                return (
                    f" No label was found in the line of {missing}: it is a whole number from 0 "
                    f"behind the path, parted by dataset.delimiter={self.delimiter!r}."
                )
        return ""

    def _path_and_label(self, line: str, number: int) -> tuple[str, int | list[int]]:
        delimiter = None if self.delimiter == " " else self.delimiter
        if self.multi_class:
            path, *labels = line.split(delimiter)
            if not all(label.strip().isdecimal() for label in labels):
                raise ValueError(
                    f"{self.ann_file}, line {number}: {line!r} is not a path and whole numbers, "
                    f"parted by {self.delimiter!r}"
                )
            return path, [int(label) for label in labels]
        path, *rest = line.rsplit(delimiter, 1)
        if rest and rest[0].strip().isdecimal():
            return path, int(rest[0])
        return line, -1

    def _missing(self, message: str) -> FileNotFoundError:
        general = (
            f"{typed.tool('prepare_data.py')} writes a list of what is there, and says what is not."
        )
        return FileNotFoundError(f"{message} {typed.here(self.hint or general)}")

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on a video, or on one drawn by the sample's own seed in its place.

        Raises:
            TooManyBadSamplesError: more than ``max_bad_share`` of the tried videos are bad.
            VideoReadError: this one is, in test mode.
        """
        number, replacements = idx, None
        seed: dict[str, int] = {}
        for _ in range(self.max_refetch + 1):
            self.bad_samples.begin(number)
            info = {**self.get_data_info(number), "sample_idx": idx, **seed}
            try:
                data = self._make(info, number)
            except VideoReadError as error:
                if self.test_mode:
                    raise
                self.bad_samples.add(number, error)
                seed = {key: info[key] for key in ("sample_seed",) if key in info}
                replacements = replacements or generator(info, "replacement")
                number = int(replacements.integers(len(self)))
            else:
                self.bad_samples.add_good(number)
                return data
            finally:
                self.bad_samples.end()
        raise self.bad_samples.give_up(self.max_refetch + 1, number)

    def _make(self, info: dict, number: int) -> Any:
        """Run the pipeline on what is known of video ``number``."""
        raise NotImplementedError


@DATASETS.register_module()
class CheckedVideoDataset(_ChecksVideos):
    """MMAction2's ``VideoDataset`` that bears a few bad videos.

    Missing files are named before training starts. A video that cannot be decoded is counted,
    named in the log once, and replaced by another, drawn by the sample's own seed (`SeedSample`).
    A test set is not altered: there a bad video is an error that names it.

    Args:
        ann_file: annotation file, ``path label`` a line, or ``path`` alone.
        pipeline: recipes of transforms, a list or a dict from a name to each, see `in_order`.
        data_prefix: ``dict(video=folder)`` that relative paths start from.
        multi_class: whether a video has several labels.
        num_classes: number of classes, for ``multi_class``.
        delimiter: what parts path and label in ``ann_file``.
        max_bad_share: share of unreadable videos among those tried, [0, 1], above which training
            stops. Early on, 200 tried videos are assumed: .01 bears two bad ones.
        max_refetch: how many other videos to try in a row in place of a bad one.
        hint: where the data comes from; ends the error message when files are missing. None: names
            the command that prepares lists.
        test_mode: raise on a bad video instead of replacing it.

    Raises:
        FileNotFoundError: the list or videos of it do not exist.
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: Sequence[dict | Callable] | Mapping[str, dict | Callable | None],
        data_prefix: dict | None = None,
        multi_class: bool = False,
        num_classes: int | None = None,
        delimiter: str = " ",
        max_bad_share: float = 0.01,
        max_refetch: int = 100,
        hint: str | None = None,
        test_mode: bool = False,
    ) -> None:
        self.hint = hint
        super().__init__(
            ann_file,
            pipeline=in_order(pipeline),
            data_prefix=data_prefix or dict(video=""),
            multi_class=multi_class,
            num_classes=num_classes,
            delimiter=delimiter,
            test_mode=test_mode,
            max_refetch=max_refetch,
        )
        self._begin_checks(max_bad_share)

    def _make(self, info: dict, number: int) -> Any:
        return self.pipeline(info)


@DATASETS.register_module()
class SeededRepeatAugDataset(_ChecksVideos, RepeatAugDataset):
    """MMAction2's ``RepeatAugDataset`` that bears a few bad videos and draws by the sample's seed.

    The parent fixes the first three steps of its pipeline, so ``SeedSample`` cannot be one of
    them; it acts before them instead. The draws of one video's repetitions follow one another, so
    they differ. ``SampleSeedSampler`` feeds the seeds. Bad videos: as in `CheckedVideoDataset`.

    Args:
        ann_file: annotation file, ``path label`` a line.
        pipeline: transforms, a list or a dict from a name to each, see `in_order`; beginning with
            DecordInit, one that samples frames, DecordDecode.
        data_prefix: ``dict(video=folder)`` that relative paths start from.
        num_repeats: draws of each video, >= 1.
        delimiter: what parts path and label in ``ann_file``.
        max_bad_share: share of unreadable videos among those tried, above which training stops.
        max_refetch: how many other videos to try in a row in place of a bad one.
        hint: where the data comes from; ends the error message when files are missing.

    Raises:
        FileNotFoundError: the list or videos of it do not exist.
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: Sequence[dict | Callable] | Mapping[str, dict | Callable | None],
        data_prefix: dict | None = None,
        num_repeats: int = 2,
        delimiter: str = " ",
        max_bad_share: float = 0.01,
        max_refetch: int = 100,
        hint: str | None = None,
    ) -> None:
        self.hint = hint
        self.seed_sample = SeedSample()
        super().__init__(
            ann_file,
            pipeline=in_order(pipeline),
            data_prefix=data_prefix or dict(video=""),
            num_repeats=num_repeats,
            delimiter=delimiter,
            max_refetch=max_refetch,
        )
        self._begin_checks(max_bad_share)

    def _make(self, info: dict, number: int) -> Any:
        self.seed_sample(info)
        return RepeatAugDataset.prepare_data(self, number)
