"""Plain features of pictures, to ask how unlike they are: colours, and slopes at four scales."""

from __future__ import annotations

import cv2
import numpy as np


def features(picture: np.ndarray) -> np.ndarray:
    """Return 64 shares of colours and 32 of slopes (8 directions, 4 scales), as square roots."""
    bins = (picture // 64).astype(int)
    colours = np.bincount((bins[..., 0] * 16 + bins[..., 1] * 4 + bins[..., 2]).ravel(), None, 64)
    parts = [colours / colours.sum()]
    grey = picture.mean(-1)
    for _ in range(4):
        down, right = np.gradient(grey)
        strength = np.hypot(down, right)
        direction = (np.arctan2(down, right) % np.pi / np.pi * 8).astype(int) % 8
        parts.append(np.bincount(direction.ravel(), strength.ravel(), 8) / grey.size / 64)
        grey = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.sqrt(np.concatenate(parts))


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances of all rows of one to all rows of the other."""
    square = (one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T
    return np.sqrt(np.maximum(square, 0))


def corners(picture: np.ndarray) -> int:
    """Return the number of corners that a tracker would start from."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    found = cv2.goodFeaturesToTrack(grey, 1000, 0.05, 4)
    return 0 if found is None else len(found)
