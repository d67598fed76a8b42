"""Draw the mattes of many layers at once on their device: `Matte.raster` for a batch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .matte import Matte
from .transfer_torch import to_device


def draw_mattes(mattes: Sequence[Matte], size: tuple[int, int], device: torch.device) -> Tensor:
    """Draw mattes.

    Args:
        mattes: n of them.
        size: (H, W) of the parts' images.
        device: Where they are wanted.

    Returns:
        (n, H, W) float32 whole numbers, 255 inside: `Matte.raster`, but for the last bit of float64
        in the functions of the two libraries.
    """
    height, width = size
    table = [(*m.centre, m.radius, m.stretch, m.angle, m.softness) for m in mattes]
    numbers = to_device(np.array(table), device, torch.float64)[..., None, None]
    centre_x, centre_y, radius, stretch, angle, softness = numbers.unbind(1)
    dx = torch.arange(width, dtype=torch.float64, device=device) - centre_x  # [n, 1, W]
    dy = torch.arange(height, dtype=torch.float64, device=device)[:, None] - centre_y
    along = (angle.cos() * dx + angle.sin() * dy) / stretch
    aside = (angle.cos() * dy - angle.sin() * dx) * stretch
    away, own = torch.hypot(dx, dy), torch.hypot(along, aside)
    rim = away * radius * _rims(mattes, torch.atan2(aside, along))
    # At the centre itself the way to the rim is what it is in any direction: far.
    depth = torch.where(own > 0, rim / own, math.inf) - away
    t = (0.5 + depth / softness).clamp(0.0, 1.0)
    return (255.0 * (t * t * (3.0 - 2.0 * t))).round().float()


def _rims(mattes: Sequence[Matte], theta: Tensor) -> Tensor:
    """r(theta) of n mattes at (n, H, W) angles; which outline each has is known on the host."""
    outlines = [matte.outline for matte in mattes]
    rims = torch.empty_like(theta)
    for outline, draw in (("blob", _blobs), ("polygon", _polygons)):
        members = [n for n, own in enumerate(outlines) if own == outline]
        if members:
            rows = to_device(members, theta.device, torch.int64)
            shapes = [mattes[n].shape for n in members]
            rims.index_copy_(0, rows, draw(shapes, theta.index_select(0, rows)))
    return rims


def _blobs(shapes: Sequence[tuple[float, ...]], theta: Tensor) -> Tensor:
    """1 + sum over n = 2, 3, ... of c_n cos(n theta) + s_n sin(n theta)."""
    most = max(map(len, shapes))
    padded = np.array([shape + (0.0,) * (most - len(shape)) for shape in shapes])
    waves = to_device(padded.reshape(len(shapes), most), theta.device, torch.float64)
    rims = torch.ones_like(theta)
    for place in range(0, most, 2):
        turned = (place // 2 + 2) * theta
        c, s = waves[:, place : place + 2, None, None].unbind(1)
        rims += c * turned.cos() + s * turned.sin()
    return rims


def _polygons(shapes: Sequence[tuple[float, ...]], theta: Tensor) -> Tensor:
    """Straight lines between corners at equal angles, in polar form."""
    counts = [len(shape) for shape in shapes]
    # Distances of all corners, the first once more at the end.
    padded = np.ones((len(shapes), max(counts) + 1))
    for row, shape in zip(padded, shapes, strict=True):
        row[: len(shape) + 1] = (*shape, shape[0])
    corners = to_device(padded, theta.device, torch.float64)
    count = to_device(counts, theta.device, torch.float64)[:, None, None]
    wedge = 2 * math.pi / count
    place = torch.minimum((theta.remainder(2 * math.pi) / wedge).floor(), count - 1)
    within = theta - place * wedge
    number = place.long().flatten(1)
    here, after = (corners.gather(1, number + k).view_as(theta) for k in (0, 1))
    bent = here * within.sin() + after * (wedge - within).sin()
    return here * after * wedge.sin() / bent
