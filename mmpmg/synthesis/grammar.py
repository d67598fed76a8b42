"""Random programs: a vocabulary of rules, each with the ranges its parameters are drawn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Range:
    """Where a parameter is drawn from.

    Args:
        low: smallest value.
        high: largest value.
        kind: ``"linear"`` (uniform), ``"log"`` (uniform in the logarithm) or ``"whole"`` (whole
            numbers, both ends included).
    """

    low: float
    high: float
    kind: str = "linear"

    def sample(self, rng: np.random.Generator) -> float:
        """Draw a value.

        Args:
            rng: what to draw from.

        Returns:
            A number in the range; an ``int`` for ``"whole"``.
        """
        if self.kind == "whole":
            return int(rng.integers(int(self.low), int(self.high) + 1))
        if self.kind == "log":
            return float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))
        return float(rng.uniform(self.low, self.high))


def linear(low: float, high: float) -> Range:
    """Return a uniform range."""
    return Range(low, high)


def log(low: float, high: float) -> Range:
    """Return a range that is uniform in the logarithm."""
    return Range(low, high, "log")


def whole(low: int, high: int) -> Range:
    """Return a range of whole numbers, both ends included."""
    return Range(low, high, "whole")


#: Any seed of a hash.
SEED = whole(0, 2**31 - 1)


@dataclass(frozen=True)
class Step:
    """One rule with its parameters drawn: a value that can be called.

    Args:
        name: the rule.
        params: (name, value) of every parameter.
        function: what the rule does.
    """

    name: str
    params: tuple[tuple[str, float], ...]
    function: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        """Apply the rule with its parameters."""
        return self.function(*args, **dict(self.params))

    def __str__(self) -> str:
        shown = (f"{key}={value:.3g}" for key, value in self.params if key != "seed")
        return f"{self.name}({', '.join(shown)})"


class Vocabulary:
    """A set of rules to draw steps from."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[float, dict[str, Range], Callable[..., Any]]] = {}

    def rule(self, weight: float = 1.0, **ranges: Range) -> Callable:
        """Register the decorated function as a rule named after it.

        Args:
            weight: how often it is drawn, relative to the others.
            **ranges: where each of its parameters is drawn from.

        Returns:
            A decorator that returns the function unchanged.
        """

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self._rules[function.__name__] = (weight, ranges, function)
            return function

        return register

    @property
    def names(self) -> tuple[str, ...]:
        """The rules, in the order of their registration, which the draw depends on."""
        return tuple(self._rules)

    def sample(self, rng: np.random.Generator) -> Step:
        """Draw a rule, then its parameters.

        Args:
            rng: what to draw from.

        Returns:
            The step.
        """
        weights = np.array([weight for weight, _, _ in self._rules.values()])
        name = self.names[int(rng.choice(len(weights), p=weights / weights.sum()))]
        _, ranges, function = self._rules[name]
        params = tuple((key, values.sample(rng)) for key, values in ranges.items())
        return Step(name, params, function)
