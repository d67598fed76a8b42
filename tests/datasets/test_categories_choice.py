"""k categories (Fig. 3), unequal categories, and new images in every epoch."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from torch.utils.data import DataLoader

from mmpmg.datasets import FractalImages, ImageReadError, ImageToPseudoVideo, SampleSeedSampler
from mmpmg.datasets.image_choice import choose_images

SIZES = {0: 3, 4: 20, 7: 7, 9: 20, 11: 20}


class Labelled:
    """Images with categories of unequal sizes, in blocks; an image tells its number."""

    def __init__(self, sizes=None, bad=()):
        self.labels = np.repeat([*(sizes or SIZES)], [*(sizes or SIZES).values()])
        self.bad = bad

    def __len__(self):
        return len(self.labels)

    def name(self, index):
        return f"image {index}"

    def load(self, index):
        if index in self.bad:
            raise ImageReadError(self.name(index), "made to be bad")
        return np.full((2, 2, 3), index % 251, np.uint8)

    def categories(self):
        return self.labels.astype(np.int32)


class Endless(Labelled):
    """Twelve images of three categories in turn, and so on for ever."""

    endless = True

    def __init__(self, bad=()):
        self.labels = np.arange(12) % 3
        self.bad = bad


class Number:
    """A transform that leaves only the name."""

    def __call__(self, results):
        return {"number": int(results["filename"].split()[-1])}


def numbers(dataset):
    return [int(dataset.get_data_info(i)["filename"].split()[-1]) for i in range(len(dataset))]


def chosen(source=None, **options):
    return numbers(ImageToPseudoVideo(source or Labelled(), [], **options))


@pytest.fixture
def log(tmp_path):
    """Return the file that MMEngine's current logger writes to."""
    file = tmp_path / "run.log"
    MMLogger.get_instance("categories", log_file=str(file))
    yield file
    MMLogger._instance_dict.pop("categories")


@pytest.mark.parametrize("subset", ["first", "random", "balanced"])
@pytest.mark.parametrize("k", [1, 2, 5])
def test_only_k_categories_are_used_and_all_of_their_images(subset, k):
    labels = Labelled().labels
    got = chosen(subset=subset, num_categories=k)
    used = set(labels[got])
    assert len(used) == k
    assert sorted(got) == [i for i in range(len(labels)) if labels[i] in used]
    if subset == "first":
        assert used == set([*SIZES][:k]) and got == sorted(got)


def test_ten_thousand_images_from_k_categories():
    """Fig. 3: the number of images stays, that of categories changes."""
    source = Labelled(dict.fromkeys(range(100), 1000))
    for k in (10, 50, 100):
        got = chosen(source, subset="balanced", num_images=10_000, num_categories=k)
        counts = Counter(source.labels[got])
        assert len(set(got)) == 10_000 and set(counts.values()) == {10_000 // k}
        assert len(counts) == k


def test_fewer_categories_are_part_of_more_and_seeds_draw_others():
    labels = Labelled().labels
    sets = [{*labels[chosen(subset="random", num_categories=k)]} for k in range(1, 6)]
    assert all(sets[i] < sets[i + 1] for i in range(4))
    draws = {frozenset(labels[chosen(subset="random", num_categories=2, subset_seed=s)])
             for s in range(8)}  # fmt: skip
    assert len(draws) > 2


def test_using_all_categories_changes_nothing():
    for subset in ("first", "random", "balanced"):
        every = chosen(subset=subset, num_images=30, num_categories=5)
        assert every == chosen(subset=subset, num_images=30)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(num_categories=0), r"num_categories=0: the image source has 5 categories.*\[1, 5\]"),
        (dict(num_categories=6), r"num_categories=6: the image source has 5"),
        (
            dict(num_categories=1, num_images=4),
            r"num_images=4, .*only 3 in dataset.num_categories=1",
        ),
        (dict(endless=True), r"dataset\.endless=True: the images of Labelled end"),
    ],
)
def test_illegal_options(options, words):
    with pytest.raises(ValueError, match=words):
        chosen(**options)


def test_a_category_that_is_too_small_is_told_of_with_what_would_be_balanced(log):
    chosen(subset="balanced", num_images=15)
    assert "WARNING" not in log.read_text()
    got = chosen(subset="balanced", num_images=40)
    counts = Counter(Labelled().labels[got])
    assert counts[0] == 3 and counts[7] == 7 and set(counts.values()) == {3, 7, 10}
    line = log.read_text()
    for words in ("2 of the 5 categories", "share of 8 images", "the smallest 3", "num_images=15 "):
        assert words in line


def epochs(dataset, count, workers=0, start=0, persistent=False):
    """Return the numbers of the images of some epochs, in order of the samples."""
    sampler = SampleSeedSampler(dataset, shuffle=False, seed=5)
    loader = DataLoader(
        dataset, 2, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate,
        persistent_workers=persistent, multiprocessing_context="fork" if workers else None,
    )  # fmt: skip
    seen = []
    for epoch in range(start, start + count):
        sampler.set_epoch(epoch)
        seen.append([number for batch in loader for number in batch["number"]])
    return seen


