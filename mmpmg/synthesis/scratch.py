"""Memory that is used again and again: fresh pages cost as much as the arithmetic on them."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np


class Scratch(threading.local):
    """Arrays by name, one set a thread, each as large as the largest that was asked for.

    An array is valid until the next one of its name is taken in the same thread: it must not leave
    the function that took it.
    """

    def __init__(self) -> None:
        self._memory: dict[str, np.ndarray] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: Any = np.float64) -> np.ndarray:
        """Return an array of this shape with anything in it.

        Args:
            name: what it is for; always with the same dtype.
            shape: of the array.
            dtype: of its numbers.

        Returns:
            C-contiguous.
        """
        count = math.prod(shape)
        memory = self._memory.get(name)
        if memory is None or memory.size < count:
            memory = self._memory[name] = np.empty(count, dtype)
        return memory[:count].reshape(shape)
