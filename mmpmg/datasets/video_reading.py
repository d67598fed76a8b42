"""Reading a video: errors that name it, and a reader that survives files which are cut short."""

from __future__ import annotations

import os
from collections.abc import Callable

from mmaction.datasets.transforms import loading

#: MMAction2's transforms that open a video, and those that decode it.
READING = (
    loading.DecordInit,
    loading.PyAVInit,
    loading.OpenCVInit,
    loading.DecordDecode,
    loading.PyAVDecode,
    loading.OpenCVDecode,
)


class VideoReadError(RuntimeError):
    """A video cannot be read; the message names it and says why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class NamedErrors:
    """A transform that reads a video; its errors name the file."""

    def __init__(self, transform: Callable[[dict], dict]) -> None:
        self.transform = transform

    def __call__(self, results: dict) -> dict:
        """Apply the transform.

        Raises:
            VideoReadError: it failed, or the video has no frames.
        """
        path = results["filename"]
        try:
            results = self.transform(results)
        except (ImportError, MemoryError):
            raise  # not the file's fault
        except Exception as error:
            raise VideoReadError(path, _reason(path, error)) from error
        if results.get("total_frames", 1) < 1:
            raise VideoReadError(path, "the video has no frames")
        return results

    def __repr__(self) -> str:
        return repr(self.transform)


class OpenByPath:
    """MMAction2's ``DecordInit``, but decord reads the file itself.

    MMAction2 hands it the bytes; from memory decord 0.6 crashes, process and all, on an AVI that is
    cut short, and by its path it reads the frames that are there.
    """

    def __init__(self, num_threads: int) -> None:
        self.num_threads = num_threads

    def __call__(self, results: dict) -> dict:
        """Add ``video_reader``, ``total_frames`` and ``avg_fps``."""
        from decord import VideoReader

        reader = VideoReader(video_file(results["filename"]), num_threads=self.num_threads)
        results["video_reader"] = reader
        results["total_frames"] = len(reader)
        results["avg_fps"] = reader.get_avg_fps()
        return results

    def __repr__(self) -> str:
        return f"DecordInit(by path, num_threads={self.num_threads})"


def naming_its_video(step: Callable[[dict], dict]) -> Callable[[dict], dict]:
    """Make a step of a pipeline name the file where it cannot read it.

    Args:
        step: Any transform.

    Returns:
        What stands in the place of one that reads a video; any other as it is.
    """
    if isinstance(step, loading.DecordInit) and step.io_backend == "disk":
        return NamedErrors(OpenByPath(step.num_threads))
    return NamedErrors(step) if isinstance(step, READING) else step


def _reason(path: str, error: Exception) -> str:
    """Say why a video cannot be read, as far as the file itself shows it."""
    try:
        with open(video_file(path), "rb") as file:
            head = file.read(12)
    except OSError as missing:
        return missing.strerror or str(missing)
    if not head:
        return "the file is empty"
    words = str(error).strip().splitlines() or [type(error).__name__]
    return f"cannot be decoded ({words[0].rstrip('.')}); it begins with {head!r}"


def video_file(filename: str) -> str:
    """Return the file that MMAction2's loaders open: without an ending they add one."""
    return filename if os.path.splitext(filename)[1] else f"{filename}.mp4"
