"""Parts of a list: as many videos of each class, or a share of each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from .errors import PreparationError, stop_for
from .video_list import ListedVideo, in_order

_NO_VIDEO = (
    "A class without any video is an error in any case: add its videos to the list, or renumber "
    "the labels from 0 without a gap; where the missing classes are the last ones, --num-classes "
    "without them will do."
)


def few_shot(
    videos: Sequence[ListedVideo],
    shots: int,
    seed: int,
    num_classes: int,
    allow_fewer: bool = False,
    classes: Sequence[str] | None = None,
    empty_classes: Collection[int] = (),
) -> list[ListedVideo]:
    """Take as many videos of each class.

    Which ones follows from (seed, name of the video) alone: a smaller draw is part of a larger one
    of the same seed, and neither the order of the list nor the machine nor the videos of other
    classes matter.

    Args:
        videos: of a list.
        shots: videos of each class, 1 or more.
        seed: another seed draws others, 0 or more.
        num_classes: classes that must be there.
        allow_fewer: take all videos of a class that has fewer; none is never allowed.
        classes: their names, for messages.
        empty_classes: classes of which the published lists have no video.

    Returns:
        The videos in the order of label and name.

    Raises:
        PreparationError: a class has too few videos, or an option is illegal.
    """
    if shots < 1:
        raise PreparationError(f"--shots {shots}: must be 1 or more")
    drawn = _shuffled(videos, seed, num_classes)
    problems = []
    for label, of_class in enumerate(drawn):
        enough = len(of_class) >= shots or label in empty_classes or (allow_fewer and of_class)
        if not enough:
            name = f"{label} ({classes[label]})" if classes else str(label)
            videos_of_it = f"{len(of_class)} video{'s' * (len(of_class) != 1)}"
            problems.append(f"class {name} has {videos_of_it}, {shots} are asked for")
    stop_for(
        problems,
        (
            "Ask for fewer --shots, or take what is there with --allow-fewer."
            if all(of_class or label in empty_classes for label, of_class in enumerate(drawn))
            else _NO_VIDEO
        ),
    )
    return in_order(video for of_class in drawn for video in of_class[:shots])


def fraction(
    videos: Sequence[ListedVideo],
    share: float,
    seed: int,
    num_classes: int,
    empty_classes: Collection[int] = (),
) -> list[ListedVideo]:
    """Take a share of each class, to the nearest number of videos, one at least.

    Smaller shares are part of larger ones of the same seed, as in `few_shot`.

    Args:
        videos: of a list.
        share: in (0, 1].
        seed: another seed draws others, 0 or more.
        num_classes: classes that must be there.
        empty_classes: classes of which the published lists have no video.

    Returns:
        The videos in the order of label and name.

    Raises:
        PreparationError: a class has no video, or an option is illegal.
    """
    if not 0 < share <= 1:
        raise PreparationError(f"--fractions {share}: must be above 0, and 1 at most")
    drawn = _shuffled(videos, seed, num_classes)
    empty = [label for label, own in enumerate(drawn) if not own and label not in empty_classes]
    stop_for([f"class {label} has no video" for label in empty], _NO_VIDEO)
    return in_order(video for own in drawn for video in own[: max(1, int(len(own) * share + 0.5))])


def _shuffled(
    videos: Sequence[ListedVideo], seed: int, num_classes: int
) -> list[list[ListedVideo]]:
    """Return the videos of each class, in an order that the seed decides."""
    if seed < 0:
        raise PreparationError(f"--seed {seed}: must be 0 or more")
    drawn: list[list[ListedVideo]] = [[] for _ in range(num_classes)]
    for video in videos:
        drawn[video.label].append(video)
    for of_class in drawn:
        of_class.sort(key=lambda video: (_digest(seed, video.name), video.name))
    return drawn


def _digest(seed: int, name: str) -> bytes:
    text = f"{seed} {name}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=16).digest()  # not hash(): salted for each process
