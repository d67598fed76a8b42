"""Where the clips of a sample move, as an MMAction2 transform for flow-guided masking."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mmpmg.datasets.flow_estimation import Image
from mmpmg.datasets.klt_motion import PointTracker, klt_motion_map
from mmpmg.datasets.transforms.frames import describe
from mmpmg.motion import Motion
from mmpmg.motion.motion_map import PAIRS, motion_map
from mmpmg.motion.ranges import choice, flag, whole


@TRANSFORMS.register_module()
class MotionMap(BaseTransform):
    """Tell how far each cell of a clip moves, for maskers that are guided by motion (DEMVM).

    Put it behind everything that moves pixels (crop, resize, ``Flip``, ``PMGAug``) and before
    ``FormatShape``, and name the key in ``PackActionInputs(algorithm_keys=("motion_map",))``. A
    flip in the model's ``PMGDataPreprocessor(flip_ratio=...)`` mirrors the map as well.

    Of clips that PMG made (``motion``, ``deferred_motion``, or their place in ``motions``) the map
    is exact and comes from the motion alone, rendered or not (`mmpmg.motion.motion_map`). Of real
    clips it is estimated by KLT points (`klt_motion_map`). Of every pair of frames a cell keeps the
    larger displacement; a masker compares it with its threshold.

    Required keys: ``imgs`` (list of (H, W, 3) RGB or (H, W) uint8), ``clip_len`` (all frames make
    one clip when it is absent).

    Added key: ``motion_map`` (t, h, w) float16, at least 0, in pixels per frame, (8, 28, 28) for 16
    frames of 224 x 224; of V > 1 clips in a sample (V, t, h, w), in the order of the clips.

    Args:
        frames: Frames of a time slot, at least 2: the tubelet of the tokens that are masked.
        cell: Side of a cell in pixels, at least 2. A masker of coarser tokens takes the largest of
            the cells in a token, so that 8 serves patches of 16.
        pairs: ``'within'``: displacements from frame to frame inside a slot. ``'all'``: also from
            a slot's last frame to the next slot. Nearly the same regions, for motion is smooth, at
            half the cost for real clips; the paper takes a map for every frame, while a token has
            two.
        shrink: KLT: whole factor by which frames are made smaller first; 2 with ``window=9`` halves
            the time and does for sides of 224 pixels and more.
        window: KLT: side of a point's window, pixels of the smaller frames. In clips of 64 pixels 7
            finds more of small parts (``tools/benchmark.py motion-map --clip 16 64 64``).
        levels: KLT: halvings of the smaller frames, for the search from coarse to fine.
        least_texture: KLT: smaller eigenvalue of a window's gradient matrix below which its point
            is lost. 3e-4 finds less on plain walls, and less of what is smooth.
        explained: KLT: a point is lost unless its windows differ less along its motion than this
            share of what they differ by without one; ``inf``: off.
        noise: KLT: a point is lost where its windows differ in place by no more than so many times
            what the frame's noise makes them differ by; 0: off.
        check_back: KLT: drop points that do not return when followed back; doubles the time.
        subtract_camera: KLT: take away the median displacement of each pair of frames, so that a
            panning camera moves nothing. False is the paper; exact maps never do.

    Raises:
        ValueError: An option or a clip cannot be used; the message names the recipe key.
    """

    def __init__(
        self,
        frames: int = 2,
        cell: int = 8,
        pairs: str = "within",
        shrink: int = 1,
        window: int = 13,
        levels: int = 2,
        least_texture: float = 1e-4,
        explained: float = 0.9,
        noise: float = 1.3,
        check_back: bool = False,
        subtract_camera: bool = False,
    ) -> None:
        self.frames = whole("MotionMap", "frames", frames, 2, 1024)
        self.cell = whole("MotionMap", "cell", cell, 2, 1024)
        self.pairs = choice("MotionMap", "pairs", pairs, PAIRS)
        self.tracker = PointTracker(
            shrink, window, levels, least_texture, explained, noise, check_back
        )
        self.subtract_camera = flag("MotionMap", "subtract_camera", subtract_camera)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add ``motion_map``."""
        imgs: Any = results.get("imgs")
        frames = _frames(imgs)
        size = frames[0].shape[:2]
        deferred = results.get("deferred_motion")
        if deferred is not None:
            maps = [self._exact(deferred, size)]
        else:
            clip_len = int(results.get("clip_len") or len(frames))
            if clip_len < 1 or len(frames) % clip_len:
                raise ValueError(
                    f"MotionMap: {len(frames)} frames are no whole number of clips of "
                    f"clip_len={clip_len}; put MotionMap behind decoding and before FormatShape"
                )
            clips = [frames[k : k + clip_len] for k in range(0, len(frames), clip_len)]
            motions = _motions(results, len(clips))
            maps = [
                self._estimate(clip) if motion is None else self._exact(motion, size)
                for clip, motion in zip(clips, motions, strict=True)
            ]
        found = maps[0] if len(maps) == 1 else np.stack(maps)
        # 65504 is float16's largest number, and near the horizon a point may pass it.
        results["motion_map"] = np.minimum(found, np.float32(6e4)).astype(np.float16)
        return results

    def _exact(self, motion: Motion, size: tuple[int, ...]) -> npt.NDArray[np.float32]:
        if tuple(size) != motion.size:
            raise ValueError(
                f"MotionMap: frames of (H, W) = {tuple(size)}, but their motion is one of "
                f"{motion.size}: something behind PMGPipeline or PMGAug changed them; put every "
                "crop, resize and flip before those"
            )
        return motion_map(motion, self.frames, self.cell, self.pairs)

    def _estimate(self, clip: list[Image]) -> npt.NDArray[np.float32]:
        return klt_motion_map(
            clip, self.frames, self.cell, self.pairs, self.tracker, self.subtract_camera
        )

    def __repr__(self) -> str:
        """Show the options."""
        return (
            f"{type(self).__name__}(frames={self.frames}, cell={self.cell}, pairs={self.pairs!r}, "
            f"shrink={self.tracker.shrink}, window={self.tracker.window}, "
            f"levels={self.tracker.levels}, least_texture={self.tracker.least_texture}, "
            f"explained={self.tracker.explained}, noise={self.tracker.noise}, "
            f"check_back={self.tracker.check_back}, "
            f"subtract_camera={self.subtract_camera})"
        )


