"""Annotation files of parts of a list: few-shot, fractions, thirds by frame difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .consistency import check_lists
from .errors import PreparationError
from .few_shot import few_shot, fraction
from .frame_difference import PARTS, measured, thirds
from .locating import ProgressFactory
from .output_files import check_folder, check_free, write_file, write_files
from .prepare import Say
from .reading import read_lines
from .sources import FACTS
from .video_list import ListedVideo, VideoList, VideoLists, list_text, read_list


@dataclass(frozen=True)
class SubsetOptions:
    """What parts of which list.

    Args:
        source: an annotation file, ``path label`` a line.
        shots: numbers of videos of each class, one list for each and for each seed.
        fractions: shares of each class, (0, 1], one list for each and for each seed.
        seeds: of the draws.
        by_frame_difference: make the lists of the paper's Table 13.
        val: list that must share no video with this one; None: the one beside it with ``_val``
            for ``_train`` in its name, or ``val`` or ``test`` for ``train``, if there is one.
        num_classes: classes that must have videos; None: those of ``classes.txt`` beside the
            list, those of the data set that the list's name begins with, or up to the highest
            label.
        allow_fewer: take all videos of a class that has fewer than ``shots``.
        videos: folder of the videos, for frame differences; None: ``videos`` beside the list.
        out: folder for the folders of lists; None: that of the list.
        workers: processes; 0: one for each core.
        allow_missing: leave out videos that cannot be decoded.
        force: replace lists of other content.
    """

    source: Path
    shots: Sequence[int] = ()
    fractions: Sequence[float] = ()
    seeds: Sequence[int] = (0,)
    by_frame_difference: bool = False
    val: Path | None = None
    num_classes: int | None = None
    allow_fewer: bool = False
    videos: Path | None = None
    out: Path | None = None
    workers: int = 0
    allow_missing: bool = False
    force: bool = False


def make_subsets(
    options: SubsetOptions, say: Say = print, progress: ProgressFactory | None = None
) -> None:
    """Write ``few_shot/K-shot_seedS.txt``, ``fraction/F_seedS.txt``, ``frame_difference/PART.txt``.

    Args:
        options: which.
        say: takes what is reported, a line at a time.
        progress: shows how far frame differences have come.

    Raises:
        PreparationError: something is wrong; no list was written.
    """
    if not (options.shots or options.fractions or options.by_frame_difference):
        raise PreparationError("say which parts: --shots, --fractions or --frame-difference")
    if options.num_classes is not None and options.num_classes < 1:
        raise PreparationError(f"--num-classes {options.num_classes}: must be 1 or more")
    out = options.out or options.source.parent
    check_folder(out)
    videos, lists = _checked(options)
    files: dict[Path, str] = {}
    for seed in options.seeds:
        for shots in options.shots:
            drawn = few_shot(
                videos,
                shots,
                seed,
                lists.num_classes,
                options.allow_fewer,
                lists.classes,
                lists.empty_classes,
            )
            files[out / "few_shot" / f"{shots}-shot_seed{seed}.txt"] = list_text(drawn)
        for share in options.fractions:
            drawn = fraction(videos, share, seed, lists.num_classes, lists.empty_classes)
            files[out / "fraction" / f"{share:g}_seed{seed}.txt"] = list_text(drawn)
    check_free(files, options.force)  # before minutes of decoding
    if options.by_frame_difference:
        folder = out / "frame_difference"
        files |= _by_frame_difference(videos, folder, options, say, progress)
    write_files(files, options.force, say)


def _checked(options: SubsetOptions) -> tuple[list[ListedVideo], VideoLists]:
    """Return the videos of the list, once it and the list for validation make sense."""
    source = options.source
    videos = read_list(source)
    classes = source.with_name("classes.txt")
    names = [line for _, line in read_lines(classes)] if classes.is_file() else None
    known = next((f for f in FACTS.values() if source.name.startswith(f"{f.folder}_")), None)
    highest = max(video.label for video in videos)
    inferred = len(names) if names else known.num_classes if known else highest + 1
    count = inferred if options.num_classes is None else options.num_classes
    if names and len(names) != count:
        names = None
    group = [VideoList(source.name, videos)]
    lists = VideoLists(count, [group], names, known.empty_classes if known else frozenset())
    # Which class has too few videos is said where they are drawn.
    any_class = replace(lists, empty_classes=frozenset(range(count)))
    remedy = "Mend {}, or say the number of classes with --num-classes."
    check_lists(any_class, remedy.format(source))
    val = options.val or _val_beside(source)
    if val is not None:
        other = VideoList(val.name, read_list(val))
        check_lists(replace(any_class, groups=[[other]]), remedy.format(val))
        check_lists(
            replace(any_class, groups=[[*group, other]]),
            f"Take them out of {source} or of {val}; --val names another list for validation.",
        )
    return videos, lists


def _val_beside(source: Path) -> Path | None:
    for name in ("val", "test"):
        path = source.with_name(source.name.replace("train", name))
        if path != source and path.is_file():
            return path
    return None


def _by_frame_difference(
    videos: list[ListedVideo],
    folder: Path,
    options: SubsetOptions,
    say: Say,
    progress: ProgressFactory | None,
) -> dict[Path, str]:
    root = options.videos or options.source.parent / "videos"
    if not root.is_dir():
        raise PreparationError(f"{root} is no folder: name the folder of the videos with --videos")
    differences, problems = measured(
        videos, root, folder / "differences.csv", options.workers, progress
    )
    report = folder / "differences.missing.txt"
    report.unlink(missing_ok=True)
    if problems:
        write_file(report, "".join(f"{name}: {why}\n" for name, why in sorted(problems.items())))
        message = f"{len(problems)} of {len(videos)} videos cannot be measured; all: {report}"
        if not options.allow_missing:
            raise PreparationError(
                f"{message}. Get them again, name their folder with --videos, or leave them out "
                "with --allow-missing. No list was written."
            )
        say(f"{message}; left out, as --allow-missing asks")
    kept = [video for video in videos if video.name in differences]
    if not kept:
        raise PreparationError("no video could be measured")
    parts = thirds(kept, differences)
    for part in PARTS:
        values = sorted(differences[video.name] for video in parts[part])
        if values:
            say(f"{part}: {len(values)} videos, {values[0]:.2f} to {values[-1]:.2f} grey levels")
    return {folder / f"{part}.txt": list_text(parts[part]) for part in PARTS}
