"""The families by name, the paper's eight and two more, and how a recipe's entry becomes an op."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from difflib import get_close_matches
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
            The motion, of T frames of that size.

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
        near = get_close_matches(str(name), OPS, n=1)
        raise ValueError(
            f"type={name!r} is no motion{f' (did you mean {near[0]!r}?)' if near else ''}; the "
            f"motions are {', '.join(OPS)}. One of your own is among them once its module sets "
            "mmpmg.motion.OPS['NAME'] = CLASS and stands in custom_imports of the recipe"
        )
    known = list(inspect.signature(OPS[name]).parameters)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ValueError(
            f"{name} has no option {', '.join(unknown)}; its options are "
            f"{', '.join(known) or 'none'}"
        )
    op: Op = OPS[name](**options)
    return op


def draw(
    name: str, op: Op, rng: np.random.Generator, num_frames: int, size: tuple[int, int]
) -> Motion:
    """Draw a motion, and hold the op to what it was asked for.

    Args:
        name: What a recipe calls the op, for messages.
        op: The family.
        rng: Source of randomness.
        num_frames: T, at least 1.
        size: (H, W) of the image, in pixels.

    Returns:
        The motion.

    Raises:
        ValueError: If it is not of T frames of that size, or no motion at all: a clip would have
            another length than those beside it, which shows only when they make a batch.
    """
    motion = op.sample(rng, num_frames, size)
    if isinstance(motion, Motion) and motion.num_frames == num_frames and motion.size == size:
        return motion
    drawn = (
        f"a Motion of {motion.num_frames} frames of {motion.size}"
        if isinstance(motion, Motion)
        else f"a {type(motion).__name__}"
    )
    kind = type(op).__name__
    raise ValueError(
        f"ops: {name}: {kind}.sample returned {drawn} where a Motion of {num_frames} frames of "
        f"(H, W) = {size} was asked for; it has a homography (3, 3) for each frame, the first "
        f"included. Mend {kind}.sample, or take {name} out of the pipeline's ops"
    )
