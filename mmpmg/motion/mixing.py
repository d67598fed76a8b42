"""Mixing of two clips, numpy or torch alike: mixup per frame and VideoMix.

Pure functions: whoever calls them draws the weights and boxes (here, from a numpy generator) and
chooses the partners. The paper is silent on mixup's alpha and on the partner; the registered parts
that call these functions default to Beta(.8, .8) and another clip of the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .ranges import choice, number


def sample_lam(rng: np.random.Generator, alpha: float) -> float:
    """Draw the share of the first clip, lam ~ Beta(alpha, alpha).

    Args:
        rng: Source of randomness.
        alpha: Above 0; 1 is uniform, below 1 prefers shares near 0 and 1.

    Returns:
        A share in [0, 1].

    Raises:
        ValueError: If alpha is not above 0.
    """
    number("mixing", "alpha", alpha, 1e-6, 1e6)
    return float(rng.beta(alpha, alpha))


def _over_leading_axes(lam: Any, clip: Any) -> Any:
    """Line lam's axes up with the clip's first axes: [B] -> [B, 1, 1, 1, 1]."""
    ndim = getattr(lam, "ndim", 0)
    return lam.reshape(tuple(lam.shape) + (1,) * (clip.ndim - ndim)) if ndim else lam


def mixup(clip: Any, partner: Any, lam: Any) -> Any:
    """Blend two clips frame by frame: lam * clip + (1 - lam) * partner.

    Args:
        clip: Array or tensor of any layout. Whole-number clips are rounded to the nearest level.
        partner: The same shape, type and device.
        lam: Share of ``clip`` in [0, 1]: a number, or an array or tensor over the clip's leading
            axes, for example (B,) for a batch (B, C, T, H, W).

    Returns:
        A new clip of the same shape and type.

    Raises:
        ValueError: If the shapes differ.
    """
    _check_same_shape("mixup", clip, partner)
    share = _over_leading_axes(lam, clip)
    mixed = clip * share + partner * (1 - share)
    if mixed.dtype == clip.dtype:
        return mixed
    whole = "int" in str(clip.dtype)
    mixed = mixed.round() if whole else mixed
    return mixed.astype(clip.dtype) if isinstance(mixed, np.ndarray) else mixed.to(clip.dtype)


@dataclass(frozen=True)
class Box:
    """A cuboid of a clip, half open: frames [t0, t1), rows [y0, y1), columns [x0, x1)."""

    t0: int
    t1: int
    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def volume(self) -> int:
        """Number of pixels, over all frames."""
        return (self.t1 - self.t0) * (self.y1 - self.y0) * (self.x1 - self.x0)


def sample_box(
    rng: np.random.Generator, lam: float, shape: Sequence[int], kind: str = "spatial"
) -> Box:
    """Draw the cuboid that the partner fills, a share 1 - lam of the clip.

    The box lies inside the clip entirely, so its share is 1 - lam up to the rounding of its sides
    (CutMix's own code clips boxes at the rim, which makes them smaller on average).

    Args:
        rng: Source of randomness.
        lam: Share that the first clip keeps, in [0, 1].
        shape: (T, H, W).
        kind: ``'spatial'``: all frames, sides H and W times sqrt(1 - lam), VideoMix's default;
            ``'spatiotemporal'``: T, H and W times the cube root.

    Returns:
        The box.

    Raises:
        ValueError: If an argument is out of its range.
    """
    choice("videomix", "kind", kind, ("spatial", "spatiotemporal"))
    rest = 1.0 - number("videomix", "lam", lam, 0.0, 1.0)
    part = rest ** (1 / 2) if kind == "spatial" else rest ** (1 / 3)
    parts = (1.0 if kind == "spatial" else part, part, part)
    ends: list[int] = []
    for side, share in zip(shape, parts, strict=True):
        length = round(side * share)
        start = int(rng.integers(side - length + 1))
        ends += [start, start + length]
    return Box(*ends)


def videomix(clip: Any, partner: Any, box: Box | Sequence[Box]) -> Any:
    """Fill a cuboid of a clip with the same cuboid of another.

    Args:
        clip: Array or tensor (..., T, H, W), for example a batch (B, C, T, H, W).
        partner: The same shape, type and device.
        box: One box for everything, or one for each entry of the leading axis.

    Returns:
        A new clip of the same shape and type.

    Raises:
        ValueError: If the shapes differ or the boxes do not match the leading axis.
    """
    _check_same_shape("videomix", clip, partner)
    mixed = clip.copy() if isinstance(clip, np.ndarray) else clip.clone()
    if isinstance(box, Box):
        pairs = [(mixed, partner, box)]
    elif len(box) == len(mixed):
        pairs = list(zip(mixed, partner, box, strict=True))
    else:
        raise ValueError(f"videomix: {len(box)} boxes for {len(mixed)} clips")
    for target, source, b in pairs:
        target[..., b.t0 : b.t1, b.y0 : b.y1, b.x0 : b.x1] = source[
            ..., b.t0 : b.t1, b.y0 : b.y1, b.x0 : b.x1
        ]
    return mixed


def _check_same_shape(name: str, clip: Any, partner: Any) -> None:
    if tuple(clip.shape) != tuple(partner.shape):
        raise ValueError(
            f"{name}: clips of shape {tuple(clip.shape)} and {tuple(partner.shape)} cannot be mixed"
        )
