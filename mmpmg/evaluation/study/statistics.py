"""What the cells of a study say: means with intervals, paired differences, agreement of orders."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy import stats

Cell = TypeVar("Cell", bound=Hashable)
CONFIDENCE = 0.95
MOST_PERMUTED = 8
"""Orders of so many arms, 40320, are counted one by one where there are ties."""


@dataclass(frozen=True)
class Interval:
    """A mean and what it is known to.

    Attributes:
        mean: Of the values.
        half: Half the width of the interval around it; None for a single value.
        n: Number of values.
    """

    mean: float
    half: float | None
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.1f} ± {'–' if self.half is None else f'{self.half:.1f}'}"


@dataclass(frozen=True)
class Agreement:
    """How far two orders of the same arms agree.

    Attributes:
        tau: Kendall's tau-b: 1 the same order, -1 the reverse.
        p: Two-sided: how often a random order agrees or disagrees at least as much.
        n: Number of arms.
        exact: Every order was counted; else the normal approximation.
    """

    tau: float
    p: float
    n: int
    exact: bool

    @property
    def p_words(self) -> str:
        """The p-value with its sign: ``= 0.014``."""
        return "< 0.001" if self.p < 0.001 else f"= {self.p:.3f}"


def interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """Compute a mean and Student's t-interval around it.

    It covers the true mean in ``confidence`` of all repetitions if the values are independent and
    normal. Folds times seeds are not quite that, as cells of one fold share their test videos and
    cells of one seed their pre-training: of 3 x 4 cells whose seeds differ by 1.5 points, folds by
    2 and the rest by 6, it covers the mean over all seeds and folds in 91 of 100.

    Args:
        values: Of finished cells, finite.
        confidence: Between 0 and 1.

    Returns:
        The interval; without a half width for one value, None for no value.

    Raises:
        ValueError: A value that is not finite: a failed cell has no place in a mean.
    """
    numbers = np.asarray(values, dtype=float)
    if not np.isfinite(numbers).all():
        raise ValueError(f"a mean over {list(values)}: leave out cells that failed")
    n = len(numbers)
    if n == 0:
        return None
    if n == 1:
        return Interval(float(numbers[0]), None, 1)
    half = stats.t.ppf((1 + confidence) / 2, n - 1) * numbers.std(ddof=1) / n**0.5
    return Interval(float(numbers.mean()), float(half), n)


def paired_difference(
    values: Mapping[Cell, float], reference: Mapping[Cell, float]
) -> Interval | None:
    """Compute the mean of the differences between cells that both sides have.

    Args:
        values: Cell, such as (seed, fold) -> value.
        reference: The same of what is subtracted.

    Returns:
        The interval of ``values - reference``; None without a common cell.
    """
    return interval(
        [value - reference[cell] for cell, value in values.items() if cell in reference]
    )


def agreement(ours: Mapping[str, float], papers: Mapping[str, float]) -> Agreement | None:
    """Compare two orders of the arms that both have.

    Args:
        ours: Arm -> mean.
        papers: Arm -> the paper's number.

    Returns:
        Kendall's tau and its p-value, exact unless more than 8 arms have ties; None for fewer than
        three arms, or where one side calls all equal.
    """
    arms = [arm for arm in papers if arm in ours]
    # Means of the same accuracies, summed in another order, are ties.
    x, y = (np.round([float(side[arm]) for arm in arms], 6) for side in (ours, papers))
    n = len(arms)
    if n < 3 or len(set(x)) == 1 or len(set(y)) == 1:
        return None
    tied = len(set(x)) < n or len(set(y)) < n
    tau, p = stats.kendalltau(x, y, method="asymptotic" if tied else "exact")
    if tied and n <= MOST_PERMUTED:
        p = _permuted(x, y)
    return Agreement(float(tau), float(p), n, not tied or n <= MOST_PERMUTED)


def _permuted(x: np.ndarray, y: np.ndarray) -> float:
    """Count the orders of x, ties and all, that agree with y or its reverse as much as x does."""
    first, second = np.triu_indices(len(x), 1)
    direction = np.sign(y[first] - y[second])

    def concordance(x: np.ndarray, axis: int = -1) -> np.ndarray:
        # tau-b but for a factor that no permutation changes
        x = np.moveaxis(x, axis, -1)
        return np.abs((np.sign(x[..., first] - x[..., second]) * direction).sum(-1))

    counted = stats.permutation_test(
        (x,), concordance, permutation_type="pairings", n_resamples=np.inf,
        vectorized=True, alternative="greater",
    )  # fmt: skip
    return float(counted.pvalue)
