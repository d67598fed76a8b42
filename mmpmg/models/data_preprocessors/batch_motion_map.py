"""The motion maps of a batch's clips: from the data workers to the masker that looks at them.

The transform ``MotionMap`` makes them; ``PMGDataPreprocessor`` brings them to the device and
mirrors them with their clips. Under another data preprocessor they stay arrays of the host until
`batch_motion_map` is asked.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmaction.structures import ActionDataSample
from torch import Tensor

from mmpmg.motion.transfer_torch import to_device

MOTION_MAP = "motion_map"


def take_motion_maps(data_samples: Sequence[ActionDataSample], device: torch.device) -> None:
    """Put the samples' motion maps on the device, in place, in one copy where they are alike.

    Args:
        data_samples: Those with a ``motion_map`` (t, h, w) or (V, t, h, w) get it back as a tensor
            (V, t, h, w) float32, V views of their clip. Done a second time, it changes nothing.
        device: Where the model is.

    Raises:
        ValueError: A map holds NaN.
    """
    with_map = [sample for sample in data_samples if MOTION_MAP in sample]
    maps = [_views(sample) for sample in with_map]
    if not maps:
        return
    if len({found.shape for found in maps}) == 1:
        moved = list(to_device(torch.stack(maps), device, torch.float32))
    else:
        moved = [to_device(found, device, torch.float32) for found in maps]
    for sample, found in zip(with_map, moved, strict=True):
        sample.set_field(found, MOTION_MAP)


def check_motion_maps(clips: Sequence[Tensor], data_samples: Sequence[ActionDataSample]) -> None:
    """Refuse a map that is not that of its clip: something changed the clip after it was made.

    Args:
        clips: For each sample (V, C, T, H, W).
        data_samples: Their samples, after `take_motion_maps`.

    Raises:
        ValueError: A map of other views, or whose cells are not the clip's, all alike and square.
    """
    for clip, sample in zip(clips, data_samples, strict=True):
        if MOTION_MAP not in sample or clip.ndim != 5:
            continue
        (views, t, h, w), (_, _, frames, height, width) = sample.motion_map.shape, clip.shape
        fits = not (frames % t or height % h or width % w) and height // h == width // w
        if views != clip.shape[0] or not fits:
            raise ValueError(
                f"a motion_map of (views, t, h, w) = {(views, t, h, w)} for a clip of "
                f"(V, T, H, W) = {(clip.shape[0], frames, height, width)}; put MotionMap behind "
                "every step of the pipeline that crops, resizes or chooses frames"
            )


def flip_motion_map(sample: ActionDataSample) -> None:
    """Mirror a sample's map left to right, in place; lengths have no sign to change."""
    if MOTION_MAP in sample:
        sample.set_field(sample.motion_map.flip(-1), MOTION_MAP)


def batch_motion_map(
    data_samples: Sequence[ActionDataSample] | None, device: torch.device | None = None
) -> Tensor:
    """Collect the motion maps of a batch, for a masker.

    Args:
        data_samples: B samples whose pipelines have a ``MotionMap``.
        device: Where the maps are wanted; None: where they are, which behind a
            ``PMGDataPreprocessor`` is the model's device.

    Returns:
        (B*V, t, h, w) float32, pixels per frame, V views of each sample, as clips are numbered in
        the model.

    Raises:
        ValueError: A sample has none, one on the host holds NaN, or they differ in shape.
    """
    samples = list(data_samples or [])
    without = [sample for sample in samples if MOTION_MAP not in sample]
    if without or not samples:
        name = without[0].metainfo.get("filename", "without a filename") if without else "-"
        raise ValueError(
            f"{len(without)} of {len(samples)} samples have no motion_map (the first: {name}). Add "
            "dict(type='MotionMap') to the training pipeline, behind the last crop, resize, flip "
            "or PMGAug and before FormatShape, and set "
            "PackActionInputs.algorithm_keys=('motion_map',)"
        )
    maps = [_views(sample) for sample in samples]
    shapes = list(dict.fromkeys(tuple(found.shape[1:]) for found in maps))
    if len(shapes) > 1:
        raise ValueError(
            f"the motion maps of a batch differ in shape (t, h, w): {', '.join(map(str, shapes))}. "
            "Give MotionMap the same frames and cell in all datasets' pipelines"
        )
    joined = torch.cat(maps)
    return joined.float() if device is None else to_device(joined, device, torch.float32)


def _views(sample: ActionDataSample) -> Tensor:
    """Return (V, t, h, w): one clip comes without the axis of the views."""
    found = torch.as_tensor(sample.motion_map)
    # On the host only: a device would be waited for.
    if found.device.type == "cpu" and bool(found.isnan().any()):
        raise ValueError(
            f"the motion_map of {sample.metainfo.get('filename', 'a sample without a filename')} "
            "holds NaN, which no threshold could tell from standing still; mend the step of the "
            "pipeline that wrote it (MotionMap writes none)"
        )
    return found.unsqueeze(0) if found.ndim == 3 else found