def test_every_epoch_loads_new_images():
    seen = epochs(ImageToPseudoVideo(Endless(), [Number()], num_images=5, endless=True), 4)
    assert seen == [[5 * epoch + i for i in range(5)] for epoch in range(4)]
    assert epochs(ImageToPseudoVideo(Endless(), [Number()]), 2) == [[*range(12)]] * 2
    seen = epochs(ImageToPseudoVideo(Endless(), [Number()], num_images=30, endless=True), 2)
    assert seen == [[*range(30)], [*range(30, 60)]]


@pytest.mark.parametrize("subset", ["first", "random", "balanced"])
def test_an_endless_source_gives_more_than_its_length_of_the_same_categories(subset):
    """Fig. 3 on generated images: 10 categories hold as many images as are asked for."""
    labels = Endless().labels
    small = chosen(Endless(), subset=subset, num_images=8, num_categories=2)
    large = chosen(Endless(), subset=subset, num_images=40, num_categories=2)
    assert len(set(large)) == 40 and set(small) < set(large)
    counts = Counter(labels[np.array(large) % 12])
    assert sorted(counts.values()) == [20, 20]
    again = ImageToPseudoVideo(
        Endless(), [Number()], subset=subset, num_images=40, num_categories=2, endless=True
    )
    seen = epochs(again, 3)
    assert seen[0] == large and len({number for epoch in seen for number in epoch}) == 120


@pytest.mark.parametrize("options", [dict(), dict(subset="balanced", num_categories=2)])
def test_the_same_new_images_on_any_number_of_workers_and_after_a_resume(options):
    def build():
        return ImageToPseudoVideo(Endless(), [Number()], num_images=6, endless=True, **options)

    alone = epochs(build(), 5)
    for workers, persistent in ((1, True), (2, True), (2, False)):
        assert epochs(build(), 5, workers, persistent=persistent) == alone
    assert epochs(build(), 2, start=3) == alone[3:]
    assert len({number for epoch in alone for number in epoch}) == 30


def test_new_images_are_of_the_chosen_categories():
    dataset = ImageToPseudoVideo(
        Endless(), [Number()], subset="balanced", num_images=4, num_categories=2, endless=True
    )
    used = [{number % 3 for number in epoch} for epoch in epochs(dataset, 6)]
    assert used == [used[0]] * 6 and len(used[0]) == 2


def test_a_subset_of_an_endless_set_goes_on_with_its_own_images():
    dataset = ImageToPseudoVideo(Endless(), [Number()], num_images=4, endless=True)
    assert epochs(dataset.get_subset([1, 3]), 3) == [[1, 3], [5, 7], [9, 11]]


def test_bad_images_of_an_endless_set_are_replaced_alike():
    def build():
        source = Endless(bad=(2, 13, 27))
        return ImageToPseudoVideo(source, [Number()], endless=True, max_bad_share=1.0)

    alone = epochs(build(), 3)
    assert [(e, i) for e in range(3) for i in range(12) if alone[e][i] != 12 * e + i] == [
        (0, 2), (1, 1), (2, 3),
    ]  # fmt: skip
    assert epochs(build(), 3, workers=2, persistent=True) == alone
    assert all(12 * e <= number < 12 * e + 12 for e in range(3) for number in alone[e])


def test_draws_do_not_lean_on_what_numpy_may_change(monkeypatch):
    """Only raw bits are promised to stay; a resume elsewhere must go on with the same images."""

    def refuse(*args):
        raise AssertionError("numpy.random.Generator may change")

    monkeypatch.setattr(np.random, "default_rng", refuse)
    assert choose_images(Labelled(), 6, "random", 3).tolist() == [44, 13, 36, 67, 57, 28]
    assert choose_images(Labelled(), 6, "balanced", 3, num_categories=2).tolist() == [
        67,
        0,
        57,
        1,
        66,
        2,
    ]
    assert choose_images(Endless(), 15, "random", 3).tolist() == [
        0,
        8,
        11,
        7,
        3,
        1,
        9,
        6,
        5,
        4,
        10,
        2,
        20,
        19,
        18,
    ]


def test_the_first_images_of_a_long_source_cost_what_they_are():
    source = FractalImages(num_categories=3000, images_per_category=1_000_000)
    assert choose_images(source, 10, "first", 0).tolist() == [*range(10)]
    words = r"3000000000 images of FractalImages.*images_per_category.*dataset\.endless=True"
    for subset in ("first", "random", "balanced"):
        with pytest.raises(ValueError, match=words):
            choose_images(source, None, subset, 0)
    with pytest.raises(ValueError, match=words):
        choose_images(source, 10, "first", 0, num_categories=3)
    with pytest.raises(ValueError, match="2147483648 images of FractalImages"):
        choose_images(FractalImages(2, 2), 2**31, "first", 0)
