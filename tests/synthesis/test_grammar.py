"""Programs are drawn by whole numbers, within their ranges, and vary within them."""

from __future__ import annotations

import numpy as np
import pytest

from mmpmg.synthesis.grammar import PHASE, SEED, Range, Vocabulary, linear, log, whole
from mmpmg.synthesis.random_stream import RandomStream


def test_splitmix_reference():
    """The first outputs of SplitMix64 from state 0, as published with the algorithm."""
    stream = RandomStream()
    stream._state = 0
    assert [int(stream.unit() * 2**53) for _ in range(3)] == [
        0xE220A8397B1DCDAF >> 11, 0x6E789E6AA1B965F4 >> 11, 0x06C45D188009454F >> 11,
    ]  # fmt: skip


def test_streams_of_neighbouring_keys_are_unrelated():
    keys = [(), (0,), (0, 0), (1,), (0, 1), (1, 0), (2, 1), (1, 2), (2**40,), (2**64 + 5, 1)]
    rows = np.array([[s.unit() for _ in range(500)] for s in (RandomStream(*k) for k in keys)])
    correlation = np.corrcoef(rows) - np.eye(len(keys))
    assert np.abs(correlation).max() < 0.2
    firsts = np.array([RandomStream(0, category, 7).unit() for category in range(4000)])
    assert abs(firsts.mean() - 0.5) < 0.02 and abs(firsts.std() - 12**-0.5) < 0.01
    assert abs(np.corrcoef(firsts[1:], firsts[:-1])[0, 1]) < 0.06


def test_choices_follow_their_weights():
    stream = RandomStream(3)
    drawn = [stream.choice("abc", (1, 0, 3)) for _ in range(4000)]
    assert drawn.count("b") == 0
    assert drawn.count("c") / 4000 == pytest.approx(0.75, abs=0.03)
    numbers = [stream.whole(-2, 3) for _ in range(3000)]
    assert {n: numbers.count(n) > 380 for n in range(-2, 4)} == dict.fromkeys(range(-2, 4), True)
    assert set(numbers) == set(range(-2, 4))


@pytest.mark.parametrize("values", [linear(-2, 3), log(0.5, 8), whole(1, 4), PHASE, SEED])
def test_ranges_are_kept_by_draws_and_by_variations(values: Range):
    stream = RandomStream(1)
    for _ in range(300):
        value = values.sample(stream)
        assert values.low <= value <= values.high
        assert values.vary(value, stream, 0.0) == pytest.approx(value, rel=1e-12, abs=1e-12)
        other = values.vary(value, stream, 1.0)
        assert values.low <= other <= values.high * (1 + 1e-12)
        if values.kind == "whole":
            assert other == value
        elif values.kind == "linear":
            assert abs(other - value) <= values.drift * (values.high - values.low) + 1e-12


def test_log_range_is_nearly_uniform_in_the_logarithm():
    values, stream = log(1, 16), RandomStream(2)
    drawn = np.log2([values.sample(stream) for _ in range(4000)]) / 4
    assert np.abs(np.quantile(drawn, [0.25, 0.5, 0.75]) - [0.25, 0.5, 0.75]).max() < 0.12


def test_vocabulary_draws_by_weight_and_steps_print_and_vary():
    words = Vocabulary()

    @words.rule(weight=3, factor=linear(1, 2), seed=SEED)
    def grow(x, factor, seed):
        return x * factor

    @words.rule(weight=1)
    def keep(x):
        return x

    both = Vocabulary(words)
    stream = RandomStream(4)
    steps = [both.sample(stream) for _ in range(800)]
    assert both.names == ("grow", "keep")
    assert sum(step.name == "grow" for step in steps) / 800 == pytest.approx(0.75, abs=0.06)
    step = next(step for step in steps if step.name == "grow")
    assert step(10) == 10 * dict(step.params)["factor"]
    assert str(step) == f"grow(factor={dict(step.params)['factor']:.3g})"
    assert step.vary(stream, 1.0).params != step.params
    assert step.vary(stream, 1.0).name == "grow"
