"""The data preprocessor that renders deferred pseudo-motion clips on its device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.models import ActionDataPreprocessor
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.motion.render_torch import render_batch

KEY = "deferred_motion"


@MODELS.register_module()
class PMGDataPreprocessor(ActionDataPreprocessor):
    """MMAction2's ``ActionDataPreprocessor`` for batches that hold deferred clips.

    A deferred sample is one image (for CutMix two), and in its metainfo the ``deferred_motion``
    that ``PMGPipeline`` drew; it becomes the clip that the data worker would have rendered, within
    two grey levels. Other samples pass as they are, so real videos may stand in the same batch.
    Normalising and mixing (``blending``) follow, as in the parent.
    """

    def preprocess(
        self, inputs: Sequence[Tensor], data_samples: list[ActionDataSample], training: bool = False
    ) -> tuple[Tensor, list[ActionDataSample]]:
        """Render what is deferred, then stack, normalise and mix.

        Args:
            inputs: For each sample (V, C, T, H, W) uint8 on the model's device; a deferred one is
                (1, 3, 1 or 2, H, W).
            data_samples: Their samples.
            training: Whether to mix.

        Returns:
            (B, V, C, T, H, W) float32 and the samples.

        Raises:
            ValueError: A deferred sample is not of that shape.
        """
        return super().preprocess(render_deferred(inputs, data_samples), data_samples, training)


def render_deferred(
    inputs: Sequence[Tensor], data_samples: Sequence[ActionDataSample]
) -> list[Tensor]:
    """Replace the deferred samples of a batch by their clips.

    Args:
        inputs: As in `PMGDataPreprocessor.preprocess`.
        data_samples: Their samples; the motion is taken out of each.

    Returns:
        For each sample (V, C, T, H, W) uint8.

    Raises:
        ValueError: A deferred sample is not one image or two.
    """
    clips = list(inputs)
    groups: dict[tuple[int, tuple[int, int]], list[int]] = {}
    for number, sample in enumerate(data_samples):
        motion = sample.metainfo.get(KEY)
        if motion is None:
            continue
        expected = {(1, 3, frames, *motion.size) for frames in (1, 2)}
        if tuple(clips[number].shape) not in expected:
            raise ValueError(
                f"a deferred sample has shape {tuple(clips[number].shape)}, not (1, 3, 1 or 2, "
                f"{motion.size[0]}, {motion.size[1]}): nothing but FormatShape and "
                "PackActionInputs may follow PMGPipeline(deferred=True)"
            )
        groups.setdefault((motion.num_frames, motion.size), []).append(number)
    for members in groups.values():
        motions = [data_samples[number].metainfo[KEY] for number in members]
        stills = [clips[number][0] for number in members]  # [3, 1 or 2, H, W]
        images = torch.stack([still[:, 0] for still in stills])
        partners = None
        if any(motion.paste is not None for motion in motions):
            partners = torch.stack([still[:, -1] for still in stills])
        for number, clip in zip(members, render_batch(images, motions, partners), strict=True):
            clips[number] = clip.unsqueeze(0)
            data_samples[number].pop(KEY)  # a thousand numbers that nobody needs any more
    return clips
