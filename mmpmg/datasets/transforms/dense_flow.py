"""Optical flow of real clips as an MMAction2 transform: MotionMAE's other motion (Table 7)."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mmpmg.datasets.flow_estimation import (
    LEAST_SIDE,
    METHODS,
    Image,
    consistent,
    estimate_flow,
    lands_inside,
)
from mmpmg.datasets.transforms.frames import describe
from mmpmg.motion.ranges import choice

COVISIBLE = ("consistent", "inside")


@TRANSFORMS.register_module()
class DenseFlow(BaseTransform):
    """Estimate the flow of real clips, under the keys that pseudo-motion clips have theirs.

    Put it behind everything that moves pixels (crop, resize, ``Flip``) and before ``FormatShape``;
    a transform that moves them afterwards leaves ``flow`` as it was. A flip in the model's
    ``PMGDataPreprocessor(flip_ratio=...)`` mirrors the flow as well. Name both keys in
    ``PackActionInputs(algorithm_keys=("flow", "covisible"))`` and set
    ``model.data_preprocessor.with_flow=True``; the model then reads them as the exact flow of
    pseudo-motion clips.

    Clips that PMG made (``motion`` or ``deferred_motion`` in the sample) are left alone: their flow
    is exact, and the data preprocessor computes it. So ``PMGAug`` may stand before this transform.

    The flow is that from each frame of the clip to its next one. MotionMAE's authors took the flow
    to the next frame of the video, of which a clip with every fourth frame shows nothing, and
    suspect that this made optical flow the worse target (Appendix B): here the target is in the
    clip.

    Required keys: ``imgs`` (list of (H, W, 3) RGB or (H, W) uint8), ``clip_len`` (all frames make
    one clip when it is absent).

    Added keys: ``flow`` (T-1, H, W, 2) float16, displacements (dx, dy) in pixels from frame k to
    k + 1, and ``covisible`` (T-1, H, W) bool; of V > 1 clips in a sample (V, T-1, H, W, 2) and
    (V, T-1, H, W), in the order of the clips. Half precision halves what leaves the worker, 3 MB of
    a clip of 16 x 224 x 224, and rounds displacements below 32 pixels by less than a hundredth of a
    pixel, a tenth of what the estimate errs by; the data preprocessor makes it float32.

    Args:
        method: "dis_medium", "dis_fast", "dis_ultrafast" (Dense Inverse Search at OpenCV's presets)
            or "farneback". The default is the most accurate of them on pseudo-motion clips, whose
            flow is known; ``tools/benchmark.py flow`` gives error and time of each.
        covisible: "consistent": a pixel counts where the flow back from the next frame returns to
            it, which doubles the time and drops what is hidden or was not found. "inside": where
            it only stays in the frame.

    Raises:
        ValueError: An option or a clip cannot be used; the message names the recipe key.
    """

    def __init__(self, method: str = "dis_medium", covisible: str = "consistent") -> None:
        self.method = choice("DenseFlow", "method", method, METHODS)
        self.covisible = choice("DenseFlow", "covisible", covisible, COVISIBLE)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``flow`` and ``covisible``."""
        if results.get("motion") is not None or results.get("deferred_motion") is not None:
            return results
        frames = _frames(results)
        clip_len = int(results.get("clip_len") or len(frames))
        if clip_len < 2 or len(frames) % clip_len:
            raise ValueError(
                f"DenseFlow: {len(frames)} frames in clips of clip_len={clip_len}; a clip needs at "
                "least two frames (SampleFrames.clip_len), and the frames must be whole clips: put "
                "DenseFlow behind decoding and before FormatShape"
            )
        check_back = self.covisible == "consistent"
        flows, seen = [], []
        for start in range(0, len(frames), clip_len):
            clip = frames[start : start + clip_len]
            forth, back = estimate_flow(clip, self.method, check_back)
            flows.append(forth.astype(np.float16))
            seen.append(lands_inside(forth) if back is None else consistent(forth, back))
        alone = len(flows) == 1
        results["flow"] = flows[0] if alone else np.stack(flows)
        results["covisible"] = seen[0] if alone else np.stack(seen)
        return results

    def __repr__(self) -> str:
        """Show the options."""
        return f"{type(self).__name__}(method={self.method!r}, covisible={self.covisible!r})"


def _frames(results: dict[str, Any]) -> list[Image]:
    """Return the sample's frames, if a flow can be estimated between them."""
    frames: Any = results.get("imgs")
    wrong = frames
    if isinstance(frames, (list, tuple)):
        wrong = next((frame for frame in frames if not _is_frame(frame)), None)
    if wrong is not None or frames is None:
        raise ValueError(
            "DenseFlow: results['imgs'] must be a list of (H, W, 3) RGB or (H, W) grey uint8 "
            f"frames, got {describe(wrong)}; put DenseFlow behind decoding and before anything "
            "that normalises or formats"
        )
    shapes = sorted({frame.shape[:2] for frame in frames})
    if len(shapes) > 1 or (shapes and min(shapes[0]) < LEAST_SIDE):
        raise ValueError(
            f"DenseFlow: frames of (H, W) = {', '.join(map(str, shapes))}; they must be of one "
            f"size, with sides of at least {LEAST_SIDE} pixels: put a Resize or a crop before it"
        )
    return [frame[..., 0] if frame.ndim == 3 and frame.shape[2] == 1 else frame for frame in frames]


def _is_frame(frame: object) -> bool:
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or not frame.size:
        return False
    return frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] in (1, 3))
