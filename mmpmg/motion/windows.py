"""Families that look at the image through a window: SlidingWindow and ZoomInOut.

Every frame is cut from the source image, as the paper describes both families, so their motions are
always ``composed``. A window that is w wide is shown at the full width W, so output pixel x shows
source pixel ``x0 + (x + .5) * w / W - .5`` (pixel centres at integers). The paper does not say that
its 112-pixel windows are resized to 224; they must be, for a clip has one size for all families.
At the image's edge the window shows the edge pixel, never a border.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from .motion import INTERPOLATIONS, FloatArray, Motion
from .paths import PATHS, window_path
from .ranges import choice, clip_shape, number, pair


def window_homographies(
    corners: npt.NDArray[np.float64], sides: npt.NDArray[np.float64], size: tuple[int, int]
) -> FloatArray:
    """Build the homographies that show a window at full size.

    Args:
        corners: (T, 2), the window's top left corner (x, y) as fractions of width and height.
        sides: (T,), the window's sides as a fraction of the image's.
        size: (H, W) in pixels.

    Returns:
        (T, 3, 3) float64, output pixel to source pixel.
    """
    height, width = size
    homographies = np.zeros((len(sides), 3, 3))
    homographies[:, 0, 0] = homographies[:, 1, 1] = sides
    homographies[:, 0, 2] = corners[:, 0] * width + 0.5 * sides - 0.5
    homographies[:, 1, 2] = corners[:, 1] * height + 0.5 * sides - 0.5
    homographies[:, 2, 2] = 1.0
    return homographies


@dataclass(frozen=True)
class SlidingWindow:
    """A window of fixed size moves over the image (supplement, Sec. D).

    The path is a silence of the paper ("move it randomly"): a straight line by default, which keeps
    the same direction over the clip; a random walk as an option.

    Args:
        window: Side of the window as a fraction of the image's side, in (0, 1]; 112 of 224.
        path: ``'line'`` between two random positions, or ``'walk'``, see
            :func:`mmpmg.motion.paths.window_path`.
        step: Longest step of a walk per axis and frame, a fraction of the image's side in [0, 1].
        interpolation: ``'bilinear'`` or ``'nearest'``.

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 0

    window: float = 0.5
    path: str = "line"
    step: float = 0.05
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check the options."""
        number("SlidingWindow", "window", self.window, 1e-3, 1.0)
        choice("SlidingWindow", "path", self.path, PATHS)
        number("SlidingWindow", "step", self.step, 0.0, 1.0)
        choice("SlidingWindow", "interpolation", self.interpolation, INTERPOLATIONS)

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W)."""
        num_frames, size = clip_shape("SlidingWindow", num_frames, size)
        corners = window_path(rng, self.path, num_frames, 1.0 - self.window, self.step)
        sides = np.full(num_frames, float(self.window))
        return Motion(
            family="SlidingWindow",
            size=size,
            homographies=window_homographies(corners, sides, size),
            interpolation=self.interpolation,
            border="replicate",
        )


@dataclass(frozen=True)
class ZoomInOut:
    """A window grows or shrinks at a constant speed (supplement, Sec. D).

    Zooming out, the window starts small and ends large, which shows more and more of the image.
    Zooming in is the same in reverse.

    Args:
        small: Range of the small window's size, in (0, 1].
        large: Range of the large window's size, in (0, 1], not below ``small``.
        measure: What a size means, a silence of the paper: ``'side'`` (a fraction of the image's
            side) or ``'area'`` (a fraction of its area). The side grows linearly either way.
        path: How the window's centre moves, a silence of the paper. ``'nested'``: the small window
            stands anywhere in the image and the large one anywhere around it, so each window
            contains the one before and the clip is a pure zoom towards a random fixed point.
            ``'concentric'``: the large window stands anywhere and the small one in its middle.
            ``'free'``: both stand anywhere, so zoom and sliding add up.
        direction: ``'both'`` (in or out with probability .5 each), ``'in'`` or ``'out'``.
        interpolation: ``'bilinear'`` or ``'nearest'``.

    Raises:
        ValueError: If an option is out of its range.
    """

    num_partners: ClassVar[int] = 0

    small: tuple[float, float] = (0.2, 0.45)
    large: tuple[float, float] = (0.55, 0.95)
    measure: str = "side"
    path: str = "nested"
    direction: str = "both"
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        """Check the options."""
        small = pair("ZoomInOut", "small", self.small, 1e-3, 1.0)
        large = pair("ZoomInOut", "large", self.large, 1e-3, 1.0)
        if small[1] > large[0]:
            raise ValueError(
                f"ZoomInOut: small={self.small!r} must end where large={self.large!r} begins or "
                "earlier"
            )
        choice("ZoomInOut", "measure", self.measure, ("side", "area"))
        choice("ZoomInOut", "path", self.path, ("nested", "concentric", "free"))
        choice("ZoomInOut", "direction", self.direction, ("both", "in", "out"))
        choice("ZoomInOut", "interpolation", self.interpolation, INTERPOLATIONS)
        object.__setattr__(self, "small", small)
        object.__setattr__(self, "large", large)

    def _corners(
        self, rng: np.random.Generator, small: float, large: float
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Draw the top left corners (x, y) of the small and of the large window."""
        if self.path == "concentric":
            around = rng.uniform(0.0, 1.0 - large, size=2)
            return around + 0.5 * (large - small), around
        corner = rng.uniform(0.0, 1.0 - small, size=2)
        if self.path == "free":
            return corner, rng.uniform(0.0, 1.0 - large, size=2)
        lowest = np.maximum(corner + small - large, 0.0)
        highest = np.minimum(corner, 1.0 - large)
        return corner, rng.uniform(lowest, np.maximum(lowest, highest))

    def sample(self, rng: np.random.Generator, num_frames: int, size: tuple[int, int]) -> Motion:
        """Draw a motion of T frames for an image of (H, W)."""
        num_frames, size = clip_shape("ZoomInOut", num_frames, size)
        small, large = float(rng.uniform(*self.small)), float(rng.uniform(*self.large))
        if self.measure == "area":
            small, large = math.sqrt(small), math.sqrt(large)
        corner_small, corner_large = self._corners(rng, small, large)
        outwards = bool(rng.integers(2)) if self.direction == "both" else self.direction == "out"
        progress = np.linspace(0.0, 1.0, num_frames)
        if not outwards:
            progress = progress[::-1]
        sides = small * (1.0 - progress) + large * progress
        corners = corner_small * (1.0 - progress[:, None]) + corner_large * progress[:, None]
        return Motion(
            family="ZoomInOut",
            size=size,
            homographies=window_homographies(corners, sides, size),
            interpolation=self.interpolation,
            border="replicate",
        )
