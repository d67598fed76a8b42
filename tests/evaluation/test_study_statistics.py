"""The statistics of a study: hand-computed cases, SciPy on the other side, and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from mmpmg.evaluation.study.statistics import agreement, interval, paired_difference


def test_a_case_computed_by_hand():
    # deviations -3, -1, 1, 3: s² = 20 / 3; t(.975, 3) = 3.182446
    found = interval([7, 9, 11, 13])
    assert found.mean == 10
    assert found.n == 4
    assert found.half == pytest.approx(3.182446 * math.sqrt(20 / 3) / 2, rel=1e-6)
    assert str(found) == "10.0 ± 4.1"


def test_one_value_has_no_interval_and_none_has_no_mean():
    assert str(interval([21.05])) == "21.1 ± –"
    assert interval([21.05]).half is None
    assert interval([]) is None


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_not_finite_never_enters_a_mean(value):
    with pytest.raises(ValueError, match="leave out cells that failed"):
        interval([20.0, value, 21.0])


def test_intervals_are_those_of_scipys_t_tests():
    rng = np.random.default_rng(0)
    for n in (2, 3, 12, 40):
        ours, theirs = rng.normal(20, 3, (2, n))
        low, high = stats.ttest_1samp(ours, 0).confidence_interval(0.95)
        found = interval(ours)
        assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))
        low, high = stats.ttest_rel(ours, theirs).confidence_interval(0.95)
        found = paired_difference(dict(enumerate(ours)), dict(enumerate(theirs)))
        assert (found.mean - found.half, found.mean + found.half) == pytest.approx((low, high))


@pytest.mark.parametrize("n", [3, 12])
def test_the_interval_covers_the_mean_of_normal_cells_in_95_of_100_repetitions(n):
    rng = np.random.default_rng(n)
    repetitions = 3000
    covered = 0
    for values in rng.normal(17.5, 4, (repetitions, n)):
        found = interval(values)
        covered += abs(found.mean - 17.5) <= found.half
    deviation = math.sqrt(0.95 * 0.05 / repetitions)
    assert abs(covered / repetitions - 0.95) < 3 * deviation


def test_cells_that_share_folds_and_seeds_are_covered_in_91_of_100_as_is_said():
    rng = np.random.default_rng(0)
    repetitions = 3000
    seeds, folds = rng.normal(0, 1.5, (repetitions, 3, 1)), rng.normal(0, 2, (repetitions, 1, 4))
    cells = (seeds + folds + rng.normal(0, 6, (repetitions, 3, 4))).reshape(repetitions, 12)
    covered = sum(abs(found.mean) <= found.half for found in map(interval, cells))
    assert covered / repetitions == pytest.approx(
        0.91, abs=3 * math.sqrt(0.91 * 0.09 / repetitions)
    )


def test_pairs_alone_are_compared_and_what_they_share_drops_out():
    # Folds differ by tens of points, arms by two: only pairing sees it.
    arm = {(0, 0): 12.0, (0, 1): 52.0, (1, 0): 33.0}
    reference = {(0, 0): 10.0, (0, 1): 50.0, (2, 2): 99.0}
    found = paired_difference(arm, reference)
    assert found.n == 2
    assert found.mean == 2
    assert found.half == pytest.approx(0)
    assert paired_difference(arm, {}) is None


def brute_force_p(x, y):
    """Count all orders with the plain definition of concordance."""

    def concordance(x):
        pairs = itertools.combinations(range(len(x)), 2)
        return abs(sum(np.sign((x[i] - x[j]) * (y[i] - y[j])) for i, j in pairs))

    counts = [concordance(order) >= concordance(x) for order in itertools.permutations(x)]
    return sum(counts) / len(counts)


@pytest.mark.parametrize(
    ("ours", "papers"),
    [
        ([10, 13, 17, 21], [1, 2, 3, 4]),
        ([10, 13, 17, 21, 15], [2, 1, 3, 5, 4]),
        ([10, 13, 13, 21, 15], [2, 1, 3, 5, 5]),
        ([10, 10, 10, 21], [4, 3, 2, 1]),
    ],
)
def test_the_p_value_counts_all_orders(ours, papers):
    found = agreement(dict(zip("abcde", ours)), dict(zip("abcde", papers)))
    assert found.exact
    assert found.n == len(ours)
    assert found.p == pytest.approx(brute_force_p(ours, papers))
    assert found.tau == pytest.approx(stats.kendalltau(ours, papers).statistic)


def test_the_same_order_of_four_is_no_proof():
    found = agreement(dict(a=1, b=2, c=3, d=4), dict(a=10, b=20, c=30, d=40))
    assert found.tau == pytest.approx(1)
    assert found.p == pytest.approx(2 / 24)  # this order and its reverse, of 24


def test_only_arms_that_both_have_are_ordered():
    papers = dict(a=72.7, b=81.2, c=75.1, other=99)
    found = agreement(dict(a=12, b=21, c=15, scratch=30), papers)
    assert (found.n, found.tau) == (3, pytest.approx(1))
    assert agreement(dict(a=12, b=21), papers) is None
    assert agreement(dict(a=12, b=12, c=12), papers) is None


def test_means_that_differ_by_rounding_alone_are_ties():
    ours = dict(a=0.1 + 0.2, b=0.3, c=0.5)
    assert agreement(ours, dict(a=1, b=2, c=3)).tau == pytest.approx(
        stats.kendalltau([3, 3, 5], [1, 2, 3]).statistic
    )


def test_more_arms_with_ties_are_approximated_and_say_so():
    arms = [f"arm{number}" for number in range(10)]
    ours, papers = dict(zip(arms, [1, 1, *range(2, 10)])), dict(zip(arms, range(10)))
    found = agreement(ours, papers)
    assert not found.exact
    assert found.p == pytest.approx(stats.kendalltau([*ours.values()], [*range(10)]).pvalue)
