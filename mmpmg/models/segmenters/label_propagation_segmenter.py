"""Video object segmentation with a frozen encoder: nothing is trained, labels are propagated."""

from __future__ import annotations

import torch
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.model import BaseModel
from torch import Tensor

from mmpmg import typed
from mmpmg.models.segmenters.frame_encoder import FrameEncoder, make_clips
from mmpmg.models.segmenters.given_mask import given_mask
from mmpmg.models.segmenters.label_context import LabelContext
from mmpmg.models.segmenters.label_propagation import LabelPropagation
from mmpmg.models.segmenters.mask_labels import hard_labels, soft_labels
from mmpmg.motion.ranges import flag, whole

OWNER = "LabelPropagationSegmenter"


@MODELS.register_module()
class LabelPropagationSegmenter(BaseModel):
    """Follow the objects of the first frame by the features of a frozen encoder.

    The protocol of Jabri et al. 2020 (arXiv 2006.14613) that MotionMAE's Table 4 takes over: see
    `LabelPropagation` for the step from frame to frame, `FrameEncoder` for the features,
    `mask_labels` for how masks become soft labels and masks again.

    Memory does not grow with the sequence: its pixels and masks stay on the host as uint8, and the
    device holds ``frames_per_batch`` clips, the features of the context, and ``max_affinity``
    similarities. bf16 on a GPU for the encoder; similarities are float32.

    Args:
        backbone: ``MaskedVisionTransformer`` or MMAction2's ``VisionTransformer``.
        data_preprocessor: A ``SequencePreprocessor``.
        frame_context: See `FrameEncoder`; also the next three.
        slot: Time slot of the clip that the frame stands in; None: the middle one.
        layer: Block of the encoder that is read.
        standardise: Whether tokens are standardised.
        context_frames: See `LabelPropagation`; also the next six.
        top_k: Cells that a cell takes its labels from.
        radius: How far they may be, in cells.
        temperature: Of the softmax over their similarities.
        restrict_first: Whether the radius holds for the first frame.
        fill_context: Whether copies of the first frame fill the context at first.
        max_affinity: Similarities in memory at a time.
        rescale: See `hard_labels`.
        frames_per_batch: Frames that are encoded together, >= 1.
        init_cfg: MMEngine initialisers.

    Raises:
        ValueError: An option is out of its range; the message names its recipe key.
    """

    data_preprocessor: torch.nn.Module

    def __init__(
        self,
        backbone: dict,
        data_preprocessor: dict,
        frame_context: str = "tubelet",
        slot: int | None = None,
        layer: int = -1,
        standardise: bool = True,
        context_frames: int = 20,
        top_k: int = 10,
        radius: float | None = 12.0,
        temperature: float = 0.07,
        restrict_first: bool = False,
        fill_context: bool = True,
        max_affinity: int = 2**24,
        rescale: bool = False,
        frames_per_batch: int = 4,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.encoder = FrameEncoder(self.backbone, frame_context, slot, layer, standardise)
        self.propagation = LabelPropagation(
            context_frames, top_k, radius, temperature, restrict_first, fill_context, max_affinity
        )
        self.rescale = flag(OWNER, "model.rescale", rescale)
        self.frames_per_batch = whole(OWNER, "model.frames_per_batch", frames_per_batch, 1, 10_000)
        # Weights keep requires_grad: distributed wrapping refuses a model where none has it.
        self.eval()

    def train(self, mode: bool = True) -> LabelPropagationSegmenter:
        """Stay in evaluation, whatever is asked: nothing here is trained."""
        return super().train(False)

    @torch.no_grad()
    def forward(
        self,
        inputs: list[Tensor],
        data_samples: list[ActionDataSample] | None = None,
        mode: str = "tensor",
    ) -> list[Tensor] | list[ActionDataSample]:
        """MMEngine's modes.

        Args:
            inputs: Sequences (1, 3, T, H, W) uint8 RGB, each of its own size.
            data_samples: Their samples, with ``gt_masks`` (T, H, W), of which the first is looked
                at, and ``object_ids`` in the metainfo.
            mode: "predict" -> the samples with ``pred_masks`` (T, H, W) uint8 on the host, the
                first as given; "tensor" -> for each sequence (T, h * w, width) features.

        Raises:
            ValueError: Mode "loss", or any other; a sample whose first mask does not fit.
        """
        if mode == "tensor":
            return [self.extract_feat(sequence[0]) for sequence in inputs]
        if mode == "loss":
            raise ValueError(
                "LabelPropagationSegmenter has no loss: it propagates labels with a frozen "
                f"encoder. Run {typed.tool('test.py')} with its recipe; what can be trained stands "
                f"in {typed.recipe('pmg')}, {typed.recipe('videomae')}, {typed.recipe('motionmae')}"
            )
        if mode != "predict":
            raise ValueError(f"mode {mode!r} is unknown; it is one of 'predict', 'tensor'")
        if data_samples is None or len(data_samples) != len(inputs):
            raise ValueError("mode 'predict' needs a data sample with gt_masks for each sequence")
        for sequence, sample in zip(inputs, data_samples, strict=True):
            sample.pred_masks = self.segment(sequence[0], *given_mask(sequence, sample))
        return data_samples

    def extract_feat(self, frames: Tensor, start: int = 0, stop: int | None = None) -> Tensor:
        """Describe frames of a sequence, ``frames_per_batch`` at a time.

        Args:
            frames: (3, T, H, W) uint8, the whole sequence.
            start: First frame to describe.
            stop: Frame behind the last; None: to the end.

        Returns:
            (stop - start, h * w, width) float32, each of length 1.
        """
        length = frames.shape[1]
        stop = length if stop is None else stop
        parts = []
        for first in range(start, stop, self.frames_per_batch):
            numbers = [
                self.encoder.frame_numbers(frame, length)
                for frame in range(first, min(first + self.frames_per_batch, stop))
            ]
            wanted = sorted({number for clip in numbers for number in clip})
            # [3, n, H, W] -> [n, 3, H, W]: only these leave the host
            pixels = self.data_preprocessor.normalise(frames[:, wanted].transpose(0, 1))
            clips = make_clips(self.encoder.fit(pixels), numbers, wanted)
            device = clips.device.type
            with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
                parts.append(self.encoder(clips))
        return torch.cat(parts)

    def segment(self, frames: Tensor, mask: Tensor, object_ids: tuple[int, ...]) -> Tensor:
        """Propagate the first frame's mask through a sequence.

        Args:
            frames: (3, T, H, W) uint8.
            mask: (H, W) uint8 of the first frame; its size is that of the result.
            object_ids: The ids in it.

        Returns:
            (T, H, W) uint8 on the host.
        """
        # MMEngine's test loop can run in half precision; similarities that nearly tie need more.
        with torch.autocast(self.data_preprocessor.device.type, enabled=False):
            return self._segment(frames, mask, object_ids)

    def _segment(self, frames: Tensor, mask: Tensor, object_ids: tuple[int, ...]) -> Tensor:
        length, size = frames.shape[1], (mask.shape[0], mask.shape[1])
        grid = self.encoder.grid((frames.shape[2], frames.shape[3]))
        masks = torch.zeros(length, *size, dtype=torch.uint8)
        masks[0] = mask
        context = LabelContext(self.propagation.context_frames, self.propagation.fill_context)
        for start in range(0, length, self.frames_per_batch):
            stop = min(start + self.frames_per_batch, length)
            for frame, features in enumerate(self.extract_feat(frames, start, stop), start):
                if frame == 0:
                    labels = soft_labels(mask.to(features.device), object_ids, grid)
                else:
                    labels = self.propagation(features, *context.look(), grid)
                    masks[frame] = hard_labels(labels, object_ids, grid, size, self.rescale).cpu()
                context.add(features, labels)
        return masks
