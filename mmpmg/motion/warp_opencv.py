"""Resample an image through one frame of a motion, with OpenCV.

Images have four channels here, red, green, blue and one more, which parts use for their matte:
OpenCV 5 warps four channels in half the time of three (120 and 270 us for 224 x 224 on one core).
Its linear kernels weigh in float32 and stay within rounding of exact bilinear sampling; OpenCV 4
quantises positions to 1/32 pixel, up to 4 grey levels at the hardest edges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from .motion import Motion

Image: TypeAlias = npt.NDArray[np.uint8]
FloatArray: TypeAlias = npt.NDArray[np.float64]

_INTERPOLATION = {"bilinear": cv2.INTER_LINEAR, "nearest": cv2.INTER_NEAREST}
_IDENTITY = np.eye(3)


class Warp:
    """How frames of one motion are resampled: everything that stays the same over its frames.

    Args:
        motion: Its size, interpolation, border and deformation count; which homography, the caller
            says frame by frame.
    """

    def __init__(self, motion: Motion) -> None:
        height, width = motion.size
        replicate = isinstance(motion.border, str)
        self.flags = _INTERPOLATION[motion.interpolation]
        self.border_mode = cv2.BORDER_REPLICATE if replicate else cv2.BORDER_CONSTANT
        # The fourth channel is 0 outside: nothing of a part stands there.
        self.fill = (0, 0, 0, 0) if isinstance(motion.border, str) else (*motion.border, 0)
        self.size = motion.size
        self.amplitudes: FloatArray | None = None
        if motion.deformation is not None:
            self.amplitudes = motion.deformation.amplitudes
            x, y = np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64)
            by_y, by_x = motion.deformation.basis(x, y)
            # Waves, x, y and 1, all as sums of products of a factor of y and one of x.
            self.by_y = np.column_stack([by_y, np.ones(height), y])
            self.by_x = np.vstack([by_x, x, np.ones(width)]).astype(np.float32)

    def __call__(
        self,
        source: Image,
        homography: FloatArray,
        frame: int,
        out: Image,
        corner: tuple[int, int] = (0, 0),
    ) -> None:
        """Fill ``out`` with a rectangle of a frame.

        Args:
            source: (h, w, 4) uint8, of any size.
            homography: (3, 3), output pixel to source pixel.
            frame: k, which chooses the deformation.
            out: (H', W', 4) uint8, contiguous.
            corner: (x, y) of the rectangle's top left pixel in the frame.
        """
        if self.amplitudes is not None:
            self._remap(source, homography, frame, out, corner)
            return
        if corner != (0, 0):
            homography = homography.copy()
            homography[:, 2] += homography[:, :2] @ corner
        if source.shape == out.shape and np.array_equal(homography, _IDENTITY):
            np.copyto(out, source)
            return
        affine = bool((homography[2] == _IDENTITY[2]).all())
        warp = cv2.warpAffine if affine else cv2.warpPerspective
        warp(
            source,
            homography[:2] if affine else homography,
            (out.shape[1], out.shape[0]),
            dst=out,
            flags=self.flags | cv2.WARP_INVERSE_MAP,
            borderMode=self.border_mode,
            borderValue=self.fill,
        )
        if not affine:
            _blank_behind_horizon(out, homography, self.fill)

    def _remap(
        self,
        source: Image,
        homography: FloatArray,
        frame: int,
        out: Image,
        corner: tuple[int, int],
    ) -> None:
        """Resample through homography and deformation."""
        (left, top), (height, width) = corner, out.shape[:2]
        affine = bool((homography[2] == _IDENTITY[2]).all())
        rows = homography[: 2 if affine else 3]
        # A row of the homography is linear in the place, so that all rows together are one small
        # matrix product: [rows, H', 2M + 2] @ [2M + 2, W'].
        by_y = self.by_y[top : top + height]
        waves = rows[:, :2] @ self.amplitudes[frame].T  # type: ignore[index]
        factors = np.column_stack([waves, waves, rows[:, 0], rows[:, 1]])
        left_part = factors[:, None] * by_y
        left_part[..., -1] += rows[:, 2:]
        planes = left_part.astype(np.float32) @ self.by_x[:, left : left + width]
        if not affine:
            behind = planes[2] <= 0
            planes[2][behind] = 1.0
            planes[:2] /= planes[2]
        cv2.remap(
            source,
            planes[0],
            planes[1],
            self.flags,
            dst=out,
            borderMode=self.border_mode,
            borderValue=self.fill,
        )
        if not affine:
            out[behind] = self.fill


def with_fourth_channel(image: Image) -> Image:
    """Return (H, W, 4) uint8 from (H, W, 3); the fourth channel is 255."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), np.uint8)


def _blank_behind_horizon(frame: Image, homography: FloatArray, fill: tuple[int, ...]) -> None:
    """Fill in place where w <= 0: OpenCV would show those points mirrored."""
    height, width = frame.shape[:2]
    g, h, i = homography[2]
    # w is linear in (x, y), so its least value over the frame stands at a corner.
    if i + min(0.0, g * (width - 1)) + min(0.0, h * (height - 1)) > 0:
        return
    w = g * np.arange(width) + (h * np.arange(height) + i)[:, None]
    frame[w <= 0] = fill
