"""The data preprocessor that renders deferred pseudo-motion clips on its device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.models import ActionDataPreprocessor
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.models.data_preprocessors.batch_motion_map import (
    MOTION_MAP,
    check_motion_maps,
    flip_motion_map,
    take_motion_maps,
)
from mmpmg.models.data_preprocessors.clip_flow import (
    attach_flow,
    check_flow,
    flip_sample,
    take_flow,
)
from mmpmg.models.data_preprocessors.clip_shapes import (
    FORMAT_SHAPES,
    check_clips,
    check_motions,
)
from mmpmg.models.data_preprocessors.deferred import render_deferred
from mmpmg.models.sample_seeds import batch_seeds
from mmpmg.models.token_noise import token_noise
from mmpmg.motion.ranges import choice, number

FLIP_STREAM = 0x666C6970
"""Sets the draw of the flip apart from the other draws of the same sample."""


@MODELS.register_module()
class PMGDataPreprocessor(ActionDataPreprocessor):
    """MMAction2's ``ActionDataPreprocessor`` for batches that hold deferred clips.

    A deferred sample is the image (for CutMix and layered motion a few more), and in its metainfo
    the ``deferred_motion`` that ``PMGPipeline`` or ``PMGAug`` drew; it becomes the clip that the
    data worker would have rendered, within two grey levels. Other samples pass as they are, so
    real videos may stand in the same batch. The flip, normalising and mixing (``blending``) follow.

    What a clip of 16 x 224 x 224 costs on its way from the worker: 2.4 MB rendered; deferred 150 KB
    for each image (one; CutMix two, layered motion up to three by default) and 1.5 KB for the
    motion (bent 3 KB, layered 3 to 11 KB). Its flow would be 6.8 MB and never travels: it is
    computed from the motion, where the model is.

    Args:
        mean: Mean of each colour in grey levels, or None to leave the levels as they are.
        std: Deviation of each colour in grey levels; needed with ``mean``.
        to_rgb: Whether to swap the first and the last colour.
        to_float32: Whether levels that are not normalised become float32.
        blending: Recipe of the mixing of clips, in training only.
        format_shape: Layout of the clips; MMAction2's names. Deferred clips are ``'NCTHW'``.
        with_flow: Give the samples of pseudo-motion clips their exact ``flow`` (1, T-1, H, W, 2)
            and ``covisible`` (1, T-1, H, W), see `clip_flow.attach_flow`. Real clips have what
            ``DenseFlow`` estimated in the pipeline, or none; a model reads it with
            `clip_flow.batch_flow`, which says so. Not with ``blending``: a mixture of two clips
            has no single flow.
        flip_ratio: Share of samples that are mirrored left to right, flow included, in training
            only; in [0, 1]. Decided by the sample's own seed: the same on any batch and rank. The
            worker's ``flow`` and ``covisible`` are then taken as with ``with_flow``, and mirrored;
            a mirrored sample loses ``motion`` and ``motions``, which describe the clip as it was.

    A ``motion_map`` in the samples (transform ``MotionMap``) is brought to the device and mirrored
    with its clip; a masker reads it with `batch_motion_map.batch_motion_map`.

    Raises:
        ValueError: Options that exclude each other or are out of their range.
    """

    def __init__(
        self,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        to_rgb: bool = False,
        to_float32: bool = True,
        blending: dict | None = None,
        format_shape: str = "NCTHW",
        with_flow: bool = False,
        flip_ratio: float = 0.0,
    ) -> None:
        if (mean is None) != (std is None):
            raise ValueError(
                "model.data_preprocessor: mean and std belong together; give both or none"
            )
        if with_flow and blending is not None:
            raise ValueError(
                "model.data_preprocessor: a mixture of two clips has no single flow; "
                "with_flow=True needs model.data_preprocessor.blending=None"
            )
        flip_ratio = number("model.data_preprocessor", "flip_ratio", flip_ratio, 0.0, 1.0)
        choice("model.data_preprocessor", "format_shape", format_shape, FORMAT_SHAPES)
        super().__init__(mean, std, to_rgb, to_float32, blending, format_shape)
        # Copies of pinned memory need not hold up the host, which has the next step to prepare.
        self._non_blocking = True
        self.with_flow = with_flow
        self.flip_ratio = flip_ratio

    @torch.compiler.disable  # nothing to gain: each batch has its own motions, and other shapes
    def preprocess(
        self, inputs: Sequence[Tensor], data_samples: list[ActionDataSample], training: bool = False
    ) -> tuple[Tensor, list[ActionDataSample]]:
        """Render what is deferred, then flip, stack, normalise and mix.

        Args:
            inputs: For each sample (V, C, T, H, W) uint8 on the model's device; a deferred one is
                (1, 3, n, H, W), the n images that its motion needs.
            data_samples: Their samples.
            training: Whether to flip and mix.

        Returns:
            (B, V, C, T, H, W) float32 and the samples.

        Raises:
            ValueError: A deferred sample is not of that shape or came without its motion, the
                clips differ in shape, or ``format_shape`` is not theirs.
        """
        # MMEngine calls this within autocast, where bf16 would shift what is rendered.
        with torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            if self.with_flow:
                attach_flow(data_samples, self.device)
            elif self.flip_ratio:
                take_flow(data_samples, self.device)
            take_motion_maps(data_samples, self.device)
            check_motions(inputs, data_samples)
            clips = render_deferred(inputs, data_samples)
            check_clips(clips, self.format_shape)
            if self.with_flow or self.flip_ratio:
                check_flow(clips, data_samples)
            check_motion_maps(clips, data_samples)
            if training and self.blending is not None:
                _refuse_mixed_maps(data_samples)
            if training and self.flip_ratio:
                clips = self._flip(clips, data_samples)
            return super().preprocess(clips, data_samples, training)

    def _flip(self, clips: list[Tensor], data_samples: list[ActionDataSample]) -> list[Tensor]:
        """Mirror the samples whose seeds say so."""
        # On the host, where the seeds are: the device is not asked.
        noise = token_noise(
            batch_seeds(data_samples, len(clips), torch.device("cpu")), 1, FLIP_STREAM
        )
        threshold = round((self.flip_ratio - 0.5) * 2**64)
        flips = [value < threshold or self.flip_ratio == 1 for value in noise[:, 0].tolist()]
        for sample, flipped in zip(data_samples, flips, strict=True):
            if flipped:
                flip_sample(sample)
                flip_motion_map(sample)
        return [clip.flip(-1) if f else clip for clip, f in zip(clips, flips, strict=True)]


def _refuse_mixed_maps(data_samples: Sequence[ActionDataSample]) -> None:
    """A masker would be guided by the motion of one of the two clips that are seen."""
    if any(MOTION_MAP in sample for sample in data_samples):
        raise ValueError(
            "model.data_preprocessor.blending: a mixture of two clips has no single motion map; "
            "set model.data_preprocessor.blending=None, or, where no masker is guided by motion, "
            "drop 'motion_map' from PackActionInputs.algorithm_keys"
        )
