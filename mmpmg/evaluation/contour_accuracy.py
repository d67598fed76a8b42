"""Contour accuracy F of video object segmentation: how well two masks' boundaries meet."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

#: How far two contours may lie apart and still meet, as a share of the picture's diagonal.
TOLERANCE = 0.008

Masks: TypeAlias = npt.NDArray[np.bool_]


def contour_tolerance(height: int, width: int) -> int:
    """Return the distance in pixels at which contours still meet: .008 of the diagonal, rounded up.

    Args:
        height: Of the picture in pixels, at least 1.
        width: The same.

    Returns:
        At least 1; 8 for DAVIS's 480 x 854.
    """
    return math.ceil(TOLERANCE * math.hypot(height, width))


def contour(masks: Masks) -> Masks:
    """Return the contours, one pixel wide, of masks.

    A pixel belongs to it when the one to the right, below, or to the right and below is on the
    other side of the boundary; so contours lie half a pixel towards the upper left. Beyond the last
    row and column there is nothing to compare with: where an object meets the picture's edge, no
    contour runs along it.

    Args:
        masks: (..., H, W) bool.

    Returns:
        The same shape.
    """
    edges = np.zeros_like(masks)
    edges[..., :, :-1] = masks[..., :, :-1] ^ masks[..., :, 1:]
    edges[..., :-1, :] |= masks[..., :-1, :] ^ masks[..., 1:, :]
    edges[..., :-1, :-1] |= masks[..., :-1, :-1] ^ masks[..., 1:, 1:]
    return edges


def contour_accuracy(predicted: Masks, truth: Masks) -> npt.NDArray[np.float64]:
    """Return F of every mask: the harmonic mean of its contour's precision and recall.

    Precision is the share of predicted contour pixels within :func:`contour_tolerance` of a true
    one, recall the share of true ones near a predicted one. Two masks without contour (empty, or
    filling the picture) get 1; if just one of them has a contour, 0.

    Args:
        predicted: (..., H, W) bool, one object's mask in each frame.
        truth: The same shape.

    Returns:
        (...), each in [0, 1].

    Raises:
        ValueError: The shapes differ.
    """
    if predicted.shape != truth.shape:
        raise ValueError(f"masks predicted {predicted.shape} and true {truth.shape} differ in size")
    frames = (-1, *predicted.shape[-2:])
    pairs = zip(contour(predicted).reshape(frames), contour(truth).reshape(frames), strict=True)
    disk = _disk(contour_tolerance(*predicted.shape[-2:]))
    return np.array([_match(*pair, disk) for pair in pairs]).reshape(predicted.shape[:-2])


def _match(predicted: Masks, truth: Masks, disk: npt.NDArray[np.uint8]) -> float:
    """Return F of two contours of one frame."""
    either = predicted | truth
    if not either.any():
        return 1.0
    # A dilation costs what its picture has pixels, and outside this box there is nothing to meet.
    rows, columns = np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0))
    box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    precision = _share_near(predicted[box], truth[box], disk)
    recall = _share_near(truth[box], predicted[box], disk)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _share_near(contour: Masks, other: Masks, disk: npt.NDArray[np.uint8]) -> float:
    """Return the share of a contour's pixels that lie on the other's, dilated by a disk."""
    length = np.count_nonzero(contour)
    if not length:
        return 0.0
    near = cv2.dilate(other.astype(np.uint8), disk).astype(bool)
    return np.count_nonzero(contour & near) / length


@lru_cache(maxsize=8)
def _disk(radius: int) -> npt.NDArray[np.uint8]:
    """Return all points at most ``radius`` from the centre, (2 radius + 1) squared."""
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return (y * y + x * x <= radius * radius).astype(np.uint8)
