"""The Pseudo Motion Generator as MMAction2 transforms: PMGPipeline and PMGAug."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform

from mmpmg.datasets.sample_seed import generator
from mmpmg.motion import Motion, MotionSampler, render
from mmpmg.motion.ranges import clip_shape, flag, number

from .deferral import resolve_deferred
from .frames import check_frames, fit_partner
from .geometry import READ_KEYS

Image: TypeAlias = npt.NDArray[np.uint8]


def _sample(
    sampler: MotionSampler,
    rng: np.random.Generator,
    frames: Sequence[Image],
    num_frames: int,
    results: Mapping[str, Any],
) -> tuple[Motion, list[Image]]:
    """Take one of the frames at random and draw how it moves.

    Returns:
        The motion, and what it is rendered from: the image, then as many others as it needs.
    """
    chosen = int(rng.integers(len(frames)))
    image = frames[chosen]
    size = (int(image.shape[0]), int(image.shape[1]))
    motion = sampler.sample(rng, num_frames, size)
    needed = motion.num_images - 1
    if results.get("load_partner") is not None:
        others = [results["load_partner"]() for _ in range(needed)]
    elif len(frames) > 1:
        steps = [int(rng.integers(1, len(frames))) for _ in range(needed)]
        others = [frames[(chosen + step) % len(frames)] for step in steps]
    elif needed:
        raise ValueError(
            f"ops: {motion.family} needs {'a second image' if needed == 1 else 'other images'}, "
            "and this pipeline offers none; read the images through ImageToPseudoVideo, or drop "
            f"{motion.family} from ops"
        )
    else:
        others = []
    return motion, [image, *(fit_partner(other, size) for other in others)]


def _check_unread(transform: str, results: Mapping[str, Any]) -> None:
    """Refuse to replace a clip whose flow or motion map is in the results: it would be untrue."""
    read = [key for key in READ_KEYS if results.get(key) is not None]
    if read:
        step = "MotionMap" if "motion_map" in read else "DenseFlow"
        raise ValueError(
            f"{transform}: the results hold {', '.join(read)} of the clip that is replaced here; "
            f"put {step} behind {transform}"
        )


def _render(motion: Motion, stills: Sequence[Image]) -> npt.NDArray[np.uint8]:
    return render(stills[0], motion, stills[1:])


@TRANSFORMS.register_module()
class PMGPipeline(BaseTransform):
    """Make a pseudo-motion clip from a still image (PMG, supplement, Sec. C).

    The clip is as large as the incoming image: crop and resize before, with MMAction2's own
    transforms. Flip before too, for a flip behind this transform would leave ``motion`` and
    ``flow`` as they were. Of several frames (a clip) one is taken at random.

    Required keys: ``imgs`` (list of (H, W, 3) uint8 RGB); for CutMix and Layered ``load_partner``
    (a function that returns another image at each call, given by ImageToPseudoVideo) or at least
    two frames.

    Added or changed keys: ``imgs`` (list of T frames), ``clip_len`` = T, ``num_clips`` = 1,
    ``img_shape``, ``motion`` (:class:`mmpmg.motion.Motion`); with ``with_flow`` also ``flow``
    (T-1, H, W, 2) float32 and ``covisible`` (T-1, H, W) bool.

    Deferred, nothing is rendered here: ``imgs`` is the image alone (and behind it the others that
    CutMix and Layered need), ``deferred_motion`` is the motion, and ``PMGDataPreprocessor`` makes
    the clip on its device. Put ``deferred_motion`` into ``PackActionInputs.meta_keys``; no
    transform that looks at frames may follow.

    A model that needs flow asks for it in its own place, ``PMGDataPreprocessor(with_flow=True)``,
    which computes it from the motion (``motion`` in ``meta_keys`` for clips rendered here);
    ``with_flow`` here is for transforms that follow.

    Args:
        ops: The motions to choose from, see :class:`mmpmg.motion.MotionSampler`. None: the paper's
            best set, ``dict(zoom=dict(type='ZoomInOut'), affine=dict(type='Affine'))``.
        num_frames: T, at least 1.
        mode: ``'one'`` op per clip (the paper) or ``'compose'`` all of them.
        with_flow: Return the exact displacement between the frames. Without effect where the
            rendering is deferred: there the flow, too, is the data preprocessor's business.
        deferred: Whether to leave the rendering to the model's data preprocessor: one image instead
            of T frames leaves the worker. ``'auto'``: where there is a GPU; on a CPU OpenCV, here,
            is the faster renderer.

    Raises:
        ValueError: If an option or an image cannot be used; the message names the recipe key.
    """

    def __init__(
        self,
        ops: Mapping[str, Any] | Sequence[Any] | None = None,
        num_frames: int = 16,
        mode: str = "one",
        with_flow: bool = False,
        deferred: bool | str = False,
    ) -> None:
        self.sampler = MotionSampler(ops, mode)
        self.num_frames, _ = clip_shape("PMGPipeline", num_frames, (1, 1))
        self.with_flow = flag("PMGPipeline", "with_flow", with_flow)
        self.deferred = resolve_deferred("PMGPipeline", deferred)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace ``imgs`` by a pseudo-motion clip."""
        frames = check_frames("PMGPipeline", results)
        _check_unread("PMGPipeline", results)
        rng = generator(results, "PMGPipeline")
        motion, stills = _sample(self.sampler, rng, frames, self.num_frames, results)
        imgs = stills if self.deferred else list(_render(motion, stills))
        results["imgs"] = imgs
        results["img_shape"] = motion.size
        results["clip_len"] = len(imgs)
        results["num_clips"] = 1
        results["motion"] = motion
        if self.deferred:
            results["deferred_motion"] = motion
        elif self.with_flow:
            results["flow"] = motion.flow()
            results["covisible"] = motion.covisible()
        return results

    def __repr__(self) -> str:
        """Show the options."""
        return (
            f"{type(self).__name__}(ops={self.sampler!r}, num_frames={self.num_frames}, "
            f"with_flow={self.with_flow}, deferred={self.deferred})"
        )


