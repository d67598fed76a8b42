"""What label propagation remembers: the first frame, and a ring of the latest."""

from __future__ import annotations

from torch import Tensor


class LabelContext:
    """Features and soft labels of the first frame and of the latest ones, in memory of fixed size.

    Args:
        context_frames: How many of the latest frames to keep, besides the first.
        num_frames: Length of the sequence: a short one needs less room.
    """

    def __init__(self, context_frames: int, num_frames: int) -> None:
        # The last frame is asked for, never looked at.
        self._capacity = 1 + max(0, min(context_frames, num_frames - 2))
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
            self._features = features.new_empty(self._capacity, *features.shape)
            self._labels = labels.new_empty(self._capacity, *labels.shape)
        ring = self._capacity - 1
        if self._seen == 0:
            place = 0
        elif ring:
            place = 1 + (self._seen - 1) % ring
        else:
            return
        self._features[place], self._labels[place] = features, labels
        self._seen += 1

    def look(self) -> tuple[Tensor, Tensor]:
        """Return features (K, N, C) and labels (K, N, L), the first frame first; not copies.

        Raises:
            RuntimeError: Nothing was added.
        """
        if self._features is None or self._labels is None:
            raise RuntimeError("the context is empty: add the first frame and its labels")
        held = min(self._seen, self._capacity)
        return self._features[:held], self._labels[:held]
