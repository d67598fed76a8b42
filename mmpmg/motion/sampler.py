"""Which motion a clip gets: one op of a set as in the paper, or several composed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .composition import compose
from .motion import Motion
from .ops import Op, build_op, draw
from .ranges import choice, number

#: The best set in the paper's ablation: zoom and affine, equally often.
BEST_OPS: Mapping[str, Mapping[str, Any]] = {
    "zoom": {"type": "ZoomInOut"},
    "affine": {"type": "Affine"},
}


class MotionSampler:
    """Draw a motion from a set of ops.

    Args:
        ops: A dict from a name of your own to an op's options, for example
            ``dict(zoom=dict(type='ZoomInOut'), affine=dict(type='Affine', weight=2.0))``. A name
            keeps its op addressable: a recipe built on another one changes options of that op
            alone, and drops the op with ``affine=None``. A list of such options, or of type names,
            works too, but recipes cannot change part of a list. None: the paper's best set, zoom
            and affine. ``weight`` (default 1) is an op's relative frequency in mode ``'one'``.
        mode: ``'one'``: one op per clip (supplement, Sec. C); ``'compose'``: all ops at once, in
            their order, see :func:`mmpmg.motion.compose`, which says what goes together.

    Raises:
        ValueError: If the set is empty, an op or an option is unknown or out of its range, or the
            ops cannot be composed.
    """

    def __init__(
        self,
        ops: Mapping[str, Any] | Sequence[Any] | None = None,
        mode: str = "one",
    ) -> None:
        self.mode = choice("PMG", "mode", mode, ("one", "compose"))
        self.ops: dict[str, Op] = {}
        weights: list[float] = []
        for name, entry in _named_entries(BEST_OPS if ops is None else ops).items():
            options = {"type": entry} if isinstance(entry, str) else dict(entry)
            if self.mode == "compose" and "weight" in options:
                raise ValueError(f"ops: {name}.weight has no meaning in mode='compose'; drop it")
            weights.append(number("ops", f"{name}.weight", options.pop("weight", 1.0), 0.0, 1e9))
            try:
                self.ops[name] = build_op(options)
            except ValueError as error:
                raise ValueError(f"ops: {name}: {error}") from error
        if not self.ops or sum(weights) == 0:
            raise ValueError(
                "ops: no motion to choose from; name at least one with a weight above 0, for "
                "example ops=dict(zoom=dict(type='ZoomInOut'))"
            )
        self.probabilities = np.array(weights) / sum(weights)
        self._cumulative = self.probabilities.cumsum()
        self._cumulative /= self._cumulative[-1]
        if self.mode == "compose":
            # Fails now, before training, if the ops do not go together.
            for seed in range(8):  # a shift of less than a pixel, say, shows no border
                self.sample(np.random.default_rng(seed), 2, (224, 224))

    @property
    def num_partners(self) -> int:
        """The most images beside the source that a motion may need."""
        chosen = zip(self.ops.values(), self.probabilities, strict=True)
        return max(op.num_partners for op, probability in chosen if probability > 0)

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W).

        Raises:
            ValueError: If an op draws another length or size, see :func:`.ops.draw`.
        """
        ops = list(self.ops.items())
        if self.mode == "compose":
            return compose([draw(name, op, rng, num_frames, size) for name, op in ops])
        # rng.choice(len(ops), p=self.probabilities), number for number, without its checks.
        chosen = int(self._cumulative.searchsorted(rng.random(), side="right"))
        return draw(*ops[chosen], rng, num_frames, size)

    def __repr__(self) -> str:
        """Name the ops and their shares."""
        shares = zip(self.ops.items(), self.probabilities, strict=True)
        if self.mode == "compose":
            return f"compose({', '.join(f'{n}={op!r}' for n, op in self.ops.items())})"
        return f"one of({', '.join(f'{n}={op!r} {p:.0%}' for (n, op), p in shares)})"


def _named_entries(ops: Mapping[str, Any] | Sequence[Any]) -> dict[str, Any]:
    """Return name → options, without the dropped ones."""
    if isinstance(ops, str) or not isinstance(ops, (Mapping, Sequence)):
        raise ValueError(
            f"ops={ops!r} must be a dict from names to options, or a list; for example "
            "ops=dict(zoom=dict(type='ZoomInOut'))"
        )
    if isinstance(ops, Mapping) and "type" in ops:
        raise ValueError(
            "ops holds one op's options; give it a name: "
            f"ops=dict({str(ops['type']).lower()}=dict(type={ops['type']!r}))"
        )
    items = ops.items() if isinstance(ops, Mapping) else ((str(i), e) for i, e in enumerate(ops))
    entries = {str(name): entry for name, entry in items if entry is not None}
    for name, entry in entries.items():
        if not isinstance(entry, (str, Mapping)):
            raise ValueError(f"ops: {name}={entry!r} must be dict(type=...), a type, or None")
    return entries
