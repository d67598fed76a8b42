"""What label propagation remembers: the first frame, and a ring of the latest."""

from __future__ import annotations

from torch import Tensor


class LabelContext:
    """Features and soft labels of the first frame and of the latest ones, in memory of fixed size.

    Args:
        context_frames: How many of the latest frames to keep, besides the first, >= 1.
        fill: Whether the ring holds copies of the first frame until there are enough others, so
            that every frame looks at equally many; False: it is empty at first.
    """

    def __init__(self, context_frames: int, fill: bool = True) -> None:
        self._ring = context_frames
        self._fill = fill
        self._seen = 0
        self._features: Tensor | None = None
        self._labels: Tensor | None = None

    def add(self, features: Tensor, labels: Tensor) -> None:
        """Remember a frame; the first stays, of the others the oldest makes room.

        Args:
            features: (N, C).
            labels: (N, L).
        """
        if self._features is None or self._labels is None:
            self._features = features.new_empty(1 + self._ring, *features.shape)
            self._labels = labels.new_empty(1 + self._ring, *labels.shape)
            place = slice(None) if self._fill else slice(1)
        else:
            number = 1 + (self._seen - 1) % self._ring
            place = slice(number, number + 1)
        self._features[place], self._labels[place] = features, labels
        self._seen += 1

    def look(self) -> tuple[Tensor, Tensor]:
        """Return features (K, N, C) and labels (K, N, L), the first frame first; not copies.

        Raises:
            RuntimeError: Nothing was added.
        """
        if self._features is None or self._labels is None:
            raise RuntimeError("the context is empty: add the first frame and its labels")
        held = 1 + self._ring if self._fill else min(self._seen, 1 + self._ring)
        return self._features[:held], self._labels[:held]