def _motions(results: dict[str, Any], clips: int) -> list[Motion | None]:
    """Return each clip's motion, or None for a real one."""
    motions = results.get("motions")
    if motions is None:
        motions = [results.get("motion")]
    if len(motions) != clips and any(motion is not None for motion in motions):
        raise ValueError(
            f"MotionMap: {len(motions)} motions for {clips} clips; put MotionMap right behind the "
            "PMGPipeline or PMGAug that made them"
        )
    return list(motions) if len(motions) == clips else [None] * clips


def _frames(frames: Any) -> list[Image]:
    """Return the sample's frames, (H, W, 3) or (H, W), if points can be followed in them."""
    said = describe(frames)
    if isinstance(frames, (list, tuple)) and frames:
        wrong = [frame for frame in frames if not _is_frame(frame)]
        if not wrong and len({frame.shape[:2] for frame in frames}) == 1:
            return [f[..., 0] if f.ndim == 3 and f.shape[2] == 1 else f for f in frames]
        said = describe(wrong[0]) if wrong else "frames of several sizes"
    raise ValueError(
        "MotionMap: results['imgs'] must be a list of (H, W, 3) RGB or (H, W) grey uint8 frames "
        f"of one size, got {said}; put MotionMap behind decoding and before "
        "FormatShape and anything that normalises"
    )


def _is_frame(frame: object) -> bool:
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or not frame.size:
        return False
    return frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] in (1, 3))
