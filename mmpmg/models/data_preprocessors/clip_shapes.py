"""Whether a batch holds clips of one shape, and every deferred one its motion."""

from __future__ import annotations

from collections.abc import Sequence

from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.models.data_preprocessors.deferred import deferred_motion

FORMAT_SHAPES = ("NCTHW", "NCHW", "MIX2d3d")
#: By default a deferred clip is that of so many images at most.
MOST_STILLS = 3
NO_MOTION = (
    "One frame (with CutMix two, with Layered a few) is a deferred clip without its motion: name "
    "'deferred_motion' in PackActionInputs.meta_keys, or set deferred=False"
)


def check_motions(inputs: Sequence[Tensor], data_samples: Sequence[ActionDataSample]) -> None:
    """Refuse lone images, before anything is rendered: no model trains on clips of one frame.

    Args:
        inputs: For each sample (V, C, T, H, W), a deferred one (1, 3, n, H, W).
        data_samples: Their samples.

    Raises:
        ValueError: A sample is of one frame and no motion waits for it.
    """
    for clip, sample in zip(inputs, data_samples, strict=True):
        if clip.ndim == 5 and clip.shape[2] == 1 and deferred_motion(sample) is None:
            raise ValueError(
                f"a clip has the shape (V, C, T, H, W) {tuple(clip.shape)}. {NO_MOTION}"
            )


def check_clips(clips: Sequence[Tensor], format_shape: str) -> None:
    """Refuse clips that make no batch: MMEngine would fill the shorter ones up with black frames.

    Args:
        clips: For each sample (V, C, T, H, W), or (N, C, H, W) where ``format_shape`` says so.
        format_shape: One of ``FORMAT_SHAPES``.

    Raises:
        ValueError: They differ in shape, or it is not that of ``format_shape``.
    """
    shapes = list(dict.fromkeys(tuple(clip.shape) for clip in clips))
    if len(shapes) > 1:
        lengths = {shape[2] for shape in shapes if len(shape) == 5}
        lost = len(lengths) > 1 and min(lengths) <= MOST_STILLS
        raise ValueError(
            f"the clips of a batch differ in shape (V, C, T, H, W): {', '.join(map(str, shapes))}. "
            + (NO_MOTION if lost else "Give all datasets' pipelines one clip length and one size")
        )
    if format_shape == "NCHW" and len(shapes[0]) == 5:
        raise ValueError(
            f"clips of shape (V, C, T, H, W) {shapes[0]} are no 'NCHW'; set "
            "model.data_preprocessor.format_shape='NCTHW'"
        )
