"""Random programs: a vocabulary of rules, each with the ranges its parameters are drawn from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from .random_stream import RandomStream


@dataclass(frozen=True)
class Range:
    """Where a parameter is drawn from, and how far it strays between images of one program.

    Args:
        low: smallest value.
        high: largest value.
        kind: ``"linear"`` (uniform), ``"log"`` (nearly uniform in the logarithm) or ``"whole"``
            (whole numbers, both ends included).
        drift: share of the range by which images of one program may differ from it, 0 to 1.
    """

    low: float
    high: float
    kind: str = "linear"
    drift: float = 0.12

    def sample(self, stream: RandomStream) -> float:
        """Draw a value.

        Args:
            stream: what to draw from.

        Returns:
            A number in the range; an ``int`` for ``"whole"``.
        """
        if self.kind == "whole":
            return stream.whole(int(self.low), int(self.high))
        return self._at(stream.unit())

    def vary(self, value: float, stream: RandomStream, amount: float) -> float:
        """Draw a value near another one.

        Args:
            value: the program's.
            stream: what to draw from.
            amount: 1 for the full drift, 0 for none.

        Returns:
            A number in the range.
        """
        if self.kind == "whole":
            return value
        place = self._place(value) + self.drift * amount * stream.uniform(-1, 1)
        return self._at(min(max(place, 0.0), 1.0))

    def _at(self, place: float) -> float:
        if self.kind == "log":
            # The fourth power of a line is close to an exponential, and exact (`exact_math`).
            grown = 1 + place * (math.sqrt(math.sqrt(self.high / self.low)) - 1)
            return self.low * (grown * grown) * (grown * grown)
        return self.low + (self.high - self.low) * place

    def _place(self, value: float) -> float:
        """Return where in the range a value stands, the inverse of `_at`."""
        if self.kind == "log":
            root = math.sqrt(math.sqrt(value / self.low)) - 1
            return root / (math.sqrt(math.sqrt(self.high / self.low)) - 1)
        return (value - self.low) / (self.high - self.low)


def linear(low: float, high: float, drift: float = 0.12) -> Range:
    """Return a uniform range."""
    return Range(low, high, "linear", drift)


def log(low: float, high: float, drift: float = 0.12) -> Range:
    """Return a range that is nearly uniform in the logarithm."""
    return Range(low, high, "log", drift)


def whole(low: int, high: int) -> Range:
    """Return a range of whole numbers, both ends included; images of a program share it."""
    return Range(low, high, "whole", 0.0)


#: Any place in the tables of `noise`.
SEED = whole(0, 2**14 - 1)
#: Any angle, in turns; images of a program are turned by up to 15 degrees against it.
TURNS = Range(0.0, 1.0, "linear", 0.04)
#: A phase, in turns, which passes as time does: each image of a program has its own.
PHASE = Range(0.0, 1.0, "linear", 0.5)


@dataclass(frozen=True)
class Step:
    """One rule with its parameters drawn: a value that can be called.

    Args:
        name: the rule.
        params: (name, value) of every parameter.
        rule: where it comes from.
    """

    name: str
    params: tuple[tuple[str, float], ...]
    rule: Rule

    def __call__(self, *args: Any) -> Any:
        """Apply the rule with its parameters."""
        return self.rule.function(*args, **dict(self.params))

    def vary(self, stream: RandomStream, amount: float) -> Step:
        """Return the same rule with parameters near by.

        Args:
            stream: what to draw from.
            amount: 1 for the full drift, 0 for none.

        Returns:
            The step of one image of a program.
        """
        ranges = self.rule.ranges
        params = tuple((key, ranges[key].vary(value, stream, amount)) for key, value in self.params)
        return replace(self, params=params)

    def __str__(self) -> str:
        shown = (f"{key}={value:.3g}" for key, value in self.params if key != "seed")
        return f"{self.name}({', '.join(shown)})"


@dataclass(frozen=True)
class Rule:
    """What a vocabulary holds.

    Args:
        function: what the rule does.
        weight: how often it is drawn, relative to the others.
        centred: the picture has its centre at the origin, and must not be moved far from it.
        ranges: where each of its parameters is drawn from.
    """

    function: Callable[..., Any]
    weight: float
    centred: bool
    ranges: dict[str, Range]


class Vocabulary:
    """A set of rules to draw steps from.

    Args:
        *parts: vocabularies whose rules it takes over.
    """

    def __init__(self, *parts: Vocabulary) -> None:
        self._rules: dict[str, Rule] = {}
        for part in parts:
            self._rules.update(part._rules)

    def rule(self, weight: float = 1.0, centred: bool = False, **ranges: Range) -> Callable:
        """Register the decorated function as a rule named after it.

        Args:
            weight: how often it is drawn, relative to the others.
            centred: the picture has its centre at the origin.
            **ranges: where each of its parameters is drawn from.

        Returns:
            A decorator that returns the function unchanged.
        """

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self._rules[function.__name__] = Rule(function, weight, centred, ranges)
            return function

        return register

    @property
    def names(self) -> tuple[str, ...]:
        """The rules, in the order of their registration, which the draw depends on."""
        return tuple(self._rules)

    def sample(self, stream: RandomStream) -> Step:
        """Draw a rule, then its parameters.

        Args:
            stream: what to draw from.

        Returns:
            The step.
        """
        name = stream.choice(self.names, [rule.weight for rule in self._rules.values()])
        rule = self._rules[name]
        params = tuple((key, values.sample(stream)) for key, values in rule.ranges.items())
        return Step(name, params, rule)
