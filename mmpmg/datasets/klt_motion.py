"""Where a real clip moves: points followed from frame to frame by Kanade, Lucas and Tomasi."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from mmpmg.datasets.flow_estimation import Image, one_thread
from mmpmg.motion.motion_map import map_grid, pair_starts
from mmpmg.motion.ranges import flag, number, whole

FloatArray: TypeAlias = npt.NDArray[np.float32]
Bools: TypeAlias = npt.NDArray[np.bool_]

RETURNS_WITHIN = 1.0
"""Pixels from where it began that a point followed there and back may end."""


CLEAN = 0.05
"""Share of a frame's windows that are taken to hold noise and no texture."""

FITTED = 2.3
"""Windows in place over windows matched, at most, where a point follows noise; measured: 2."""

NOISE_MASK = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Immerkaer's (1996): it sees neither slopes nor edges along the axes."""


@dataclass(frozen=True)
class PointTracker:
    """How the points of a grid are followed from one frame to the next (DEMVM, Eq. 6).

    One point stands in the middle of each cell, so that a cell's motion is that of its own point.
    A point is lost where its window has too little texture in one direction (the Tomasi criterion),
    where it would do as well standing still, where no more than noise changes, and, with
    ``check_back``, where it does not return.

    The defaults come from ``tools/benchmark.py motion-map``: within 40 ms a clip of 16 x 224 x 224,
    and good for small clips as well. ``shrink=2, window=9`` takes half the time and finds as much
    at 224 pixels, but less of small parts, and much less at 64.

    Args:
        shrink: The frames are made smaller by this whole factor first, 1 to 8.
        window: Side of the window around a point, pixels of the smaller frames, odd, 3 to 63.
        levels: Halvings of the smaller frames from which the search starts, 0 to 6.
        least_texture: Smaller eigenvalue of the window's gradient matrix, in OpenCV's measure,
            below which a point is lost.
        explained: A point is lost unless the windows differ less along its motion than this share
            of what they differ by without one, above 0. Coarse levels carry motion over a part's
            rim into what stands still beside it; this takes most of that away. ``inf``: off.
        noise: A point is lost where standing still its windows differ by no more than so many times
            what the frame's own noise makes them differ by, at least 0 (off). Without it nearly
            every cell of a grey wall with a noise of 2 grey levels moves, with it next to none. The
            price: where something smooth moves in noise, its faintest parts are lost. It knows
            noise that differs from pixel to pixel, not that of compressed or enlarged frames.
        check_back: Follow every point back, too, and drop those that end more than a pixel from
            where they began. Doubles the time.

    Raises:
        ValueError: An option is out of its range.
    """

    shrink: int = 1
    window: int = 13
    levels: int = 2
    least_texture: float = 1e-4
    explained: float = 0.9
    noise: float = 1.3
    check_back: bool = False

    def __post_init__(self) -> None:
        """Check the options."""
        whole("MotionMap", "shrink", self.shrink, 1, 8)
        whole("MotionMap", "levels", self.levels, 0, 6)
        if whole("MotionMap", "window", self.window, 3, 63) % 2 == 0:
            raise ValueError(f"MotionMap: window={self.window} must be odd: a point is its middle")
        number("MotionMap", "least_texture", self.least_texture, 0.0, 1.0)
        number("MotionMap", "noise", self.noise, 0.0, 100.0)
        if not self.explained > 0:
            raise ValueError(f"MotionMap: explained={self.explained!r} must be above 0")
        flag("MotionMap", "check_back", self.check_back)

    def prepare(self, frame: Image) -> Image:
        """Make a frame (H, W, 3) RGB or (H, W) grey and small."""
        if frame.ndim == 3:
            frame = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
        if self.shrink == 1:
            return frame
        size = max(frame.shape[1] // self.shrink, 1), max(frame.shape[0] // self.shrink, 1)
        return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)

    def follow(self, before: Image, after: Image, points: FloatArray) -> tuple[FloatArray, Bools]:
        """Follow points from one prepared frame to another.

        Args:
            before: (H / shrink, W / shrink) uint8, from `prepare`.
            after: The same, a later frame.
            points: (n, 2) as (x, y), pixels of the full frame.

        Returns:
            (n, 2) displacements, pixels of the full frame, and (n,) False where a point was lost.
        """
        # Pixel centres at integers, before and after shrinking.
        start = np.ascontiguousarray((points + 0.5) / self.shrink - 0.5, np.float32)[:, None]
        end, found, left = self._track(before, after, start)
        standing = self._standing(before, after, start)
        if self.explained < np.inf:
            found &= left < self.explained * standing
        if self.noise and found.any():
            # Where matching gains more than it does on noise, faint things move all the same.
            fitted = FITTED * np.quantile(left[found], 0.25)
            found &= standing > min(fitted, self.noise * self._noise(before, start))
        if self.check_back:
            back, again, _ = self._track(after, before, end)
            off = np.linalg.norm(back - start, axis=2)[:, 0] * self.shrink
            found &= again & (off <= RETURNS_WITHIN)
        return (end - start)[:, 0] * np.float32(self.shrink), found

    def _standing(self, before: Image, after: Image, points: FloatArray) -> FloatArray:
        """Return (n,): what windows differ by in the same place of both frames, grey levels."""
        size = (self.window, self.window)
        differences = cv2.boxFilter(cv2.absdiff(before, after), cv2.CV_32F, size)
        return np.asarray(
            cv2.remap(differences, points, None, cv2.INTER_LINEAR)[:, 0]  # type: ignore[call-overload]
        )

    def _noise(self, frame: Image, points: FloatArray) -> float:
        """Estimate what windows of two frames differ by where only sensor noise changes."""
        seen = np.abs(cv2.filter2D(frame, cv2.CV_16S, NOISE_MASK))
        local = cv2.boxFilter(seen, cv2.CV_32F, (self.window, self.window))
        at = cv2.remap(local, points, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
        # The mask's squares sum to 36, so it sees 6 times the noise; a difference sees sqrt(2).
        return float(np.quantile(at, CLEAN)) * 2**0.5 / 6

    def _track(
        self, a: Image, b: Image, points: FloatArray
    ) -> tuple[FloatArray, Bools, FloatArray]:
        """Return (n, 1, 2) places in b, (n,) found, and how far the windows differ, grey levels."""
        end, found, left = cv2.calcOpticalFlowPyrLK(
            a,
            b,
            points,
            None,  # type: ignore[arg-type]
            winSize=(self.window, self.window),
            maxLevel=self.levels,
            criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 10, 0.03),
            minEigThreshold=self.least_texture,
        )
        return (
            np.asarray(end, np.float32),
            np.asarray(found)[:, 0] == 1,
            np.asarray(left, np.float32)[:, 0],
        )


