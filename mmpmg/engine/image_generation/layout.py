"""Which file each image of a source becomes, and which of them a shard makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import GenerationError


@dataclass(frozen=True)
class Layout:
    """A tree of class folders: ``00012/00012_000034.png`` is instance 34 of category 12.

    The first N images of a source are spread evenly over its categories (`GeneratedImages`). They
    are *made* in another order, category by category, and numbered by their *place* in it: a
    generator then searches for a category's parameters once, and shards write into folders of
    their own. A file's name does not depend on N, so a larger N adds files and moves none.

    Args:
        num: N, the number of images, 1 or more.
        num_categories: K, the number of categories, 1 or more.
        ending: of the file names, with the dot.
    """

    num: int
    num_categories: int
    ending: str

    def count(self, category: int) -> int:
        """Return how many of the first N images a category has, 0 or more."""
        return (self.num - category - 1) // self.num_categories + 1

    def first_place(self, category: int) -> int:
        """Return the place of instance 0 of a category, in [0, N]; N for category K."""
        each, more = divmod(self.num, self.num_categories)
        return category * each + min(category, more)

    def category(self, place: int) -> int:
        """Return the category of the image at a place in [0, N)."""
        each, more = divmod(self.num, self.num_categories)
        if place < more * (each + 1):
            return place // (each + 1)
        return more + (place - more * (each + 1)) // each

    def index(self, place: int) -> int:
        """Return which image of the source is made at a place: instance * K + category."""
        category = self.category(place)
        return (place - self.first_place(category)) * self.num_categories + category

    def folder(self, category: int) -> str:
        """Return the folder of a category; folders sort by category."""
        width = max(5, len(str(self.num_categories - 1)))
        return f"{category:0{width}d}"

    def path(self, place: int) -> str:
        """Return the file of the image at a place, relative to the output folder."""
        category = self.category(place)
        folder = self.folder(category)
        return f"{folder}/{folder}_{place - self.first_place(category):06d}{self.ending}"

    def place(self, path: str) -> int | None:
        """Return the place of a file as `path` writes it, or None when it is none of these."""
        stem = path.removesuffix(self.ending)
        category, _, instance = stem[stem.find("/") + 1 :].partition("_")
        if not (category.isdecimal() and instance.isdecimal()):
            return None
        at, number = int(category), int(instance)
        if at >= self.num_categories or number >= self.count(at):
            return None
        folder = self.folder(at)
        spelt = f"{folder}/{folder}_{number:06d}{self.ending}"
        return self.first_place(at) + number if path == spelt else None


@dataclass(frozen=True)
class Shard:
    """One of several equal parts of the work.

    Args:
        number: which, in [0, count).
        count: how many, 1 or more.
    """

    number: int = 0
    count: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``"0/8"`` to ``"7/8"``.

        Raises:
            GenerationError: it is not of this form, or out of range.
        """
        found = re.fullmatch(r"(-?\d+)/(-?\d+)", text.strip())
        if not found:
            raise GenerationError(f"--shard {text}: must be NUMBER/COUNT, such as 0/8")
        number, count = map(int, found.groups())
        if count < 1:
            raise GenerationError(f"--shard {text}: there must be 1 shard or more")
        if not 0 <= number < count:
            raise GenerationError(
                f"--shard {text}: shards count from 0, so 0/{count} to {count - 1}/{count} "
                f"(Slurm: --array=0-{count - 1} with --shard $SLURM_ARRAY_TASK_ID/{count})"
            )
        return cls(number, count)

    def places(self, num: int) -> range:
        """Return the places that this shard makes of ``num``: disjoint, and together all."""
        return range(num * self.number // self.count, num * (self.number + 1) // self.count)

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def by_category(layout: Layout, places: range) -> Iterator[tuple[int, range]]:
    """Yield (category, its places) for a run of places.

    Args:
        layout: where images lie.
        places: consecutive, within [0, N].
    """
    at = places.start
    while at < places.stop:
        category = layout.category(at)
        end = min(places.stop, layout.first_place(category) + layout.count(category))
        yield category, range(at, end)
        at = end
