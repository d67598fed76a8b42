"""Visual Atom: many trembling contours around one centre (Takashima et al., CVPR 2023).

A category is a set of parameters (`VisualAtom`); its images differ in where the atom stands, in
the noise, and in the grey of each orbit. Orbits are drawn as closed lines one pixel wide, later
ones over earlier ones.

The published program also draws atoms that are hardly there: a single small orbit, or one that is
black. Here parameters that cannot show much are drawn anew, and so is an image that does not.
Vertices are computed with exact operations and lines are drawn with whole numbers, so an image is
the same on every machine that has the same OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from .uniform_stream import UniformStream
from .visual_atom_contour import contours, perlin_1d

_SIDE = 512  # of the published pictures; parameters are in its pixels
_CELL = 8  # what shows is counted in squares of this side
_CATEGORY_CELLS, _IMAGE_CELLS, _ATTEMPTS = 120, 40, 16
_DARK = 24
# Cells do not say how bright their lines are. With more orbits than these some are bright.
_FEW_ORBITS, _DEVIATION = 64, 10


@dataclass(frozen=True)
class VisualAtom:
    """The parameters of a category, as published.

    Args:
        vertices: of each orbit, 200 to 1000.
        orbits: 1 to 200.
        coefficient: of the noise, [0, 4).
        width: pixels that each orbit grows by, [0, .1).
        radius: of the circle that the first orbit starts from, 10 to 60 pixels.
        waves: two different whole numbers of waves around an orbit, 0 to 20.
        ovals: stretch along x and y, [1, 2).
    """

    vertices: int
    orbits: int
    coefficient: float
    width: float
    radius: int
    waves: tuple[int, int]
    ovals: tuple[float, float]

    @classmethod
    def sample(cls, stream: UniformStream) -> VisualAtom:
        """Draw parameters from the published ranges."""
        first = stream.whole(0, 20)
        second = (first + stream.whole(1, 20)) % 21
        vertices, orbits, radius = (
            stream.whole(*bounds) for bounds in ((200, 1000), (1, 200), (10, 60))
        )
        coefficient, width, across, down = stream.take(4).tolist()
        return cls(
            vertices=vertices,
            orbits=orbits,
            coefficient=4 * coefficient,
            width=0.1 * width,
            radius=radius,
            waves=(first, second),
            ovals=(1 + across, 1 + down),
        )

    def contours(self, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Place the vertices around the origin; see `visual_atom_contour.contours`."""
        return contours(noise, self.coefficient, self.width, self.radius, self.waves, self.ovals)


def visual_atom_image(
    seed: int, category: int, instance: int, size: int | tuple[int, int] = 512
) -> np.ndarray:
    """Make an image of VisualAtom's kind.

    Args:
        seed: 0 or more; another seed gives other categories.
        category: 0 or more.
        instance: 0 or more.
        size: side, or (height, width), in pixels; the 512 x 512 picture is scaled to it, its lines
            stay one pixel wide.

    Returns:
        (H, W, 3) uint8 grey RGB, a function of the arguments alone.

    Raises:
        ValueError: an argument is out of its range.
    """
    height, width = (size, size) if isinstance(size, int) else (size[0], size[1])
    if min(height, width) < 1:
        raise ValueError(f"size={size!r}: must be 1 or more")
    if min(seed, category, instance) < 0:
        raise ValueError(f"{seed=}, {category=}, {instance=}: must be 0 or more")
    atom = visual_atom(seed, category)
    for attempt in range(_ATTEMPTS):
        stream = UniformStream(seed, category, instance, attempt)
        left, top = (stream.whole(0, 2 * _SIDE) / 2 for _ in range(2))
        grey = (stream.take(atom.orbits) * 256).astype(np.intp)
        x, y = atom.contours(perlin_1d(stream.take(2, atom.orbits, atom.vertices) * 10_000))
        x += left
        y += top
        bright = np.flatnonzero(grey >= _DARK)
        # Some of the orbits show enough more often than not.
        if any(
            _cells(x[some], y[some]) >= _IMAGE_CELLS
            for some in (bright[:: len(bright) // 8 + 1], bright)
        ) and (atom.orbits > _FEW_ORBITS or _stands_out(draw_orbits(x, y, grey, (_SIDE, _SIDE)))):
            break
    return draw_orbits(x * (width / _SIDE), y * (height / _SIDE), grey, (height, width))


@lru_cache(maxsize=65536)
def visual_atom(seed: int, category: int) -> VisualAtom:
    """Draw the parameters of a category, again until an atom in the middle shows enough.

    Args:
        seed: 0 or more.
        category: 0 or more.

    Returns:
        The parameters.
    """
    stream = UniformStream(seed, category)
    while True:
        atom = VisualAtom.sample(stream)
        x, y = atom.contours(np.zeros((2, atom.orbits, atom.vertices)))
        if _cells(x + _SIDE / 2, y + _SIDE / 2) >= _CATEGORY_CELLS:
            return atom


def draw_orbits(
    x: np.ndarray, y: np.ndarray, grey: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    """Draw closed lines one pixel wide between vertices cut to whole pixels.

    Args:
        x: (orbits, vertices) in pixels; may lie outside of the picture.
        y: the same shape.
        grey: (orbits,) in [0, 255].
        size: (height, width) in pixels.

    Returns:
        (H, W, 3) uint8 RGB on black.
    """
    points = np.asarray(cv2.merge([x.astype(np.int32), y.astype(np.int32)]))
    picture = np.zeros(size, np.uint8)
    for orbit, level in zip(points, grey.tolist(), strict=True):
        cv2.polylines(picture, [orbit], True, level)
    return np.asarray(cv2.merge([picture, picture, picture]))


def _stands_out(picture: np.ndarray) -> bool:
    """Say whether the grey levels have a standard deviation of 10 or more, in whole numbers."""
    levels = picture[..., 0].astype(np.int64)
    total, squares = int(levels.sum()), int((levels * levels).sum())
    return squares * levels.size - total * total >= (_DEVIATION * levels.size) ** 2


def _cells(x: np.ndarray, y: np.ndarray) -> int:
    """Count the 8 x 8 squares of the 512 x 512 picture that hold a vertex."""
    inside = (x >= 0) & (x < _SIDE) & (y >= 0) & (y < _SIDE)
    across = _SIDE // _CELL
    held = np.zeros(across * across, bool)
    held[y[inside].astype(np.intp) // _CELL * across + x[inside].astype(np.intp) // _CELL] = True
    return int(np.count_nonzero(held))
