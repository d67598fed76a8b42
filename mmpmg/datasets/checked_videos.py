"""Video datasets that name what is missing before training, and pass over what is corrupt."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from mmaction.datasets import RepeatAugDataset, VideoDataset
from mmaction.datasets.transforms import loading
from mmaction.registry import DATASETS

from .bad_samples import BadSamples
from .file_check import missing_files
from .sample_seed import SeedSample, generator

_OPENING = (loading.DecordInit, loading.PyAVInit, loading.OpenCVInit)
_DECODING = (loading.DecordDecode, loading.PyAVDecode, loading.OpenCVDecode)


class VideoReadError(RuntimeError):
    """A video cannot be read; the message names it and says why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class _NamedErrors:
    """A transform that reads a video; its errors name the file."""

    def __init__(self, transform: Callable[[dict], dict]) -> None:
        self.transform = transform

    def __call__(self, results: dict) -> dict:
        path = results["filename"]
        try:
            if isinstance(self.transform, loading.DecordInit) and is_cut_short(path):
                # From memory, as MMAction2 reads, decord 0.6 crashes on such a file.
                raise VideoReadError(path, "the AVI file is shorter than its header says")
            results = self.transform(results)
        except (ImportError, VideoReadError):
            raise  # no decoder at all is not the file's fault
        except Exception as error:
            reason = str(error).strip().splitlines() or [""]
            raise VideoReadError(path, f"{type(error).__name__}: {reason[0]}") from error
        if results.get("total_frames", 1) < 1:
            raise VideoReadError(path, "the video has no frames")
        return results

    def __repr__(self) -> str:
        return repr(self.transform)


class _ChecksVideos(VideoDataset):
    """What both datasets do about bad videos; stands first among their bases."""

    hint: str | None
    bad_samples: BadSamples

    def _begin_checks(self, max_bad_share: float) -> None:
        """Wrap the reading transforms; the data list must have been loaded."""
        steps = self.pipeline.transforms
        for number, step in enumerate(steps):
            if isinstance(step, (*_OPENING, *_DECODING)):
                steps[number] = _NamedErrors(step)
        self.bad_samples = BadSamples(len(self), "video", self._name, max_bad_share)

    def _name(self, number: int) -> str:
        return str(self.get_data_info(number)["filename"])

    def load_data_list(self) -> list[dict]:
        """Load the annotation file.

        Raises:
            FileNotFoundError: it does not exist, names no video, or names videos that do not
                exist (1000 spread over the list are looked at, and all as soon as one is missing).
        """
        if "://" not in self.ann_file and not os.path.isfile(self.ann_file):
            raise self._missing(f"The video list {self.ann_file} (ann_file) does not exist.")
        videos = super().load_data_list()
        if not videos:
            raise self._missing(f"The video list {self.ann_file} (ann_file) names no video.")
        if "://" in videos[0]["filename"]:
            return videos
        missing = missing_files(lambda n: video_file(videos[n]["filename"]), len(videos), "sample")
        if missing:
            raise self._missing(
                f"{len(missing)} of the {len(videos)} videos that {self.ann_file} names do not "
                f"exist, for example {', '.join(missing[:3])}. Relative paths start from "
                f"data_prefix.video={self.data_prefix.get('video')!r}."
            )
        return videos

    def _missing(self, message: str) -> FileNotFoundError:
        return FileNotFoundError(f"{message} {self.hint}" if self.hint else message)

    def prepare_data(self, idx: int) -> Any:
        """Run the pipeline on a video, or on one drawn by the sample's own seed in its place.

        Raises:
            TooManyBadSamplesError: more than ``max_bad_share`` of the tried videos are bad.
            VideoReadError: this one is, in test mode.
        """
        number, replacements = idx, None
        for _ in range(self.max_refetch + 1):
            self.bad_samples.begin(number)
            info = {**self.get_data_info(number), "sample_idx": idx}
            try:
                data = self._make(info, number)
            except VideoReadError as error:
                if self.test_mode:
                    raise
                self.bad_samples.add(number, error)
                replacements = replacements or generator(info, "replacement")
                number = int(replacements.integers(len(self)))
            else:
                self.bad_samples.add_good(number)
                return data
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
        pipeline: recipes of transforms.
        data_prefix: ``dict(video=folder)`` that relative paths start from.
        multi_class: whether a video has several labels.
        num_classes: number of classes, for ``multi_class``.
        delimiter: what parts path and label in ``ann_file``.
        max_bad_share: share of unreadable videos among those tried, [0, 1], above which training
            stops. Early on, 200 tried videos are assumed: .01 bears two bad ones.
        max_refetch: how many other videos to try in a row in place of a bad one.
        hint: where the data comes from; ends the error message when files are missing.
        test_mode: raise on a bad video instead of replacing it.

    Raises:
        FileNotFoundError: the list or videos of it do not exist.
        ValueError: an option is illegal.
    """

    def __init__(
        self,
        ann_file: str,
        pipeline: Sequence[dict | Callable],
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
            pipeline=pipeline,
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
        pipeline: transforms, beginning with DecordInit, SampleFrames, DecordDecode.
        data_prefix: ``dict(video=folder)`` that relative paths start from.
        num_repeats: draws of each video, >= 1.
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
        pipeline: Sequence[dict | Callable],
        data_prefix: dict | None = None,
        num_repeats: int = 2,
        max_bad_share: float = 0.01,
        max_refetch: int = 100,
        hint: str | None = None,
    ) -> None:
        self.hint = hint
        self.seed_sample = SeedSample()
        super().__init__(
            ann_file,
            pipeline=pipeline,
            data_prefix=data_prefix or dict(video=""),
            num_repeats=num_repeats,
            max_refetch=max_refetch,
        )
        self._begin_checks(max_bad_share)

    def _make(self, info: dict, number: int) -> Any:
        self.seed_sample(info)
        return RepeatAugDataset.prepare_data(self, number)


def video_file(filename: str) -> str:
    """Return the file that MMAction2's loaders open: without an ending they add one."""
    return filename if os.path.splitext(filename)[1] else f"{filename}.mp4"


def is_cut_short(path: str) -> bool:
    """Tell whether an AVI file ends before its first RIFF chunk does."""
    try:
        with open(video_file(path), "rb") as file:
            head = file.read(12)
            size = os.fstat(file.fileno()).st_size
    except OSError:
        return False  # not on a disk, or missing: the loader knows better
    is_avi = head[:4] == b"RIFF" and head[8:] == b"AVI "
    return is_avi and int.from_bytes(head[4:8], "little") + 8 > size
