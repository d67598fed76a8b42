"""Mixtures of data sets: shares, turns, seeds; on any number of workers and ranks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmaction.registry import DATASETS
from mmengine.dataset import BaseDataset, RepeatDataset, pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmpmg.datasets import (
    ImageToPseudoVideo,
    MixedDatasets,
    SampleSeedSampler,
    SeedSample,
    ShaderImages,
)
from mmpmg.datasets.sample_seed import generator
from mmpmg.engine.dead_workers import bad_sample_records


class Numbers(BaseDataset):
    """A data set of MMEngine with nothing of ours but a SeedSample."""

    def __init__(self, name: str, length: int, seeded: bool = True) -> None:
        self.name, self.length = name, length
        super().__init__(pipeline=[SeedSample()] * seeded + [self.draw])

    def load_data_list(self) -> list[dict]:
        return [{"number": number} for number in range(self.length)]

    def draw(self, results: dict) -> dict:
        return dict(
            part=self.name,
            number=results["number"],
            own=float(generator(results, "draw").random()),
            numpy=float(np.random.rand()),  # noqa: NPY002
        )


def mixture(**options) -> MixedDatasets:
    return MixedDatasets(dict(videos=Numbers("videos", 7), images=Numbers("images", 20)), **options)


def epochs(dataset, count, workers=0, seed=3, start=0, world=1) -> list[list[dict]]:
    """What each epoch brings, all ranks together, in the order of a single rank's batches."""
    seen: list[list[dict]] = [[] for _ in range(count)]
    for rank in range(world):
        sampler = SampleSeedSampler(dataset, seed=seed)
        sampler.rank, sampler.world_size = rank, world
        sampler.num_samples = -(-len(dataset) // world)
        sampler.total_size = sampler.num_samples * world
        loader = DataLoader(
            dataset, 2, sampler=sampler, num_workers=workers, collate_fn=pseudo_collate,
            persistent_workers=workers > 0,
        )  # fmt: skip
        for epoch in range(start, count):
            sampler.set_epoch(epoch)
            for batch in loader:
                seen[epoch] += [
                    {key: batch[key][k] for key in batch} for k in range(len(batch["part"]))
                ]
    return seen


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    weights=st.lists(st.floats(0.1, 10), min_size=4, max_size=4),
    total=st.integers(40, 90),
    rounds=st.integers(1, 6),
)
def test_shares_are_exact_and_nothing_repeats_before_its_part_is_exhausted(
    lengths, weights, total, rounds
):
    names = [f"part {k}" for k in range(len(lengths))]
    weights = dict(zip(names, weights, strict=False))
    parts = {name: [None] * n for name, n in zip(names, lengths, strict=True)}
    if total * min(weights.values()) / sum(weights.values()) < 1:
        return  # refused, see below
    dataset = MixedDatasets(parts, weights, total)
    drawn = {name: Counter(range(n)) for name, n in zip(names, lengths, strict=True)}
    for epoch in range(rounds):
        dataset.seed_sample.set_epoch(epoch)
        here = Counter()
        for index in range(total):
            name, number = dataset.address(index)
            here[name] += 1
            drawn[name][number] += 1
            # At every moment: no sample is two draws ahead of another of its part.
            assert max(drawn[name].values()) - min(drawn[name].values()) <= 1
        for name, weight in weights.items():
            assert abs(here[name] - total * weight / sum(weights.values())) < 1
        assert here == dataset.counts


def test_the_first_samples_hold_the_shares_too():
    dataset = mixture(weights=dict(videos=1, images=3), num_samples=400)
    for first in (4, 40, 100):
        videos = sum(dataset.address(index)[0] == "videos" for index in range(first))
        assert abs(videos - first / 4) <= 1


def test_without_options_every_sample_comes_once_an_epoch():
    (epoch,) = epochs(mixture(), 1)
    assert Counter((s["part"], s["number"]) for s in epoch) == Counter(
        [("videos", k) for k in range(7)] + [("images", k) for k in range(20)]
    )


