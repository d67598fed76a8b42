"""Several image sources as one, by weight (PMG paper, Table 9)."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from mmaction.registry import DATASETS

from .image_choice import SUBSETS, choose_images, dense_categories
from .image_decoding import ImageReadError
from .image_sources import CategorizedImages, ImageSource
from .shares import interleaved, largest_remainder, named_seed, shares_of


@DATASETS.register_module()
class MixedImages:
    """Images of several sources, shares by weight.

    The sources are interleaved, so that the first images, however many, hold the shares as well as
    whole images can; source s gives ``num_images * weight / sum of weights`` images, rounded by
    largest remainder, none twice. 10,000 images each of PASS and Shaders1k and all 9537 frames of
    UCF101 are ``weights=dict(pass_=10_000, shaders=10_000, frames=9537), num_images=29_537``.
    What the index of an image stands for depends on the options alone.

    Args:
        sources: name -> recipe of an image source, or the source itself; a dict, so that a recipe
            can change one by its name, or take it out with None; its weight is ignored then.
        weights: name -> positive number. None: the lengths of the sources, that is all images.
        num_images: how many images in all. None: as many as the weights allow until a source ends.
        subset: which images of a source: the ``"first"``, a ``"random"`` draw or a ``"balanced"``
            one over its categories. A source that makes endlessly many (a generator) always gives
            its first ones, and is not bound by its length when ``num_images`` is given.
        seed: of the random draws.

    Raises:
        ValueError: an option is illegal, or a source holds fewer images than its share.
    """

    def __init__(
        self,
        sources: Mapping[str, dict | ImageSource | None],
        weights: Mapping[str, float] | None = None,
        num_images: int | None = None,
        subset: str = "random",
        seed: int = 0,
    ) -> None:
        if subset not in SUBSETS:
            raise ValueError(f"images.subset={subset!r}: must be one of {', '.join(SUBSETS)}")
        self.sources: dict[str, ImageSource] = {
            name: DATASETS.build(source) if isinstance(source, dict) else source
            for name, source in sources.items()
            if source is not None
        }
        if not self.sources:
            raise ValueError("images.sources is empty: name at least one image source")
        if weights is not None:  # those of sources that were taken out do not count
            out = {name for name, source in sources.items() if source is None}
            weights = {name: weight for name, weight in weights.items() if name not in out}
        self._names = list(self.sources)
        lengths = [len(source) for source in self.sources.values()]
        shares = shares_of("images.sources", "images.weights", self._names, lengths, weights)
        if num_images is None:
            # Whole shares of the largest mixture in which no source gives more than it holds.
            num_images = math.floor(
                min(n / share for n, share in zip(lengths, shares, strict=True))
            )
            num_images = sum(lengths) if weights is None else num_images
        if num_images < 1:
            raise ValueError(
                f"images.num_images={num_images}: must be 1 or more, or None for as many as "
                "images.weights allow"
            )
        counts = largest_remainder(shares, num_images)
        self._numbers = []
        for name, count, length in zip(self._names, counts, lengths, strict=True):
            source = self.sources[name]
            if getattr(source, "endless", False):
                chosen = np.arange(count, dtype=np.int64)
            elif count > length:
                raise ValueError(
                    f"images.sources.{name} holds {length} images, but its share of "
                    f"images.num_images={num_images} is {count}: lower images.num_images or "
                    f"images.weights.{name}, or set num_images=None for the most that is possible"
                )
            elif count:
                chosen = choose_images(source, count, subset, named_seed(seed, name), "images")
            else:
                chosen = np.zeros(0, np.int64)
            self._numbers.append(chosen)
        self._source, self._rank = interleaved(counts)

    @property
    def endless(self) -> bool:
        """Whether the images go on beyond the length: those of all sources must."""
        return all(getattr(source, "endless", False) for source in self.sources.values())

    def __len__(self) -> int:
        return len(self._source)

    def address(self, index: int) -> tuple[str, int]:
        """Return (name of the source, number of the image in it).

        Raises:
            IndexError: there is no such image.
        """
        period, place = divmod(index, len(self))
        if index < 0 or (period and not self.endless):
            raise IndexError(f"image {index} of {len(self)}")
        which = int(self._source[place])
        numbers = self._numbers[which]
        return self._names[which], int(numbers[self._rank[place]]) + period * len(numbers)

    def name(self, index: int) -> str:
        """Return the source and what it calls the image: ``SOURCE: NAME``."""
        source, number = self.address(index)
        return f"{source}: {self.sources[source].name(number)}"

    def load(self, index: int) -> np.ndarray:
        """Load an image, (H, W, 3) uint8 RGB.

        Raises:
            ImageReadError: it is bad.
        """
        source, number = self.address(index)
        try:
            return self.sources[source].load(number)
        except ImageReadError as error:
            raise ImageReadError(f"{source}: {error.name}", error.cause) from error

    def categories(self) -> np.ndarray:
        """Return the category of every image, (N,) int32.

        Those of different sources are different; a source without categories is one.
        """
        categories = np.zeros(len(self), np.int32)
        before = 0
        for which, name in enumerate(self._names):
            source, numbers = self.sources[name], self._numbers[which]
            own = np.zeros(len(source), np.int32)
            if isinstance(source, CategorizedImages):
                own = dense_categories(source)
            # An endless source may give more than its length: its categories come round again.
            here = self._source == which
            categories[here] = before + own[numbers[self._rank[here]] % len(own)]
            before += int(own.max()) + 1
        return categories
