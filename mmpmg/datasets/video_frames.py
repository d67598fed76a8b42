"""One frame of each video as an image: "FT data" of the PMG paper (Sec. 4, Table 4)."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from typing import Any, ClassVar

import numpy as np
from mmaction.registry import DATASETS

from .file_check import CHECKS, missing_files
from .generated_images import positive
from .image_decoding import ImageReadError
from .image_sources import no_images
from .path_index import PathIndex
from .video_reading import video_file

_NO_DECORD = (
    "VideoFrames needs decord, which decodes the videos: pip install decord (there are wheels for "
    "Linux on x86-64 and for Windows only)"
)


@DATASETS.register_module()
class VideoFrames:
    """A number of random frames of each video of a list.

    Image ``index`` is draw ``index // V`` of video ``index % V`` of the list's V videos. A video is
    cut into ``frames_per_video`` parts of equal length, and draw k takes a uniformly random frame
    of part k; with one frame a video, of all of it. Which one follows from (seed, path as the list
    has it, draw) alone, so that a list may be shortened, sorted or joined with another. `load` and
    `name` go on beyond the length with further draws: with ``endless=True`` of
    `ImageToPseudoVideo` every epoch takes other frames. decord seeks the key frame before the
    frame and decodes from there; the rest is not decoded.

    Args:
        ann_file: MMAction2's list: ``path label`` a line, or ``path`` alone.
        root: folder that relative paths start from.
        frames_per_video: how many frames of each.
        seed: another seed takes other frames.
        delimiter: what parts path and label; ``" "`` stands for tabs, too.
        check: which videos must exist before training starts, as in `ListImages`.
        hint: what to do when the list or its videos are missing; ends the error message.

    Raises:
        FileNotFoundError: the list is missing or empty, or names videos that do not exist.
        ImportError: decord is not installed.
        ValueError: an option is illegal.
    """

    #: The images do not end with the length.
    endless: ClassVar[bool] = True

    def __init__(
        self,
        ann_file: str,
        root: str = "",
        frames_per_video: int = 1,
        seed: int = 0,
        delimiter: str = " ",
        check: str = "sample",
        hint: str | None = None,
    ) -> None:
        if check not in CHECKS:
            raise ValueError(f"images.check={check!r}: must be one of {', '.join(CHECKS)}")
        if seed < 0:
            raise ValueError(f"images.seed={seed}: must be 0 or more")
        if not delimiter:
            raise ValueError("images.delimiter='': must be at least one character")
        if importlib.util.find_spec("decord") is None:
            raise ImportError(_NO_DECORD)
        self.ann_file = os.path.expanduser(ann_file)
        self.root = os.path.expanduser(root)
        self.frames_per_video = positive(frames_per_video, "images.frames_per_video")
        self.seed = seed
        if not os.path.isfile(self.ann_file):
            raise no_images(
                f"The video list {ann_file} (images.ann_file in the recipe) does not exist.", hint
            )
        with open(self.ann_file, "rb") as file:
            lines = PathIndex.from_lines(file.read())
        parts = [_path_and_label(lines[i], delimiter.encode()) for i in range(len(lines))]
        self._paths = PathIndex.from_paths(path for path, _ in parts)
        self._labels = np.array([label for _, label in parts], np.int32)
        if not len(lines):
            raise no_images(f"The video list {ann_file} names no video.", hint)
        missing = missing_files(self._file, len(lines), check)
        if missing:
            raise no_images(
                f"{len(missing)} of the {len(lines)} videos that {self.ann_file} names do not "
                f"exist, for example {', '.join(missing[:3])}. Relative paths start from "
                f"images.root={self.root!r}; path and label are parted by "
                f"images.delimiter={delimiter!r}.",
                hint,
            )

    def __len__(self) -> int:
        return len(self._paths) * self.frames_per_video

    def address(self, index: int) -> tuple[int, int]:
        """Return (video, draw) of an image.

        Raises:
            IndexError: ``index`` is negative.
        """
        if index < 0:
            raise IndexError(f"image {index}: must be 0 or more")
        return index % len(self._paths), index // len(self._paths)

    def position(self, index: int) -> float:
        """Return where in its video an image lies, in [0, 1)."""
        video, draw = self.address(index)
        text = b"%d %d " % (self.seed, draw) + self._paths[video]
        digest = hashlib.blake2b(text, digest_size=8).digest()
        fraction = (int.from_bytes(digest, "little") >> 11) / 2**53
        part = draw % self.frames_per_video
        return (part + fraction) / self.frames_per_video

    def name(self, index: int) -> str:
        """Return the video of an image; with several frames a video also which one it is."""
        video, draw = self.address(index)
        file = self._file(video)
        return file if draw == 0 and self.frames_per_video == 1 else f"{file}, draw {draw}"

    def categories(self) -> np.ndarray:
        """Return the label of every image's video, (N,) int32.

        Raises:
            ValueError: the list has none, or not for all videos.
        """
        without = int((self._labels < 0).sum())
        if without:
            raise ValueError(
                f"{without} of the {len(self._paths)} lines of {self.ann_file} have no label, so "
                "its frames have no categories: use subset='random', or give every line a label"
            )
        return np.tile(self._labels, self.frames_per_video)

    def load(self, index: int) -> np.ndarray:
        """Decode a frame, (H, W, 3) uint8 RGB.

        Raises:
            ImageReadError: the video is missing, corrupt or has no frames.
        """
        file = self._file(self.address(index)[0])
        name = self.name(index)
        try:
            if not os.path.getsize(file):
                raise ImageReadError(name, "the file is empty")
            cut_short = _is_cut_short(file)
        except OSError as error:
            raise ImageReadError(name, error.strerror or type(error).__name__) from error
        if cut_short:
            # decord decodes ahead, and whether a frame comes before that fails is a race: what is
            # bad must be bad in every run.
            raise ImageReadError(name, "the AVI file is shorter than its header says")
        reader_of = _video_reader()
        try:
            reader = reader_of(file, num_threads=1)
            count = len(reader)
            frame = reader[int(self.position(index) * count)].asnumpy() if count else None
        except Exception as error:  # decord raises its own kind, and RuntimeError
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise ImageReadError(name, f"cannot be decoded: {reason[0]}") from error
        if frame is None:
            raise ImageReadError(name, "the video has no frames")
        return np.ascontiguousarray(frame)

    def _file(self, video: int) -> str:
        return video_file(os.path.join(self.root, os.fsdecode(self._paths[video])))


def _path_and_label(line: bytes, delimiter: bytes) -> tuple[bytes, int]:
    """Part a line at its last delimiter, if a whole number follows; the label is -1 if not."""
    path, *rest = line.rsplit(None if delimiter == b" " else delimiter, 1)
    if rest and rest[0].strip().isdigit() and int(rest[0]) < 2**31:
        return path.strip(), int(rest[0])
    return line, -1


def _is_cut_short(path: str) -> bool:
    """Tell whether an AVI file ends before its first RIFF chunk does."""
    with open(path, "rb") as file:
        head = file.read(12)
        size = os.fstat(file.fileno()).st_size
    is_avi = head[:4] == b"RIFF" and head[8:] == b"AVI "
    return is_avi and int.from_bytes(head[4:8], "little") + 8 > size


def _video_reader() -> Any:
    try:
        from decord import VideoReader
    except ImportError as error:
        raise ImportError(_NO_DECORD) from error
    return VideoReader
