"""How much the frames of videos differ, and the three parts of a list by it (paper, Table 13)."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..video_reading import NamedErrors
from .errors import PreparationError
from .locating import ProgressFactory
from .output_files import write_file
from .video_list import ListedVideo, in_order
from .video_processes import ReadFailure, read_videos

#: Side of the square that frames are decoded to, in pixels.
SIDE = 112
#: The parts, from the largest differences to the smallest.
PARTS = ("large", "medium", "small")
_HEADER = ["path", "bytes", "frames", f"mean_abs_difference_{SIDE}px"]
_AT_ONCE = 64  # frames


def thirds(
    videos: Sequence[ListedVideo], differences: Mapping[str, float]
) -> dict[str, list[ListedVideo]]:
    """Cut a list by average frame difference, over all its classes together (Sec. 4, Table 13).

    Large: the top 50 %; medium: from the 25th to the 75th percentile; small: the bottom 50 %. So
    large and small are disjoint and together everything, and medium is half of each. Of equal
    differences the first by name counts as smaller.

    Args:
        videos: of a list.
        differences: name -> average frame difference.

    Returns:
        Part -> its videos, in the order of label and name.
    """
    ranked = sorted(videos, key=lambda video: (differences[video.name], video.name))
    quarter, half, three = ((len(ranked) * k + 2) // 4 for k in (1, 2, 3))
    cuts = {"large": ranked[half:], "medium": ranked[quarter:three], "small": ranked[:half]}
    return {part: in_order(cuts[part]) for part in PARTS}


def frame_difference(path: str) -> tuple[int, float]:
    """Measure the mean absolute difference of successive frames.

    Frames are decoded to 112 x 112 pixels, whatever their proportions; the mean goes over frames,
    pixels and colours.

    Args:
        path: of a video.

    Returns:
        Number of frames, and the difference in grey levels, [0, 255].

    Raises:
        VideoReadError: the video cannot be decoded or has one frame only.
    """
    results: dict = NamedErrors(_measure)(dict(filename=path))
    return results["total_frames"], results["difference"]


def measured(
    videos: Sequence[ListedVideo],
    folder: Path,
    table: Path,
    workers: int,
    progress: ProgressFactory | None = None,
) -> tuple[dict[str, float], dict[str, str]]:
    """Measure videos, or look them up where that was done before.

    Every result is appended to the table as it comes, so that a run which was stopped goes on. A
    video is known by its path and its number of bytes.

    Args:
        videos: with paths below the folder.
        folder: of videos.
        table: CSV file of what was measured.
        workers: processes; 0: all cores.
        progress: shows how far it has come; None: nothing does.

    Returns:
        Path -> difference in grey levels, and path -> why it has none.

    Raises:
        PreparationError: the table is none of ours or cannot be written.
    """
    known = _read(table)
    differences, problems, sizes = {}, {}, {}
    for video in videos:
        try:
            sizes[video.name] = os.stat(folder / video.name).st_size
        except OSError:
            problems[video.name] = "does not exist"
            continue
        if known.get(video.name, (-1, 0.0))[0] == sizes[video.name]:
            differences[video.name] = known[video.name][1]
    new = [name for name in sizes if name not in differences]
    if not new:
        return differences, problems
    bar = progress(len(new)) if progress else None
    with open(table, "a", encoding="utf-8", errors="surrogateescape", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        for number, result in read_videos(
            frame_difference, [str(folder / name) for name in new], workers, timeout=600.0
        ):
            name = new[number]
            if isinstance(result, ReadFailure):
                problems[name] = result.reason
            else:
                frames, differences[name] = result
                rows.writerow([name, sizes[name], frames, repr(differences[name])])
                file.flush()
            if bar:
                bar.add()
    if bar:
        bar.finish()
    return differences, problems


def _measure(results: dict) -> dict:
    from decord import VideoReader, logging

    logging.set_level(logging.QUIET)
    reader = VideoReader(results["filename"], width=SIDE, height=SIDE, num_threads=1)
    count = len(reader)
    if count < 2:
        raise ValueError(f"it has {count} frame, and a difference needs two")
    total = sum(_differences(reader, count))
    return {**results, "total_frames": count, "difference": total / (count - 1)}


def _differences(reader: Any, count: int) -> Iterator[float]:
    last = None
    for start in range(0, count, _AT_ONCE):
        frames = (
            reader.get_batch(list(range(start, min(start + _AT_ONCE, count))))
            .asnumpy()
            .astype(np.int16)
        )
        for frame in frames:
            if last is not None:
                # Not OpenCV: its threads do not outlive the fork of a process that used them.
                yield float(np.abs(frame - last).mean(dtype=np.float64))
            last = frame


def _read(table: Path) -> dict[str, tuple[int, float]]:
    """Read what was measured, and make the table ready to be appended to."""
    text = table.read_text("utf-8", "surrogateescape") if table.exists() else ""
    whole = text[: text.rfind("\n") + 1]  # the last line of a run that was killed may be cut
    rows = list(csv.reader(io.StringIO(whole)))
    if rows and rows[0] != _HEADER:
        raise PreparationError(
            f"{table}, line 1: is no table of this version ({','.join(_HEADER)}): delete or rename "
            "it, and it is made anew"
        )
    if not rows:
        whole = ",".join(_HEADER) + "\n"
    if whole != text:
        write_file(table, whole)
    known = {}
    for number, row in enumerate(rows[1:], 2):
        try:
            name, size, _, difference = row
            known[name] = (int(size), float(difference))
        except ValueError:
            raise PreparationError(
                f"{table}, line {number}: {','.join(row)!r} is not path, bytes, frames and "
                "difference: delete the line, and the video is measured again"
            ) from None
    return known
