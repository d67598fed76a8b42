"""The videos that features are extracted from: a folder, a list or a file."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from torch import Tensor
from torch.utils.data import DataLoader

from mmpmg.datasets.checked_videos import CheckedVideoDataset
from mmpmg.datasets.preparation.errors import PreparationError
from mmpmg.datasets.preparation.video_index import ENDINGS, videos_below
from mmpmg.datasets.video_reading import VideoReadError, video_file

from .errors import ExtractionError


@dataclass
class Decoded:
    """The views of one video.

    Args:
        number: of the video in its set.
        views: (V, C, T, H, W) uint8.
    """

    number: int
    views: Tensor


@dataclass
class Unreadable:
    """A video that cannot be read.

    Args:
        number: of the video in its set.
        reason: begins with its path.
    """

    number: int
    reason: str


class Videos(CheckedVideoDataset):
    """Videos in an order that depends on nothing but their names or their list.

    Args:
        source: a folder, whose videos are taken with those of the folders below it, in the order of
            their paths; a video; or a list, ``path label`` or ``path`` a line, in its order.
        root: folder that relative paths of a list start from.
        pipeline: recipes of transforms, a list.
        max_bad_share: share of unreadable videos among those tried, [0, 1], above which
            `BadSamples` stops the run.

    Raises:
        ExtractionError: there is no video, or no such file.
        FileNotFoundError: the list names videos that do not exist.
    """

    def __init__(
        self, source: str, root: str, pipeline: Sequence[dict], max_bad_share: float
    ) -> None:
        path = Path(source)
        if not path.exists():
            raise ExtractionError(f"VIDEOS {source}: there is no such folder, list or video")
        self.folder = str(path) if path.is_dir() else root
        self.names: list[str] = []
        super().__init__(
            source,
            pipeline=pipeline,
            data_prefix=dict(video=root),
            max_bad_share=max_bad_share,
            hint="Here that is --root.",
            test_mode=True,
        )

    def load_data_list(self) -> list[dict]:
        """List the videos."""
        path = Path(self.ann_file)
        if path.is_dir():
            try:
                found = videos_below(path)
            except PreparationError as error:
                raise ExtractionError(f"VIDEOS {path}: {error}") from None
            # What is broken is tried like the rest, so that it is counted, named and skipped.
            names = sorted(found.videos + found.broken)
            if not names:
                raise ExtractionError(
                    f"VIDEOS {path}: neither this folder nor one below it holds a video "
                    f"({' '.join(ENDINGS)})"
                )
            listed: list[dict[str, Any]] = [
                dict(filename=str(path / name), label=-1) for name in names
            ]
        elif path.suffix.lower() in ENDINGS:
            names, listed = [path.name], [dict(filename=str(path), label=-1)]
        else:
            listed = super().load_data_list()
            before = f"{self.folder.rstrip('/')}/" if self.folder else ""
            names = [str(one["filename"]).removeprefix(before) for one in listed]
        self.names = names
        self.labels = [int(one["label"]) for one in listed]
        return listed

    def fingerprint(self) -> dict[str, Any]:
        """Return what tells this set from others: its size, and a hash of names and labels."""
        digest = hashlib.sha256()
        for name, label in zip(self.names, self.labels, strict=True):
            digest.update(f"{name}\n{label}\n".encode("utf-8", "surrogateescape"))
        return dict(number=len(self), sha256=digest.hexdigest())

    def prepare_data(self, idx: int) -> Decoded | Unreadable:
        """Decode a video, or say why that is not possible."""
        self.bad_samples.begin(idx)
        try:
            info = self.get_data_info(idx)
            _check_file(str(info["filename"]))
            return Decoded(idx, self.pipeline(info)["inputs"])
        except VideoReadError as error:
            return Unreadable(idx, str(error))
        finally:
            self.bad_samples.end()


def _check_file(name: str) -> None:
    """Refuse what no decoder can open, or would wait for without end.

    Raises:
        VideoReadError: there is no regular file of this name, or the name is not UTF-8.
    """
    if "://" in name:
        return
    path = video_file(name)
    try:
        path.encode()
        regular = stat.S_ISREG(os.stat(path).st_mode)
    except UnicodeEncodeError:
        readable = os.fsencode(name).decode("utf-8", "backslashreplace")
        raise VideoReadError(readable, "the name is not UTF-8; rename it") from None
    except OSError as error:
        link = f"a link to {os.readlink(path)}: " if os.path.islink(path) else ""
        raise VideoReadError(name, f"{link}{error.strerror}") from None
    if not regular:
        raise VideoReadError(name, "is no regular file")


def video_loader(videos: Videos, batches: list[list[int]], workers: int, pin: bool) -> DataLoader:
    """Load batches of videos in the order given.

    Args:
        videos: the set.
        batches: numbers of videos.
        workers: processes that decode; 0: none, this one does.
        pin: whether to prepare the transfer to a GPU.
    """
    cv2.setNumThreads(1)  # threads of OpenCV do not survive the fork of a worker
    return DataLoader(
        videos, batch_sampler=batches, num_workers=workers, collate_fn=list, pin_memory=pin
    )