@TRANSFORMS.register_module()
class PMGAug(BaseTransform):
    """Replace a real clip by a pseudo-motion clip made from one of its frames ("PMG Aug").

    One line in any MMAction2 pipeline, after decoding, cropping and flipping and before
    ``FormatShape``: ``dict(type='PMGAug', prob=0.5)``. The number of clips, their length and their
    size stay; so does the label. With several clips in a sample each is drawn for itself.

    Required keys: ``imgs`` (list of (H, W, 3) uint8), ``clip_len`` (all frames make one clip when
    it is absent). CutMix and Layered take their other images from ``load_partner`` where there is
    one, otherwise from other frames of the clip.

    Added or changed keys: ``imgs``, ``motions`` (list with a Motion for each replaced clip and None
    for each real one); where the sample is one clip and it is replaced, also ``motion``.

    Deferred, a replaced clip is left to the model's ``PMGDataPreprocessor``, as `PMGPipeline`
    leaves it: ``imgs`` is the frame it is made from, ``clip_len`` the number of images,
    ``deferred_motion`` the motion, to be named in ``PackActionInputs.meta_keys``. Batches of real
    and deferred clips are what that data preprocessor expects. Samples of several clips are
    rendered here all the same: real and deferred clips of one sample have no common shape.

    Args:
        prob: Probability to replace a clip, in [0, 1].
        ops: The motions to choose from, see :class:`mmpmg.motion.MotionSampler`. None: the paper's
            best set, ``dict(zoom=dict(type='ZoomInOut'), affine=dict(type='Affine'))``.
        mode: ``'one'`` op per clip (the paper) or ``'compose'`` all of them.
        deferred: Whether to leave the rendering to the model's data preprocessor, which must then
            be a ``PMGDataPreprocessor``; True, False or ``'auto'``: where there is a GPU.

    Raises:
        ValueError: If an option or a frame cannot be used; the message names the recipe key.
    """

    def __init__(
        self,
        prob: float,
        ops: Mapping[str, Any] | Sequence[Any] | None = None,
        mode: str = "one",
        deferred: bool | str = False,
    ) -> None:
        self.prob = number("PMGAug", "prob", prob, 0.0, 1.0)
        self.sampler = MotionSampler(ops, mode)
        self.deferred = resolve_deferred("PMGAug", deferred)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Replace each clip of ``imgs`` with probability ``prob``."""
        frames = check_frames("PMGAug", results)
        _check_unread("PMGAug", results)
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
                motion, stills = _sample(self.sampler, rng, clip, clip_len, results)
                defer = self.deferred and clip_len == len(frames)
                clip = stills if defer else list(_render(motion, stills))
            imgs += clip
            motions.append(motion)
        results["imgs"] = imgs
        results["motions"] = motions
        if len(motions) == 1 and motions[0] is not None:
            results["motion"] = motions[0]
            if self.deferred:
                results["deferred_motion"] = motions[0]
                results["clip_len"] = len(imgs)
        return results

    def __repr__(self) -> str:
        """Show the options."""
        return (
            f"{type(self).__name__}(prob={self.prob}, ops={self.sampler!r}, "
            f"deferred={self.deferred})"
        )
