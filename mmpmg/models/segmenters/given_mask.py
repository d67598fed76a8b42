"""The first frame's mask, as a data sample brings it, checked."""

from __future__ import annotations

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.models.segmenters.mask_labels import BACKGROUND


def given_mask(sequence: Tensor, sample: ActionDataSample) -> tuple[Tensor, tuple[int, ...]]:
    """Take the first mask of a sequence and the ids of its objects.

    Later masks are not looked at.

    Args:
        sequence: (1, 3, T, H, W) frames.
        sample: With ``gt_masks`` (T, H, W); in the metainfo ``object_ids``, without which the ids
            are those that the first mask has.

    Returns:
        (H, W) uint8 mask, ids in ascending order.

    Raises:
        ValueError: No masks, another number or size of them than of the frames, no object in the
            first, an id that is not in ``object_ids``, or one of these that is not there.
    """
    name = sample.metainfo.get("sequence", sample.metainfo.get("filename", "a sequence"))
    masks = getattr(sample, "gt_masks", None)
    if masks is None:
        raise ValueError(
            f"{name} has no gt_masks: labels are propagated from the first frame's mask; use "
            "test_dataloader.dataset.type='DAVISDataset', and keep gt_masks in PackActionInputs"
        )
    size = tuple(sequence.shape[2:])
    if tuple(masks.shape) != size:
        raise ValueError(
            f"{name} has masks of (T, H, W) = {tuple(masks.shape)} and frames of {size}; there "
            "must be one mask of a frame's size for each: resize both alike, with "
            "test_dataloader.dataset.pipeline.read.short_side"
        )
    mask = masks[0].cpu()
    present = [number for number in mask.unique().tolist() if number != BACKGROUND]
    if not present:
        raise ValueError(
            f"{name}: the mask of the first frame has no object, so there is nothing to follow; "
            "leave the sequence out, or start it where its objects are"
        )
    ids = tuple(sorted(sample.metainfo.get("object_ids", present)))
    if set(present) != set(ids) or not 0 < ids[0] <= ids[-1] < 256:
        raise ValueError(
            f"{name}: the mask of the first frame has the ids {present}, object_ids are "
            f"{list(ids)}; they must be the same, between 1 and 255, with 0 as background"
        )
    return mask.to(torch.uint8), ids
