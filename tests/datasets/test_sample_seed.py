"""Seeds are a function of (run, epoch, index, stream): not of workers, ranks or history."""

from __future__ import annotations

import copy
import pickle
import random

import numpy as np
import pytest
from mmengine.logging import MMLogger

from mmpmg.datasets.sample_seed import SeedSample, generator, sample_seed


def test_every_part_changes_the_seed_and_only_they_do():
    parts = [(r, e, i, s) for r in range(3) for e in range(3) for i in range(20) for s in range(2)]
    seeds = [sample_seed(*part) for part in parts]
    assert len(set(seeds)) == len(seeds)
    assert seeds == [sample_seed(*part) for part in parts]
    assert all(isinstance(seed, int) and 0 <= seed < 2**63 for seed in seeds)
    # Swapping roles is no accident waiting to happen.
    assert sample_seed(1, 2, 3) != sample_seed(3, 2, 1)


def test_known_value_does_not_change_between_releases():
    assert sample_seed(0, 0, 0) == sample_seed(0, 0, 0, 0)
    expected = int(np.random.SeedSequence((7, 5, 3, 1)).generate_state(1, np.uint64)[0]) // 2
    assert sample_seed(7, 5, 3, 1) == expected


def test_negative_parts_are_refused():
    with pytest.raises(ValueError, match="0 or more"):
        sample_seed(0, -1, 0)


def test_streams_of_a_sample_are_independent_and_repeatable():
    results = {"sample_seed": 123}
    a = generator(results, "a").random(1000)
    b = generator(results, "b").random(1000)
    np.testing.assert_array_equal(a, generator(results, "a").random(1000))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.1
    assert not np.allclose(a, generator({"sample_seed": 124}, "a").random(1000))


def test_without_a_seed_the_global_generator_decides():
    np.random.seed(3)  # noqa: NPY002
    first, second = generator({}, "a").random(), generator({}, "a").random()
    np.random.seed(3)  # noqa: NPY002
    assert first == generator({}, "a").random()
    assert first != second


def test_transform_pins_the_global_generators_to_the_sample():
    transform = SeedSample()
    transform.bind(run_seed=11, stream=0)

    def draw(index: int) -> tuple[int, float, float]:
        seed = transform({"sample_idx": index})["sample_seed"]
        return seed, random.random(), np.random.rand()  # noqa: NPY002

    first = draw(4)
    random.random()
    draw(5)
    assert draw(4) == first
    assert first[0] == sample_seed(11, 0, 4, 0)
    transform.set_epoch(1)
    assert draw(4)[1:] != first[1:]


def test_unbound_transform_is_random_and_warns_once(tmp_path):
    MMLogger.get_instance("unbound", log_file=str(tmp_path / "run.log"))
    transform = SeedSample()
    state = random.getstate()
    seeds = {transform({"sample_idx": 0})["sample_seed"] for _ in range(5)}
    assert len(seeds) == 5
    assert random.getstate() == state
    MMLogger._instance_dict.pop("unbound")
    assert (tmp_path / "run.log").read_text().count("type='SampleSeedSampler'") == 1


def test_transform_needs_an_index():
    with pytest.raises(KeyError, match="sample_idx"):
        SeedSample()({})


def test_noted_outer_index_counts_once():
    transform = SeedSample()
    transform.bind(1, 0)
    transform.note_outer_index(9)
    assert transform({"sample_idx": 2})["sample_seed"] == sample_seed(1, 0, 9)
    assert transform({"sample_idx": 2})["sample_seed"] == sample_seed(1, 0, 2)


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies_can_be_bound_and_shared(clone):
    transform = clone(SeedSample())
    transform.bind(5, 2)
    assert transform._state.is_shared()
    assert transform({"sample_idx": 1})["sample_seed"] == sample_seed(5, 0, 1, 2)
