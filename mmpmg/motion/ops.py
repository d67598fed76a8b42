"""The families by name, the paper's eight and two more, and how a recipe's entry becomes an op."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from .affine import Affine
from .cutmix import CutMix
from .geometric import Identity
from .layered import Layered
from .motion import Motion
from .perspective import Perspective
from .photometric import ColorJitter, FadeInOut
from .smooth_displacement import SmoothDisplacement
from .windows import SlidingWindow, ZoomInOut


class Op(Protocol):
    """A family of motion: draws its parameters once for a whole clip."""

    @property
    def num_partners(self) -> int:
        """The most images beside the source that a motion may need."""
        ...

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion.

        Args:
            rng: Source of randomness; nothing else may be drawn from.
            num_frames: T, at least 1.
            size: (H, W) of the image and of the frames, in pixels.

        Returns:
            The motion.

        Raises:
            ValueError: If T or the size makes no clip.
        """
        ...


OPS: dict[str, type] = {
    op.__name__: op
    for op in (
        Identity,
        SlidingWindow,
        ZoomInOut,
        FadeInOut,
        Affine,
        Perspective,
        ColorJitter,
        CutMix,
        SmoothDisplacement,
        Layered,
    )
}


def build_op(entry: str | Mapping[str, Any]) -> Op:
    """Build an op from a recipe's entry.

    Args:
        entry: ``'Affine'``, or ``dict(type='Affine', rotation=(-5, 5))``.

    Returns:
        The op.

    Raises:
        ValueError: If the name or an option is unknown, or an option is out of its range.
    """
    options = {"type": entry} if isinstance(entry, str) else dict(entry)
    name = options.pop("type", None)
    if name not in OPS:
        raise ValueError(f"ops: type={name!r} is no motion; the motions are {', '.join(OPS)}")
    known = list(inspect.signature(OPS[name]).parameters)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(
            f"{name} has no option {', '.join(unknown)}; its options are "
            f"{', '.join(known) or 'none'}"
        )
    op: Op = OPS[name](**options)
    return op
