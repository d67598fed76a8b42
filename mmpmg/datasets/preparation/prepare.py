"""From a data set as it was downloaded to annotation files, all checks before the first write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .consistency import check_lists, check_shared, sizes
from .errors import PreparationError
from .locating import ProgressFactory, locate, moved, unreadable, without
from .output_files import check_folder, check_free, write_file, write_files
from .sources import DatasetSource
from .video_index import VideoIndex
from .video_list import VideoList, VideoLists, list_text, read_list

Say = Callable[[str], None]


@dataclass(frozen=True)
class PreparationOptions:
    """What is the same for all data sets.

    Args:
        root: folder of all data sets.
        videos: folder of the videos; None: ``videos`` in the data set's folder.
        out: folder for the lists; None: the data set's folder.
        open_videos: decode the first frame of each video; else only look whether the file exists.
        workers: processes that open videos; 0: one for each core.
        allow_missing: leave out videos that do not exist or open, instead of stopping.
        force: replace lists of other content.
    """

    root: Path = Path("data")
    videos: Path | None = None
    out: Path | None = None
    open_videos: bool = True
    workers: int = 0
    allow_missing: bool = False
    force: bool = False


def prepare(
    source: DatasetSource,
    options: PreparationOptions,
    say: Say = print,
    progress: ProgressFactory | None = None,
) -> None:
    """Write the annotation files of a data set, and ``classes.txt`` where its classes have names.

    Args:
        source: reads the published lists.
        options: where from and to, and what to check.
        say: takes what is reported, a line at a time.
        progress: shows how far the opening of the videos has come.

    Raises:
        PreparationError: something is wrong; no list was written. What is missing stands in
            ``LIST.missing.txt`` beside where the list would be.
    """
    folder = options.root / source.facts.folder
    out = options.out or folder
    check_folder(out)
    index = VideoIndex(options.videos or folder / "videos")
    say(f"{index.folder}: {_videos(len(index.paths))}")
    published = source.read(index)
    check_lists(published, source.remedy)
    for line in sizes(published):
        say(f"note: {line}")
    lists, absent = locate(published, index)
    for line in moved(published, lists):
        say(f"note: {line}")
    reports = {_report(one, out): "" for group in lists.groups for one in group}
    _stop_for_missing(lists, absent, options, reports, out, say)
    lists = without(lists, absent)
    _check_found(lists, reports)
    _check_siblings(lists, out)
    if not options.allow_missing:
        check_free(_files(lists, out), options.force)  # before minutes of opening
    if options.open_videos:
        broken = unreadable(lists, index.folder, options.workers, progress)
        _stop_for_missing(lists, broken, options, reports, out, say)
        lists = without(lists, broken)
        _check_found(lists, reports)
    for one in (one for group in lists.groups for one in group):
        blanks = sum(" " in video.name for video in one.videos)
        if blanks:
            say(
                f"note: {one.file_name}: {blanks} names hold blanks; CheckedVideoDataset reads "
                "them, MMAction2's VideoDataset needs another delimiter"
            )
    check_free(_files(lists, out), options.force)
    _write_reports(reports)
    write_files(_files(lists, out), options.force, say)


def _check_found(lists: VideoLists, reports: dict[Path, str]) -> None:
    """Check the lists once more, with the videos that were found and without those left out."""
    files = ", ".join(str(path) for path, text in reports.items() if text)
    try:
        check_lists(
            lists,
            f"Counted are the videos that are there and open: get the others again (all of them: "
            f"{files}), or, where too few are left beside those to train on, ask for fewer --shots."
            if files
            else "Look below the folder of videos for what stands twice.",
        )
    except PreparationError:
        if files:  # which the message names
            _write_reports(reports)
        raise


def _check_siblings(lists: VideoLists, out: Path) -> None:
    """Check lists that come alone against those that an earlier run wrote for the other part."""
    for group in lists.groups:
        if len(group) == 1:
            name = group[0].file_name
            other = out / _other_part(name)
            if other.name != name and other.is_file():
                check_shared(
                    [VideoList(str(other), read_list(other)), *group],
                    f"Validation on videos of training says nothing: take lists of one split, or "
                    f"delete {other} if it is of another.",
                )


def _other_part(name: str) -> str:
    swapped = name.replace("_train_", "_val_")
    return swapped if swapped != name else name.replace("_val_", "_train_")


def _files(lists: VideoLists, out: Path) -> dict[Path, str]:
    files = {out / one.file_name: list_text(one.videos) for group in lists.groups for one in group}
    if lists.classes:
        files[out / "classes.txt"] = "".join(f"{name}\n" for name in lists.classes)
    return files


def _stop_for_missing(
    lists: VideoLists,
    problems: dict[str, str],
    options: PreparationOptions,
    reports: dict[Path, str],
    out: Path,
    say: Say,
) -> None:
    """Report what is missing or broken, and stop unless allowed.

    The full lists go into ``reports``, which are written when it stops, or else with the lists:
    the report beside a list that stays is that list's own.
    """
    for one in (one for group in lists.groups for one in group):
        lines = [f"{v.name}: {problems[v.name]}\n" for v in one.videos if v.name in problems]
        if not lines:
            continue
        reports[_report(one, out)] += "".join(lines)
        say(
            f"{one.file_name}: {len(lines)} of {_videos(len(one.videos))} cannot be used, for "
            "example"
        )
        for line in lines[:3]:
            say(f"  {line.rstrip()}")
    if not problems:
        return
    files = ", ".join(str(path) for path, text in reports.items() if text)
    if not options.allow_missing:
        _write_reports(reports)
        raise PreparationError(
            f"{_videos(len(problems))} {'is' if len(problems) == 1 else 'are'} missing or cannot "
            f"be opened; all of them: {files}. Get them again, name their folder with --videos, "
            "or leave them out with --allow-missing. No list was written."
        )
    say(f"left out, as --allow-missing asks; all of them: {files}")


def _report(one: VideoList, out: Path) -> Path:
    return (out / one.file_name).with_suffix(".missing.txt")


def _write_reports(reports: dict[Path, str]) -> None:
    for path, text in reports.items():
        if text:
            write_file(path, text)
        else:
            path.unlink(missing_ok=True)  # of an earlier run


def _videos(number: int) -> str:
    return f"{number} video{'s' * (number != 1)}"