def test_the_default_length_with_weights_repeats_nothing():
    dataset = mixture(weights=dict(videos=1, images=2))
    assert dataset.counts == dict(videos=7, images=14)
    first, second = epochs(dataset, 2)
    images = [[s["number"] for s in epoch if s["part"] == "images"] for epoch in (first, second)]
    assert len(set(images[0])) == len(set(images[1])) == 14
    assert set(images[0]) | set(images[1]) == set(range(20)), "the second begins with the rest"


def key(sample):
    return sample["part"], sample["number"], sample["own"], sample["numpy"]


def test_workers_ranks_and_resumption_change_nothing():
    options = dict(weights=dict(videos=1, images=1), num_samples=24)
    plain = epochs(mixture(**options), 3)
    for other in (
        epochs(mixture(**options), 3, workers=2),
        epochs(mixture(**options), 3, world=2),
        [plain[0], plain[1], *epochs(mixture(**options), 3, start=2)[2:]],
    ):
        assert [sorted(map(key, one)) for one in other] == [sorted(map(key, o)) for o in plain]


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: RepeatDataset(d, 2)])
def test_a_sample_that_comes_again_is_drawn_anew(wrap):
    dataset = MixedDatasets(
        dict(videos=wrap(Numbers("videos", 3)), images=Numbers("images", 4)),
        weights=dict(videos=5, images=1), num_samples=24,
    )  # fmt: skip
    seen = [sample for epoch in epochs(dataset, 2) for sample in epoch]
    assert Counter(s["part"] for s in seen) == dict(videos=40, images=8)
    assert len({s["own"] for s in seen}) == len({s["numpy"] for s in seen}) == 48


def test_a_part_without_seeding_is_repeatable_all_the_same():
    def draws():
        dataset = MixedDatasets(dict(foreign=Numbers("foreign", 5, seeded=False)), num_samples=8)
        return [[s["numpy"] for s in epoch] for epoch in epochs(dataset, 2)]

    assert draws() == draws()
    assert len({number for epoch in draws() for number in epoch}) == 16


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(weights=dict(videos=1)), "dataset.weights names videos, but dataset.parts are"),
        (dict(weights=dict(videos=1, images=-1)), "dataset.weights.images=-1"),
        (dict(weights=dict(videos="2", images=1)), "dataset.weights.videos='2': must be a pos"),
        (dict(num_samples=0), "dataset.num_samples=0"),
        (dict(num_samples=6.5), "dataset.num_samples=6.5: must be a whole number"),
        (dict(num_samples="6"), "dataset.num_samples='6': must be a whole number"),
        (dict(weights=dict(videos=1, images=99), num_samples=9), "parts.videos has no sample"),
    ],
)
def test_illegal_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        mixture(**options)


def test_parts_and_their_weights_can_be_taken_out_by_name():
    parts = dict(videos=Numbers("videos", 7), images=None)
    assert MixedDatasets(parts, dict(videos=1, images=5)).counts == dict(videos=7)
    with pytest.raises(ValueError, match="dataset.parts is empty"):
        MixedDatasets(dict(videos=None))


def test_recipes_build_and_records_of_bad_samples_are_found():
    init_default_scope("mmaction")
    images = dict(type="ShaderImages", num_categories=6, images_per_category=1, size=8)
    part = dict(type="ImageToPseudoVideo", images=images, pipeline=dict(seed=dict(type="Resize",
                scale=(8, 8))))  # fmt: skip
    dataset = DATASETS.build(
        dict(type="MixedDatasets", parts=dict(a=part, b=ImageToPseudoVideo(
            ShaderImages(2, 1, size=8), [])))
    )  # fmt: skip
    assert dataset.counts == dict(a=6, b=2)
    assert [len(record) for record in bad_sample_records(dataset)] == [6, 2]
    info = dataset.get_data_info(0)
    assert info["part"] == "a" and "shader" in info["filename"]
