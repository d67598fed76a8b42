"""The dataset of PMG: still images that a pipeline turns into pseudo-motion clips."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset

from .bad_samples import BadSamples
from .image_choice import SUBSETS, choose_images
from .image_decoding import ImageReadError
from .image_sources import ImageSource
from .named_pipeline import in_order
from .sample_seed import SeedSample, generator

Draws: TypeAlias = Callable[[], np.random.Generator]


@DATASETS.register_module()
class ImageToPseudoVideo(BaseDataset):
    """Load one image a sample and hand it to a pipeline that makes a clip of it.

    A sample enters the pipeline with MMAction2's keys: ``imgs`` (a list of one (H, W, 3) uint8 RGB
    image), ``img_shape``, ``original_shape``, ``modality``, ``num_clips=1``, ``clip_len=1``; and
    with ``filename``, ``sample_idx``, ``sample_seed`` (from a built-in `SeedSample`, which
    `SampleSeedSampler` feeds) and ``load_partner``, a function without arguments that returns
    another image of the set (for CutMix). Whatever cannot be sent to another process is taken out
    again at the end.

    An image that cannot be read is counted, named in the log once, and replaced by another, drawn
    by the sample's own seed: the same on any number of workers. Errors of the pipeline are not
    caught. No list of samples is kept: a million images cost what their source's index costs.

    Attributes:
        source: where the images come from.
        bad_samples: the record of the images that could not be read.

    Args:
        images: recipe of an image source: files (`FolderImages`, `ListImages`, `ArchiveImages`,
            `WebDatasetImages`, `VideoFrames`), generators (`ShaderImages` and the other
            `GeneratedImages`), several by weight (`MixedImages`); or the source itself.
        pipeline: recipes of transforms: a list, or a dict from a name to each, in order, so that a
            recipe can change one of them by its name (MMEngine never merges lists) or take it out
            with None.
        num_images: how many images to use. None: all. Sources whose images do not end (generators,
            frames of videos) give more than their length, too.
        subset: which ones: the ``"first"`` in the source's order, a ``"random"`` draw, or a
            ``"balanced"`` one with as many of each category (folder), as the paper samples sets
            that have categories (Sec. 4). A smaller draw is part of a larger one. A category that
            holds fewer than its share is used up, the others make up for it, and a warning says so.
        subset_seed: seed of the random draws.
        num_categories: use only so many categories (Fig. 3): the first for ``subset="first"``,
            else a random draw. None: all.
        endless: load new images in every epoch, for sources whose images do not end (generators,
            frames of videos): sample i of epoch e is image ``e * num_images + i``; with another
            subset than the ``"first"``, or some categories only, the image that lies ``e`` times
            the source's length (a multiple of it where ``num_images`` exceeds it) behind the chosen
            one, which is of the same category. `SampleSeedSampler` tells the epoch.
        max_bad_share: share of unreadable images among those tried, [0, 1], above which training
            stops. Early on, 200 tried images are assumed: .01 bears two bad ones.
        max_refetch: how many other images to try in a row in place of a bad one.
        metainfo: as in MMEngine's BaseDataset.
        test_mode: raise on a bad image instead of replacing it.

    Raises:
        ValueError: an option is illegal, the source holds fewer images or categories than are
            asked for, or ``endless`` is asked of one that ends.
    """

    def __init__(
        self,
        images: dict | ImageSource,
        pipeline: Sequence[dict | Callable] | Mapping[str, dict | Callable | None],
        num_images: int | None = None,
        subset: str = "first",
        subset_seed: int = 0,
        num_categories: int | None = None,
        endless: bool = False,
        max_bad_share: float = 0.01,
        max_refetch: int = 100,
        metainfo: dict | None = None,
        test_mode: bool = False,
    ) -> None:
        if subset not in SUBSETS:
            raise ValueError(f"dataset.subset={subset!r}: must be one of {', '.join(SUBSETS)}")
        if max_refetch < 0:
            raise ValueError(f"dataset.max_refetch={max_refetch}: must be 0 or more")
        self.source: ImageSource = DATASETS.build(images) if isinstance(images, dict) else images
        self.bad_samples = BadSamples(len(self.source), "image", self.source.name, max_bad_share)
        self.seed_sample = SeedSample()
        self._chosen = choose_images(
            self.source, num_images, subset, subset_seed, num_categories=num_categories
        )
        # How far the images of one epoch lie behind those of the epoch before.
        self._period = 0
        if endless:
            if not getattr(self.source, "endless", False):
                raise ValueError(
                    f"dataset.endless=True: the images of {type(self.source).__name__} end; only "
                    "generators and frames of videos go on. Set dataset.endless=False"
                )
            every = subset == "first" and num_categories is None
            rounds = int(self._chosen.max()) // len(self.source) + 1
            self._period = len(self._chosen) if every else rounds * len(self.source)
        super().__init__(
            metainfo=metainfo,
            serialize_data=False,
            pipeline=in_order(pipeline),
            test_mode=test_mode,
            lazy_init=True,
            max_refetch=max_refetch,
        )
        self._fully_initialized = True

    def __len__(self) -> int:
        return len(self._chosen)

    def get_data_info(self, idx: int) -> dict:
        """Return what is known of a sample without reading its image.

        Args:
            idx: index of the sample; negative ones count from the end.

        Returns:
            ``filename`` and ``sample_idx``.
        """
        idx = range(len(self))[idx]
        return {"filename": self.source.name(self._number(idx)), "sample_idx": idx}

    def prepare_data(self, idx: int) -> Any:
        """Load an image and run the pipeline on it.

        Args:
            idx: index of the sample.

        Returns:
            What the pipeline returns.

        Raises:
            TooManyBadSamplesError: more than ``max_bad_share`` of the tried images are bad.
        """
        results = self.seed_sample(self.get_data_info(idx))
        expected = self._number(results["sample_idx"])
        # Generators are made when they are drawn from, which most samples never do.
        replacement = cache(lambda: generator(results, "replacement"))
        partners = cache(lambda: generator(results, "partner"))
        image, number = self._load(results["sample_idx"], replacement)
        if number != expected:
            results["filename"] = self.source.name(number)
        results.update(
            imgs=[image],
            img_shape=image.shape[:2],
            original_shape=image.shape[:2],
            modality="RGB",
            num_clips=1,
            clip_len=1,
            load_partner=lambda: self._load_partner(number, partners),
        )
        data = self.pipeline(results)
        self.bad_samples.end()
        if isinstance(data, dict):
            data.pop("load_partner", None)
        return data

    def __getitem__(self, idx: int) -> Any:
        data = self.prepare_data(idx)
        if data is None:
            raise RuntimeError(
                f"The pipeline made nothing of {self.get_data_info(idx)['filename']}: "
                "a transform of dataset.pipeline returned None"
            )
        return data

    def get_subset_(self, indices: Sequence[int] | int) -> None:
        """Keep only some samples.

        Args:
            indices: which ones; a number keeps the first (negative: the last) so many.
        """
        if isinstance(indices, int):
            self._chosen = self._chosen[:indices] if indices >= 0 else self._chosen[indices:]
        else:
            self._chosen = self._chosen[np.asarray(indices, dtype=np.int64)]

    def get_subset(self, indices: Sequence[int] | int) -> ImageToPseudoVideo:
        """Return a copy that has only some of the samples; see `get_subset_`.

        Args:
            indices: which ones.

        Returns:
            A dataset with the same source and its own pipeline and seeding.
        """
        other = copy.copy(self)
        other.pipeline = copy.deepcopy(self.pipeline)
        other.seed_sample = SeedSample()
        other.get_subset_(indices)
        return other

    def _number(self, idx: int) -> int:
        """Return the number in the source of a sample's image, in the epoch that is now."""
        return int(self._chosen[idx]) + self.seed_sample.epoch * self._period

    def _load(self, idx: int, draws: Draws) -> tuple[np.ndarray, int]:
        """Return (image, its number in the source) of a sample, or of one drawn in its place."""
        for _ in range(self.max_refetch + 1):
            number = self._number(idx)
            slot = number % len(self.source)  # an endless source's images are counted in turns
            self.bad_samples.begin(slot)
            try:
                image = self.source.load(number)
            except ImageReadError as error:
                if self.test_mode:
                    raise
                self.bad_samples.add(slot, error)
                idx = int(draws().integers(len(self)))
            else:
                self.bad_samples.add_good(slot)
                return image, number
        raise self.bad_samples.give_up(self.max_refetch + 1, slot)

    def _load_partner(self, number: int, draws: Draws) -> np.ndarray:
        """Return an image other than ``number``, unless there is no other."""
        idx = int(draws().integers(len(self)))
        if self._number(idx) == number:
            idx = (idx + 1) % len(self)
        return self._load(idx, draws)[0]
