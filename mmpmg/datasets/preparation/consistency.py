"""Whether lists make sense, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .errors import stop_for
from .video_list import ListedVideo, VideoList, VideoLists


def check_lists(lists: VideoLists, remedy: str) -> None:
    """Check labels, classes, repetitions, and that train and val share no video.

    Args:
        lists: as they were read, or with the videos that were found.
        remedy: what to do; ends the message.

    Raises:
        PreparationError: something is wrong; names files and lines.
    """
    problems: list[str] = []
    for group in lists.groups:
        for one in group:
            problems += _labels(one.videos, lists)
            problems += _repetitions(one.videos)
        problems += _shared(group)
    stop_for(problems, remedy)
    # Of lists that are wrong otherwise, empty classes would be mere consequences.
    stop_for([text for group in lists.groups for one in group for text in _empty(one, lists)],
             remedy)  # fmt: skip


def check_shared(group: Sequence[VideoList], remedy: str) -> None:
    """Check that lists share no video.

    Args:
        group: lists of one group.
        remedy: what to do; ends the message.

    Raises:
        PreparationError: they do; names files and lines.
    """
    stop_for(list(_shared(group)), remedy)


def sizes(lists: VideoLists) -> Iterator[str]:
    """Say which lists are not as long as the published ones."""
    for one in (one for group in lists.groups for one in group):
        if one.published not in (None, len(one.videos)):
            yield (
                f"{one.file_name}: {len(one.videos)} videos; the published list has {one.published}"
            )


def _labels(videos: Sequence[ListedVideo], lists: VideoLists) -> Iterator[str]:
    for video in videos:
        if not 0 <= video.label < lists.num_classes:
            yield (
                f"{video.where}: label {video.label} of {video.name} must be in "
                f"[0, {lists.num_classes - 1}]"
            )


def _repetitions(videos: Sequence[ListedVideo]) -> Iterator[str]:
    first: dict[str, ListedVideo] = {}
    for video in videos:
        other = first.setdefault(video.name, video)
        if other is not video:
            labels = "" if other.label == video.label else (
                f", with label {video.label} here and {other.label} there")  # fmt: skip
            yield f"{video.where}: {video.name} stands in {other.where}, too{labels}"


def _shared(group: Sequence[VideoList]) -> Iterator[str]:
    seen: dict[str, tuple[int, ListedVideo]] = {}
    for number, one in enumerate(group):
        for video in one.videos:
            owner, other = seen.setdefault(video.name, (number, video))
            if owner != number:
                yield (
                    f"{video.where}: {video.name} is a video of {group[owner].file_name}, too "
                    f"({other.where})"
                )


def _empty(one: VideoList, lists: VideoLists) -> Iterator[str]:
    used = {video.label for video in one.videos}
    empty = [k for k in range(lists.num_classes) if k not in used and k not in lists.empty_classes]
    if empty:
        shown = ", ".join(map(lists.class_name, empty[:5])) + (", ..." if len(empty) > 5 else "")
        yield (
            f"{one.file_name}: {len(empty)} of {lists.num_classes} classes have no video: {shown}"
        )
