"""Which samples of a set cannot be read: named once, counted by all workers together."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.logging import print_log
from torch.utils.data import get_worker_info

_UNKNOWN, _GOOD, _BAD = 0, 1, 2
_FEW = 200  # so many tried samples are assumed when the share of bad ones is judged early
_WORKERS = 1024  # slots; a worker beyond them shares one


class TooManyBadSamplesError(RuntimeError):
    """More samples than ``max_bad_share`` cannot be read: something is wrong with the whole set."""


class BadSamples:
    """The record of a set's unreadable samples, in memory that its data workers share.

    Args:
        count: how many samples the set has.
        kind: what a sample is called in messages, for example ``"image"``.
        name: sample number -> what to call it.
        max_share: share of bad samples among those tried, [0, 1], above which `add` raises. Early
            on, 200 tried samples are assumed: .01 bears two bad ones.

    Raises:
        ValueError: ``max_share`` is not in [0, 1].
    """

    def __init__(self, count: int, kind: str, name: Callable[[int], str], max_share: float) -> None:
        if not 0 <= max_share <= 1:
            raise ValueError(f"dataset.max_bad_share={max_share}: must be in [0, 1]")
        self.kind = kind
        self.max_share = max_share
        self._name = name
        self._seen = torch.zeros(count, dtype=torch.uint8).share_memory_()
        # For each worker: its process, and the sample that it is at.
        self._begun = torch.full((_WORKERS, 2), -1, dtype=torch.int64).share_memory_()
        # MMEngine's loggers let nothing less pass on other ranks than the first.
        self._level = logging.WARNING if get_rank() == 0 else logging.ERROR

    def __len__(self) -> int:
        return len(self._seen)

    def __deepcopy__(self, memo: dict[int, Any]) -> BadSamples:
        """Copy, into shared memory again: workers of the copy share it."""
        other = copy.copy(self)
        memo[id(self)] = other
        other._name = copy.deepcopy(self._name, memo)
        other._seen = self._seen.clone().share_memory_()
        other._begun = self._begun.clone().share_memory_()
        return other

    def begin(self, number: int) -> None:
        """Note that this process begins a sample, in case it does not survive it."""
        self._note(os.getpid(), number)

    def end(self) -> None:
        """Note that this process has survived its sample."""
        self._note(-1, -1)

    def _note(self, process: int, number: int) -> None:
        worker = get_worker_info()
        slot = (worker.id if worker else 0) % _WORKERS
        # Through NumPy: writing one number through torch takes ten times as long.
        self._begun.numpy()[slot] = process, number

    def begun_by(self, process: int) -> str | None:
        """Return the name of the sample that a process (its pid) is at, if it is at any."""
        numbers = self._begun[self._begun[:, 0] == process, 1].tolist()
        return self._name(numbers[-1]) if numbers else None

    def names(self) -> list[str]:
        """Return the names of the bad samples met so far, in the set's order."""
        return [self._name(int(i)) for i in np.flatnonzero(self._seen.numpy() == _BAD)]

    def add_good(self, number: int) -> None:
        """Note a sample that could be read."""
        seen = self._seen.numpy()
        if seen[number] == _UNKNOWN:
            seen[number] = _GOOD

    def add(self, number: int, error: Exception) -> None:
        """Note a bad sample, and name it in the log the first time.

        Args:
            number: its number in the set.
            error: what went wrong; its message names the sample.

        Raises:
            TooManyBadSamplesError: more than ``max_share`` of the tried samples are bad.
        """
        if self._seen[number] == _BAD:
            return
        self._seen[number] = _BAD
        bad = int((self._seen == _BAD).sum())
        tried = int((self._seen != _UNKNOWN).sum())
        if bad > self.max_share * max(tried, _FEW):
            raise TooManyBadSamplesError(
                f"{bad} of the {tried} {self.kind}s tried so far cannot be read, more than "
                f"dataset.max_bad_share={self.max_share} allows. For example: "
                f"{'; '.join(self.names()[:5])}. The last one: {error}. Mend the files, or raise "
                "dataset.max_bad_share."
            )
        # Behind the check: workers that still run when one has stopped stay silent.
        print_log(f"Bad {self.kind} skipped: {error}", logger="current", level=self._level)

    def give_up(self, draws: int, number: int) -> TooManyBadSamplesError:
        """Return the error for so many bad samples in a row, the last one being ``number``."""
        return TooManyBadSamplesError(
            f"{draws} {self.kind}s drawn in a row cannot be read, the last one is "
            f"{self._name(number)} (dataset.max_refetch={draws - 1})"
        )
