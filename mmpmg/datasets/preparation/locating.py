"""Whether the videos of lists exist and open, and what is said about those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ..video_reading import NamedErrors, OpenByPath
from .video_index import VideoIndex, folders_agreeing
from .video_list import ListedVideo, VideoList, VideoLists
from .video_processes import ReadFailure, read_videos


class ProgressBar(Protocol):
    """What shows how far a long job has come."""

    def add(self, count: int = 1) -> None:
        """Count what is done."""

    def finish(self) -> None:
        """Say the last word."""


#: Takes how many videos there are.
ProgressFactory = Callable[[int], ProgressBar]


def locate(lists: VideoLists, index: VideoIndex) -> tuple[VideoLists, dict[str, str]]:
    """Give every video the path of its file below the folder of videos.

    Args:
        lists: with the names of the published lists.
        index: the files that are there.

    Returns:
        The lists with paths, and name -> why it has none; those keep their names.
    """
    problems: dict[str, str] = {}

    def found(video: ListedVideo) -> ListedVideo:
        paths = index.find(video.name)
        if len(paths) == 1:
            return video._replace(name=paths[0])
        if paths:
            problems[video.name] = f"fits several files: {', '.join(paths[:3])}"
        else:
            others = index.namesakes(video.name)
            elsewhere = f" in its folder; {others[0]} has its name" if others else ""
            problems[video.name] = f"does not exist{elsewhere}"
        return video

    return _map(lists, lambda one: [found(video) for video in one.videos]), problems


def moved(published: VideoLists, located: VideoLists) -> Iterator[str]:
    """Say of which lists files were taken from a folder of another name than the list has.

    Args:
        published: with the names of the published lists.
        located: the same lists, with paths.
    """
    for group, there in zip(published.groups, located.groups, strict=True):
        for one, other in zip(group, there, strict=True):
            pairs = [
                (wanted.name, taken.name)
                for wanted, taken in zip(one.videos, other.videos, strict=True)
                if "/" in wanted.name and wanted.name != taken.name
                and not folders_agreeing(wanted.name, taken.name)
            ]  # fmt: skip
            if pairs:
                yield (
                    f"{one.file_name}: {len(pairs)} of {len(one.videos)} videos are in folders of "
                    f"other names than in the list, for example {pairs[0][0]} as {pairs[0][1]}"
                )


def unreadable(
    lists: VideoLists, folder: Path, workers: int, progress: ProgressFactory | None
) -> dict[str, str]:
    """Open every video and decode its first frame, each once.

    Args:
        lists: with paths below the folder.
        folder: of videos.
        workers: processes; 0: all cores.
        progress: shows how far it has come; None: nothing does.

    Returns:
        Path -> why it cannot be read.
    """
    paths = sorted({video.name for group in lists.groups for one in group for video in one.videos})
    bar = progress(len(paths)) if progress else None
    problems = {}
    for number, result in read_videos(open_video, [str(folder / path) for path in paths], workers):
        if isinstance(result, ReadFailure):
            problems[paths[number]] = result.reason
        if bar:
            bar.add()
    if bar:
        bar.finish()
    return problems


def without(lists: VideoLists, problems: dict[str, str]) -> VideoLists:
    """Return the lists without some videos."""
    return _map(lists, lambda one: [video for video in one.videos if video.name not in problems])


def open_video(path: str) -> None:
    """Open a video as training does and decode its first frame.

    Raises:
        VideoReadError: that fails.
    """
    import decord

    decord.logging.set_level(decord.logging.QUIET)  # the report says it
    NamedErrors(_first_frame)(dict(filename=path))


def _first_frame(results: dict) -> dict:
    results = OpenByPath(num_threads=1)(results)
    if results["total_frames"]:
        results["video_reader"][0].asnumpy()
    return results


def _map(lists: VideoLists, videos: Callable[[VideoList], list[ListedVideo]]) -> VideoLists:
    groups = [[replace(one, videos=videos(one)) for one in group] for group in lists.groups]
    return replace(lists, groups=groups)
