"""Classical dense optical flow between the frames of a clip, and where it is to be believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]
Flow: TypeAlias = npt.NDArray[np.float32]
Seen: TypeAlias = npt.NDArray[np.bool_]

_DIS = {
    "dis_ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "dis_fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "dis_medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}
METHODS = (*_DIS, "farneback")
LEAST_SIDE = 16
"""Pixels of the shorter side below which the coarse-to-fine methods have no patch to look at."""

RIM = 0.1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV compute on one thread, and give back what it had.

    DIS hands its patches' results on from row to row within the stripe of a thread, so its flow
    would depend on how many threads there are.

    Where OpenCV computes on one already, nothing is set: ``cv2.setNumThreads(1)`` ends threads that
    an earlier call started, and in a forked data worker, which has its parent's pool but none of
    the pool's threads, it waits for them for ever.
    """
    before = cv2.getNumThreads()
    if before <= 1:
        yield
        return
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _estimator(method: str) -> Callable[[Image, Image], Flow]:
    """Return what finds the flow from one grey frame to another."""
    if method == "farneback":
        # pyramid scale, levels, window, iterations, polynomial's neighbourhood and its deviation
        options = (0.5, 5, 15, 3, 5, 1.1, 0)
        return lambda a, b: np.asarray(
            cv2.calcOpticalFlowFarneback(a, b, np.zeros((*a.shape, 2), np.float32), *options),
            dtype=np.float32,
        )
    dis = cv2.DISOpticalFlow.create(_DIS[method])  # holds buffers only: no state between calls
    return lambda a, b: np.asarray(
        dis.calc(a, b, np.zeros((*a.shape, 2), np.float32)), dtype=np.float32
    )


def estimate_flow(
    frames: Sequence[Image], method: str = "dis_medium", backward: bool = False
) -> tuple[Flow, Flow | None]:
    """Estimate the displacement of every pixel from each frame to the next.

    Args:
        frames: T >= 2 frames (H, W, 3) RGB or (H, W), uint8, both sides at least 16 pixels.
        method: "dis_ultrafast", "dis_fast", "dis_medium" (Dense Inverse Search, Kroeger et al.
            2016, at OpenCV's presets) or "farneback" (2003).
        backward: Estimate the flow from each frame to the one before, too.

    Returns:
        Flow (T-1, H, W, 2) float32 as (dx, dy) in pixels from frame k to k + 1, and, if asked for,
        from k + 1 to k, else None. The same on any number of OpenCV's threads.
    """
    grey = [
        frame if frame.ndim == 2 else np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
        for frame in frames
    ]
    find = _estimator(method)
    pairs = list(pairwise(grey))
    with one_thread():
        forth = np.stack([find(a, b) for a, b in pairs])
        back = np.stack([find(b, a) for a, b in pairs]) if backward else None
    return forth, back


def lands_inside(flow: Flow) -> Seen:
    """Tell which pixels stay within the frame: (..., H, W, 2) -> (..., H, W) bool.

    A tenth of a pixel beyond it still counts, or the rim of a clip at rest would come and go with
    the estimate's rounding.
    """
    height, width = flow.shape[-3:-1]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = x + flow[..., 0], y + flow[..., 1]
    outside = np.maximum(np.maximum(-u, u - (width - 1)), np.maximum(-v, v - (height - 1)))
    return np.asarray(outside <= RIM)


def consistent(forth: Flow, back: Flow) -> Seen:
    """Tell which pixels the backward flow brings back to where they came from.

    The test of Sundaram, Brox and Keutzer (ECCV 2010, eq. 5), |f + b|^2 < .01 (|f|^2 + |b|^2) + .5
    with b read at x + f; what fails it is hidden in the other frame or was not found.

    Args:
        forth: (T-1, H, W, 2), frame k to k + 1.
        back: (T-1, H, W, 2), frame k + 1 to k.

    Returns:
        (T-1, H, W) bool; pixels that leave the frame are not consistent.
    """
    height, width = forth.shape[1:3]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    seen = lands_inside(forth)
    for k, (f, b) in enumerate(zip(forth, back, strict=True)):
        met = cv2.remap(
            b, x + f[..., 0], y + f[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        lengths = np.square(f).sum(-1) + np.square(met).sum(-1)
        seen[k] &= np.square(f + met).sum(-1) < 0.01 * lengths + 0.5
    return seen
