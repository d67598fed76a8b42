"""The Pseudo Motion Generator as MMAction2 transforms: PMGPipeline and PMGAug."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mmpmg.datasets.sample_seed import generator
from mmpmg.motion import Motion, MotionSampler, render
from mmpmg.motion.ranges import clip_shape, flag, number

from .frames import check_frames, fit_partner


def _render(
    sampler: MotionSampler,
    rng: np.random.Generator,
    frames: Sequence[npt.NDArray[np.uint8]],
    num_frames: int,
    results: Mapping[str, Any],
) -> tuple[Motion, npt.NDArray[np.uint8]]:
    """Take one of the frames at random and move it.

    Returns:
        The motion and the clip (T, H, W, 3).
    """
    chosen = int(rng.integers(len(frames)))
    image = frames[chosen]
    size = (int(image.shape[0]), int(image.shape[1]))
    motion = sampler.sample(rng, num_frames, size)
    partner = None
    if motion.paste is not None:
        if results.get("load_partner") is not None:
            partner = results["load_partner"]()
        elif len(frames) > 1:
            partner = frames[(chosen + int(rng.integers(1, len(frames)))) % len(frames)]
        else:
            raise ValueError(
                f"ops: {motion.family} needs a second image, and this pipeline offers none; read "
                "the images through ImageToPseudoVideo, or drop CutMix from ops"
            )
        partner = fit_partner(partner, size)
    return motion, render(image, motion, partner)


@TRANSFORMS.register_module()
class PMGPipeline(BaseTransform):
    """Make a pseudo-motion clip from a still image (PMG, supplement, Sec. C).

    The clip is as large as the incoming image: crop and resize before, with MMAction2's own
    transforms. Flip before too, for a flip behind this transform would leave ``motion`` and
    ``flow`` as they were. Of several frames (a clip) one is taken at random.

    Required keys: ``imgs`` (list of (H, W, 3) uint8 RGB); for CutMix ``load_partner`` (a function
    that returns another image, given by ImageToPseudoVideo) or at least two frames.

    Added or changed keys: ``imgs`` (list of T frames), ``clip_len`` = T, ``num_clips`` = 1,
    ``img_shape``, ``motion`` (:class:`mmpmg.motion.Motion`); with ``with_flow`` also ``flow``
    (T-1, H, W, 2) float32 and ``covisible`` (T-1, H, W) bool.

    Args:
        ops: The motions to choose from, see :class:`mmpmg.motion.MotionSampler`. None: the paper's
            best set, ``dict(zoom=dict(type='ZoomInOut'), affine=dict(type='Affine'))``.
        num_frames: T, at least 1.
        mode: ``'one'`` op per clip (the paper) or ``'compose'`` all of them.
        with_flow: Return the exact displacement between the frames.

    Raises:
        ValueError: If an option or an image cannot be used; the message names the recipe key.
    """

    def __init__(
        self,
        ops: Mapping[str, Any] | Sequence[Any] | None = None,
        num_frames: int = 16,
        mode: str = "one",
        with_flow: bool = False,
    ) -> None:
        self.sampler = MotionSampler(ops, mode)
        self.num_frames, _ = clip_shape("PMGPipeline", num_frames, (1, 1))
        self.with_flow = flag("PMGPipeline", "with_flow", with_flow)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``imgs`` by a pseudo-motion clip."""
        frames = check_frames("PMGPipeline", results)
        rng = generator(results, "PMGPipeline")
        motion, clip = _render(self.sampler, rng, frames, self.num_frames, results)
        results["imgs"] = list(clip)
        results["img_shape"] = motion.size
        results["clip_len"] = self.num_frames
        results["num_clips"] = 1
        results["motion"] = motion
        if self.with_flow:
            results["flow"] = motion.flow()
            results["covisible"] = motion.covisible()
        return results

    def __repr__(self) -> str:
        """Show the options."""
        return (
            f"{type(self).__name__}(ops={self.sampler!r}, num_frames={self.num_frames}, "
            f"with_flow={self.with_flow})"
        )


@TRANSFORMS.register_module()
class PMGAug(BaseTransform):
    """Replace a real clip by a pseudo-motion clip made from one of its frames ("PMG Aug").

    One line in any MMAction2 pipeline, after decoding, cropping and flipping and before
    ``FormatShape``: ``dict(type='PMGAug', prob=0.5)``. The number of clips, their length and their
    size stay; so does the label. With several clips in a sample each is drawn for itself.

    Required keys: ``imgs`` (list of (H, W, 3) uint8), ``clip_len`` (all frames make one clip when
    it is absent). CutMix takes its second image from ``load_partner`` where there is one, otherwise
    from another frame of the clip.

    Added or changed keys: ``imgs``, ``motions`` (list with a Motion for each replaced clip and None
    for each real one).

    Args:
        prob: Probability to replace a clip, in [0, 1].
        ops: The motions to choose from, see :class:`mmpmg.motion.MotionSampler`. None: the paper's
            best set, ``dict(zoom=dict(type='ZoomInOut'), affine=dict(type='Affine'))``.
        mode: ``'one'`` op per clip (the paper) or ``'compose'`` all of them.

    Raises:
        ValueError: If an option or a frame cannot be used; the message names the recipe key.
    """

    def __init__(
        self,
        prob: float,
        ops: Mapping[str, Any] | Sequence[Any] | None = None,
        mode: str = "one",
    ) -> None:
        self.prob = number("PMGAug", "prob", prob, 0.0, 1.0)
        self.sampler = MotionSampler(ops, mode)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace each clip of ``imgs`` with probability ``prob``."""
        frames = check_frames("PMGAug", results)
        clip_len = int(results.get("clip_len", len(frames)))
        if clip_len < 1 or len(frames) % clip_len:
            raise ValueError(
                f"PMGAug: {len(frames)} frames are no whole number of clips of "
                f"clip_len={clip_len}; put PMGAug after decoding and before FormatShape"
            )
        rng = generator(results, "PMGAug")
        imgs: list[npt.NDArray[np.uint8]] = []
        motions: list[Motion | None] = []
        for start in range(0, len(frames), clip_len):
            clip = frames[start : start + clip_len]
            motion = None
            if rng.random() < self.prob:
                motion, moved = _render(self.sampler, rng, clip, clip_len, results)
                clip = list(moved)
            imgs += clip
            motions.append(motion)
        results["imgs"] = imgs
        results["motions"] = motions
        return results

    def __repr__(self) -> str:
        """Show the options."""
        return f"{type(self).__name__}(prob={self.prob}, ops={self.sampler!r})"
