"""Region similarity J of video object segmentation: the Jaccard index of two masks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def region_similarity(
    predicted: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return J = |P and T| / |P or T| of every mask; 1 where both are empty.

    An object that has left the picture and is predicted nowhere is thereby a full success, and one
    false pixel a full failure, as in the official evaluation of DAVIS-2017.

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
    shared = np.count_nonzero(predicted & truth, axis=(-2, -1))
    union = np.count_nonzero(predicted | truth, axis=(-2, -1))
    return np.where(union == 0, 1.0, shared / np.maximum(union, 1))