def grid_points(h: int, w: int, cell: int) -> FloatArray:
    """Return (h * w, 2): the middles (x, y) of the cells, row by row, pixel centres at integers."""
    y, x = np.mgrid[:h, :w].astype(np.float32)
    return np.stack([x, y], axis=-1).reshape(-1, 2) * cell + np.float32((cell - 1) / 2)


def klt_motion_map(
    frames: Sequence[Image],
    slot: int = 2,
    cell: int = 8,
    pairs: str = "within",
    tracker: PointTracker | None = None,
    subtract_camera: bool = False,
) -> FloatArray:
    """Estimate how far each cell of a clip moves from a frame to the next.

    A cell has the displacement of its point: DEMVM upsamples the map of points to the grid of
    tokens (Eq. 7); with a point in every cell there is nothing to upsample. Cells whose point was
    lost have 0. Single points that went astray and single gaps are mended: a cell is made no less
    than the median of the 3 x 3 cells around it and no more than the third largest of them.

    Args:
        frames: T of them, (H, W, 3) RGB or (H, W), uint8, of one size.
        slot: Frames of a time slot, at least 2.
        cell: Side of a cell, pixels.
        pairs: Which pairs of frames count, see `mmpmg.motion.motion_map.pair_starts`.
        tracker: How points are followed; None: `PointTracker` with its defaults.
        subtract_camera: Take the median displacement of a pair's points from all of them: what the
            camera does where it only pans. Not in the paper.

    Returns:
        (T / slot, H / cell, W / cell) float32, pixels per frame, at least 0. The same on any number
        of OpenCV's threads.

    Raises:
        ValueError: The clip is no whole number of slots and cells.
    """
    height, width = frames[0].shape[:2]
    t, h, w = map_grid(len(frames), (height, width), slot, cell)
    tracker = tracker or PointTracker()
    points = grid_points(h, w, cell)
    result = np.zeros((t, h, w), np.float32)
    with one_thread():
        small = [tracker.prepare(frame) for frame in frames]
        for k in pair_starts(len(frames), slot, pairs):
            moved, found = tracker.follow(small[k], small[k + 1], points)
            if subtract_camera and found.any():
                moved = moved - np.median(moved[found], axis=0)
            lengths = np.where(found, np.hypot(moved[:, 0], moved[:, 1]), 0.0)
            mended = _mend(lengths.reshape(h, w).astype(np.float32))
            np.maximum(result[k // slot], mended, out=result[k // slot])
    return result


def _mend(lengths: FloatArray) -> FloatArray:
    """Keep every cell (h, w) between the median and the third largest of the nine around it."""
    h, w = lengths.shape
    wide = np.pad(lengths, 1, mode="edge")
    nine = np.stack([wide[y : y + h, x : x + w] for y in range(3) for x in range(3)])
    nine.sort(axis=0)
    return np.clip(lengths, nine[4], nine[6])
