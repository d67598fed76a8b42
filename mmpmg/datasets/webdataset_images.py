"""Images in sharded tars in the WebDataset layout, read in place and at random."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import numpy as np
from mmaction.registry import DATASETS

from .archive_images import ImagesInArchives, endings, matching_files
from .archive_scan import Wanted
from .image_decoding import MAX_PIXELS
from .image_sources import IMAGE_EXTENSIONS

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


@DATASETS.register_module()
class WebDatasetImages(ImagesInArchives):
    """Images of sharded tars: members ``key.jpg``, and their categories from ``key.cls``.

    The part of a member's name behind the first dot is its field. Of every key one image counts,
    the first by name; other fields (``.json``, ``.txt``, ``seg.png``) are passed over. Shards are
    indexed once, as by `ArchiveImages`, and read at random, so a shuffle is a true one.

    Args:
        shards: a path, a pattern with braces or wildcards such as ``data/train-{000..146}.tar``,
            or a list of them.
        extensions: fields that are images, in any case; ``["left.jpg"]`` takes those only.
        truncated: what to do about a shard that was cut short or is damaged: ``"error"``, which
            names all of them; or ``"use"`` what lies before the damage, with a warning.
        cache: True: index cached in the user's cache folder; a folder to use instead; False: scan
            at every start.
        max_pixels: images with more pixels are decoded smaller or refused (`read_image`).
        hint: what to do when shards are missing; ends the error message.

    Raises:
        FileNotFoundError: a shard does not exist, or there is no image in any.
        ValueError: an option is illegal, or a shard is compressed as a whole, broken or none.
    """

    def __init__(
        self,
        shards: str | Sequence[str],
        extensions: Sequence[str] = IMAGE_EXTENSIONS,
        truncated: str = "error",
        cache: bool | str = True,
        max_pixels: int = MAX_PIXELS,
        hint: str | None = None,
    ) -> None:
        patterns = [shards] if isinstance(shards, str) else list(shards)
        for pattern in patterns:
            if pattern.startswith("pipe:") or "://" in pattern:
                raise ValueError(
                    f"images.shards={pattern!r}: only files on a disk can be read at random; "
                    "download the shards first"
                )
        super().__init__(
            matching_files([path for pattern in patterns for path in expand_braces(pattern)],
                           "shards", hint),
            Wanted(endings(extensions), samples=True), truncated, cache, max_pixels, hint, "shards",
        )  # fmt: skip

    def categories(self) -> np.ndarray:
        """Return the category of every image, (N,) int32: the number in its ``.cls`` (in any case).

        Raises:
            ValueError: an image has none.
        """
        groups = self._index.groups
        labels = np.array([int(groups[i] or b"-1") for i in range(len(groups))], np.int64)
        chosen = labels[self._index.columns["category"]].astype(np.int32)
        without = int((chosen < 0).sum())
        if without:
            raise ValueError(
                f"{without} of the {len(self)} images of images.shards have no category (no "
                "key.cls beside them that holds a whole number below 2^31): use subset='random'"
            )
        return chosen


def expand_braces(pattern: str) -> Iterator[str]:
    """Yield what a pattern with ``{000..146}`` or ``{a,b}`` stands for, in order.

    Args:
        pattern: any number of braces, not nested; zeros in front are kept.

    Yields:
        Paths, the last braces changing fastest.

    Raises:
        ValueError: braces hold neither a range nor a list.
    """
    parts = _BRACES.split(pattern)
    choices: list[Sequence[str]] = []
    for number, part in enumerate(parts):
        bounds = _RANGE.fullmatch(part)
        if number % 2 == 0:
            choices.append([part])
        elif bounds:
            first, last = int(bounds[1]), int(bounds[2])
            if last < first:
                raise ValueError(f"images.shards={pattern!r}: {{{part}}} runs backwards")
            width = len(bounds[1]) if bounds[1].startswith("0") else 0
            choices.append([f"{i:0{width}d}" for i in range(first, last + 1)])
        elif "," in part:
            choices.append(part.split(","))
        else:
            raise ValueError(
                f"images.shards={pattern!r}: {{{part}}} is neither a range such as {{000..146}} "
                "nor a list such as {train,val}"
            )
    for chosen in itertools.product(*choices):
        yield "".join(chosen)
