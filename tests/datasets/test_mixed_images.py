"""Several sources by weight: shares, order, names, categories, and what cannot be mixed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmaction.registry import DATASETS

from mmpmg.datasets import (
    ImageReadError,
    ImageToPseudoVideo,
    MixedImages,
    SampleSeedSampler,
)


class Numbered:
    """Images of which nothing is known but their number."""

    def __init__(self, count, bad=()):
        self.count = count
        self.bad = bad

    def __len__(self):
        return self.count

    def name(self, index):
        return f"number {index}"

    def load(self, index):
        if index in self.bad:
            raise ImageReadError(self.name(index), "made to be bad")
        return np.full((2, 2, 3), index % 256, np.uint8)


class Sorted(Numbered):
    """The same with three categories, unequal and with gaps in their numbers."""

    def categories(self):
        return np.array([(5, 9, 9, 70)[i % 4] for i in range(self.count)], np.int32)


def addresses(mixed):
    return [mixed.address(i) for i in range(len(mixed))]


def test_shares_follow_the_weights_and_no_image_comes_twice():
    sources = dict(photos=Numbered(1000), shaders=Numbered(500), frames=Numbered(80))
    mixed = MixedImages(sources, dict(photos=2, shaders=1, frames=0.25), num_images=325)
    seen = addresses(mixed)
    assert Counter(name for name, _ in seen) == dict(photos=200, shaders=100, frames=25)
    assert len(set(seen)) == 325
    assert seen == addresses(MixedImages(sources, dict(photos=2, shaders=1, frames=0.25), 325))
    other = MixedImages(sources, dict(photos=2, shaders=1, frames=0.25), 325, seed=1)
    assert set(seen) != set(addresses(other))


def test_a_mixture_is_the_same_on_every_machine():
    mixed = MixedImages(dict(a=Numbered(1000), b=Numbered(1000)), dict(a=2, b=1), 6)
    assert addresses(mixed) == [
        ("a", 127),
        ("b", 16),
        ("a", 694),
        ("a", 208),
        ("b", 763),
        ("a", 57),
    ]


def test_table_9_s_mixture_is_exact():
    sources = dict(pass_=Numbered(20_000), shaders=Numbered(30_000), frames=Numbered(9537))
    weights = dict(pass_=10_000, shaders=10_000, frames=9537)
    mixed = MixedImages(sources, weights, 29_537)
    seen = addresses(mixed)
    assert Counter(name for name, _ in seen) == weights
    assert {number for name, number in seen if name == "frames"} == set(range(9537))
    assert len(MixedImages(sources, weights)) == 29_537, "the most, until the frames end"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0.01, 50)), min_size=1, max_size=5))
def test_any_beginning_holds_the_shares_and_the_most_fits(parts):
    sources = {f"s{i}": Numbered(count) for i, (count, _) in enumerate(parts)}
    weights = {f"s{i}": weight for i, (_, weight) in enumerate(parts)}
    if min(count / weights[name] for name, count in zip(sources, map(len, sources.values()))) < (
        1 / sum(weights.values())
    ):
        with pytest.raises(ValueError, match="num_images=0"):
            MixedImages(sources, weights, subset="first")
        return
    mixed = MixedImages(sources, weights, subset="first")
    total, seen = sum(weights.values()), addresses(mixed)
    for name, source in sources.items():
        numbers = [number for where, number in seen if where == name]
        assert numbers == list(range(len(numbers))) and len(numbers) <= len(source)
        assert abs(len(numbers) - len(mixed) * weights[name] / total) <= 1 + 1e-6
        whole = len(numbers)
        for length in range(1, len(mixed) + 1):
            here = sum(where == name for where, _ in seen[:length])
            assert abs(here - length * whole / len(mixed)) <= len(sources)


def test_without_weights_it_is_all_images_of_all_sources():
    mixed = MixedImages(dict(a=Numbered(7), b=Numbered(3)), subset="first")
    assert sorted(addresses(mixed)) == [
        *(("a", i) for i in range(7)),
        *(("b", i) for i in range(3)),
    ]
    assert [name for name, _ in addresses(mixed)] == list("abaaabaaba")


def test_names_and_errors_say_the_source():
    mixed = MixedImages(dict(a=Numbered(2), b=Numbered(2, bad=(0,))), subset="first")
    assert [mixed.name(i) for i in range(4)] == [
        "a: number 0", "b: number 0", "a: number 1", "b: number 1",
    ]  # fmt: skip
    assert mixed.load(2)[0, 0, 0] == 1
    with pytest.raises(ImageReadError, match="^b: number 0: made to be bad"):
        mixed.load(1)
    for index in (-1, 4):
        with pytest.raises(IndexError):
            mixed.load(index)


def test_categories_of_different_sources_are_kept_apart():
    sources = dict(one=Sorted(8), plain=Numbered(4), two=Sorted(8))
    mixed = MixedImages(sources, subset="random")
    categories = mixed.categories()
    expected = {}
    for place, (name, number) in enumerate(addresses(mixed)):
        own = 0 if name == "plain" else {5: 0, 9: 1, 70: 2}[(5, 9, 9, 70)[number % 4]]
        expected[place] = {"one": 0, "plain": 3, "two": 4}[name] + own
    assert categories.tolist() == list(expected.values())
    assert categories.dtype == np.int32


def test_balanced_draws_are_within_each_source():
    mixed = MixedImages(dict(a=Sorted(400), b=Sorted(80)), dict(a=1, b=1), 60, "balanced")
    numbers = [number for name, number in addresses(mixed) if name == "a"]
    assert Counter((5, 9, 9, 70)[n % 4] for n in numbers) == {5: 10, 9: 10, 70: 10}


def test_generators_give_more_than_their_length_and_all_of_them_go_on():
    shaders = dict(type="ShaderImages", num_categories=2, images_per_category=2, size=4)
    mixed = MixedImages(dict(a=shaders, b=Numbered(10)), dict(a=3, b=1), 24)
    assert sorted(n for name, n in addresses(mixed) if name == "a") == list(range(18))
    assert not mixed.endless
    assert mixed.categories().tolist().count(2) == 6
    with pytest.raises(IndexError):
        mixed.load(24)
    both = MixedImages(dict(a=shaders, b=dict(shaders, seed=1)), num_images=6)
    assert both.endless
    assert sorted(n for name, n in map(both.address, range(6, 12)) if name == "a") == [3, 4, 5]


def test_every_epoch_of_a_mixture_of_generators_is_new():
    recipe = dict(type="ShaderImages", num_categories=2, images_per_category=2, size=4)
    images = dict(type="MixedImages", sources=dict(a=recipe, b=dict(recipe, seed=1)))
    dataset = ImageToPseudoVideo(images, [], endless=True)
    sampler = SampleSeedSampler(dataset, seed=0)
    names = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        names += [dataset[i]["filename"] for i in range(8)]
    assert len(set(names)) == 24


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(weights=dict(a=1)), r"images\.weights names a.*sources are a, b"),
        (dict(weights=dict(a=1, c=1)), r"images\.weights names a, c"),
        (dict(weights=dict(a=1, b=0)), r"images\.weights\.b=0"),
        (dict(weights=dict(a=1, b=float("nan"))), r"images\.weights\.b=nan"),
        (dict(num_images=0), r"images\.num_images=0"),
        (dict(weights=dict(a=1, b=1), num_images=30), r"sources\.b holds 10 images.*is 15"),
        (dict(subset="last"), r"images\.subset='last'"),
        (dict(subset="balanced"), r"images\.subset='balanced': Numbered"),
    ],
)
def test_illegal_options(options, words):
    with pytest.raises(ValueError, match=words):
        MixedImages(dict(a=Numbered(20), b=Numbered(10)), **options)


def test_a_recipe_can_take_a_source_out():
    mixed = DATASETS.build(dict(type="MixedImages", sources=dict(a=Numbered(2), b=None)))
    assert len(mixed) == 2
    with pytest.raises(ValueError, match=r"images\.sources is empty"):
        MixedImages(dict(a=None))
    assert list(mixed.sources) == ["a"]


def test_the_weight_of_a_source_that_was_taken_out_does_not_count():
    sources = dict(a=Numbered(20), b=None, c=Numbered(20))
    mixed = MixedImages(sources, dict(a=1, b=5, c=3), 8)
    assert Counter(name for name, _ in addresses(mixed)) == dict(a=2, c=6)
    with pytest.raises(ValueError, match=r"images\.weights names a, d"):
        MixedImages(sources, dict(a=1, b=5, d=3), 8)
