"""The rectangle of a second image that CutMix sticks onto a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .values import FrozenArrays, frozen_array


@dataclass(frozen=True, eq=False)
class Paste(FrozenArrays):
    """A rectangle of a second image, stuck unscaled onto every frame (CutMix).

    Attributes:
        source: (x, y, width, height) of the rectangle in the partner image, whole pixels.
        positions: (T, 2) int64, the (x, y) of its top left corner in each frame. Whole pixels, so
            the pasted content is the partner's, bit for bit, and its edge is sharp.
    """

    source: tuple[int, int, int, int]
    positions: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        """Freeze the arrays and check the shapes."""
        source = tuple(int(v) for v in self.source)
        positions = frozen_array(self.positions, np.int64)
        if len(source) != 4 or min(source[:2]) < 0 or min(source[2:]) < 1:
            raise ValueError(f"Paste: source={self.source!r} must be (x >= 0, y >= 0, w, h >= 1)")
        if positions.ndim != 2 or positions.shape[1] != 2:
            raise ValueError(f"Paste: positions has shape {positions.shape}, expected (T, 2)")
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "positions", positions)

    def to_dict(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain python data."""
        return {"source": list(self.source), "positions": self.positions.tolist()}

    def __eq__(self, other: object) -> bool:
        """Two pastes are equal when every number is."""
        if not isinstance(other, Paste):
            return NotImplemented
        return self.source == other.source and np.array_equal(self.positions, other.positions)

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((self.source, self.positions.tobytes()))
