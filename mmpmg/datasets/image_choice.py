"""Which images of a source are used: the first, a random draw, as many of each category."""

from __future__ import annotations

import logging

import numpy as np
from mmengine.logging import print_log

from mmpmg.synthesis.uniform_stream import UniformStream

from .image_sources import CategorizedImages, ImageSource

#: What ``subset`` may be.
SUBSETS = ("first", "random", "balanced")
_MAX_COUNT = 2**31  # numbers of images are kept as int32


def choose_images(
    source: ImageSource,
    num_images: int | None,
    subset: str,
    seed: int,
    key: str = "dataset",
    num_categories: int | None = None,
) -> np.ndarray:
    """Choose images of a source.

    Args:
        source: where from. One whose images do not end is not bound by its length: each further
            round of that length gives as many again, of the same categories.
        num_images: how many. None: all.
        subset: one of `SUBSETS`. ``"balanced"``: as many of each category, up to one; where a
            category holds fewer than its share, the others make up for it and a warning says so.
            A smaller random or balanced draw is part of a larger one.
        seed: of the random draws.
        key: what the options lie under in the recipe, for messages.
        num_categories: use only so many categories: with ``"first"`` the lowest numbers, else a
            random draw, of which a smaller one is part of a larger one. None: all.

    Returns:
        Numbers of the images, (num_images,) int32.

    Raises:
        ValueError: there are fewer images or categories than asked for, or no categories at all.
    """
    if num_images is not None and num_images < 1:
        raise ValueError(f"{key}.num_images={num_images}: must be 1 or more, or None for all")
    endless = getattr(source, "endless", False)
    if subset == "first" and num_categories is None:
        count = len(source) if num_images is None else num_images
        _check_range(count, source, key)
        if count > len(source) and not endless:
            raise _too_few(count, len(source), "", key)
        return np.arange(count, dtype=np.int32)
    _check_range(max(len(source), num_images or 0), source, key)
    available = np.arange(len(source), dtype=np.int32)
    categories = None
    if num_categories is not None or subset == "balanced":
        categories = _categories(source, key, num_categories)
    of_those = ""
    if num_categories is not None and categories is not None:
        kept = _choose_categories(categories, num_categories, subset, seed, key)
        available = available[np.isin(categories, kept)]
        of_those = f" in {key}.num_categories={num_categories} of its categories"
    count = len(available) if num_images is None else num_images
    rounds = -(-count // len(available)) if endless else 1
    if count > rounds * len(available):
        raise _too_few(count, len(available), of_those, key)
    _check_range(rounds * len(source), source, key)
    chosen = []
    for number in range(rounds):
        numbers = available
        if subset != "first":
            # Further rounds have streams of their own: the first stays what it is without them.
            numbers = shuffled(len(source), seed, 0, number).astype(np.int32)
            numbers = numbers[np.isin(numbers, available)]
        chosen.append(numbers + np.int32(number * len(source)))
    drawn = np.concatenate(chosen)
    if subset == "balanced" and categories is not None:
        labels = categories[drawn % len(source)]
        drawn = drawn[in_turn(labels)]
        _tell_of_small_categories(labels, count, key)
    return drawn[:count]


def dense_categories(source: CategorizedImages) -> np.ndarray:
    """Return the category of every image, renumbered from 0 without gaps, (N,) int32."""
    return np.unique(source.categories(), return_inverse=True)[1].astype(np.int32).reshape(-1)


def in_turn(categories: np.ndarray) -> np.ndarray:
    """Order that takes one image of every category, then a second one of every category, ...

    Its first K are balanced, up to one image, as long as no category runs out.
    """
    by_category = np.argsort(categories, kind="stable")
    sizes = np.bincount(categories)
    first = np.repeat(np.cumsum(sizes) - sizes, sizes)
    turn = np.empty(len(categories), dtype=np.int64)
    turn[by_category] = np.arange(len(categories)) - first
    return np.argsort(turn, kind="stable")


def _categories(source: ImageSource, key: str, num_categories: int | None) -> np.ndarray:
    if not isinstance(source, CategorizedImages):
        option = (
            "subset='balanced'" if num_categories is None else f"num_categories={num_categories}"
        )
        raise ValueError(
            f"{key}.{option}: {type(source).__name__} has no categories; use "
            "FolderImages with a folder for each category, or subset='random'"
        )
    return dense_categories(source)


def _choose_categories(
    categories: np.ndarray, num_categories: int, subset: str, seed: int, key: str
) -> np.ndarray:
    available = int(categories.max()) + 1
    if not 1 <= num_categories <= available:
        raise ValueError(
            f"{key}.num_categories={num_categories}: the image source has {available} categories; "
            f"must be in [1, {available}], or None for all"
        )
    if subset == "first":
        return np.arange(num_categories)
    # A stream of its own: the draw of images stays what it is without num_categories.
    return shuffled(available, seed, 1)[:num_categories]


def shuffled(count: int, seed: int, *key: int) -> np.ndarray:
    """Return the whole numbers below ``count`` in an order that is the same with every NumPy.

    Equal uniform numbers, of which there are hardly any, stay in their order. What
    `numpy.random.Generator.permutation` returns may change from release to release, and a resumed
    run would go on with another subset.
    """
    words = (seed,) if seed < 2**32 else (seed % 2**32, seed >> 32)  # keys have 32 bits
    return np.argsort(UniformStream(*words, *key).take(count), kind="stable")


def _check_range(count: int, source: ImageSource, key: str) -> None:
    if count >= _MAX_COUNT:
        raise ValueError(
            f"{count} images of {type(source).__name__} are to be numbered for {key}, but only "
            f"{_MAX_COUNT - 1} can be: lower {key}.num_images or, of a generator, "
            "images.images_per_category; dataset.endless=True makes new images in every epoch all "
            "the same"
        )


def _too_few(count: int, available: int, of_those: str, key: str) -> ValueError:
    return ValueError(
        f"{key}.num_images={count}, but the image source holds only {available}"
        f"{of_those}: lower num_images, set it to None to use all, or point images at a "
        "larger set"
    )


def _tell_of_small_categories(categories: np.ndarray, count: int, key: str) -> None:
    """Warn if a category holds fewer images than its share of so many."""
    sizes = np.bincount(categories)
    sizes = sizes[sizes > 0]
    share = count // len(sizes)
    small = int((sizes < share).sum())
    if small:
        print_log(
            f"{key}.subset='balanced': {small} of the {len(sizes)} categories hold fewer than "
            f"their share of {share} images, the smallest {int(sizes.min())}; the others make up "
            f"for it. {key}.num_images={int(sizes.min()) * len(sizes)} would be balanced.",
            logger="current",
            level=logging.WARNING,
        )
