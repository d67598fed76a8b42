"""From a recipe's clips and its flow-guided masker to what is drawn of them (DEMVM, Fig. 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmpmg import typed
from mmpmg.datasets.flow_estimation import one_thread
from mmpmg.datasets.klt_motion import grid_points
from mmpmg.datasets.transforms.motion_map import MotionMap
from mmpmg.models.data_preprocessors.batch_motion_map import batch_motion_map
from mmpmg.models.maskers import FlowGuidedDenseMasker, FlowGuidedMasker
from mmpmg.models.maskers.moving_region import moving_region
from mmpmg.models.pretrainers.pretrainer import Pretrainer
from mmpmg.models.sample_seeds import batch_seeds

from .branch_prediction import FloatArray
from .guided_sheet import Bools, GuidedClip, GuidedMask
from .masking_ratios import changed
from .model_pictures import clip_label, evaluating, preprocessed
from .training_samples import TrainingSample, transform_lists

DENSE = (0.5, 0.7)
"""P_den of the two masks of Fig. 4."""
RATIOS = (0.5, 0.5)
"""Their (P_spa, P_tmp)."""


def guided_clips(
    model: Pretrainer,
    dataset: Any,
    samples: Sequence[TrainingSample],
    dense: Sequence[float],
    ratios: tuple[float, float] | None = None,
) -> list[GuidedClip]:
    """Draw flow-guided masks of the same clips, from the same seeds, at several densities.

    Args:
        model: Its masker is flow-guided; it is left as it was.
        dataset: That the samples were read from; its ``MotionMap`` says how points are followed.
        samples: Of clips with their motion maps.
        dense: P_den in (0, 1), one for each mask; .5 masks at random.
        ratios: (P_spa, P_tmp) in (0, 1]; None: those of Fig. 4. A masker with a single ratio keeps
            that of the recipe.

    Returns:
        One for each sample.

    Raises:
        ValueError: Another masker, a value out of its range, or a recipe without ``MotionMap``.
    """
    masker = model.masker
    if not isinstance(masker, (FlowGuidedDenseMasker, FlowGuidedMasker)):
        raise ValueError(
            f"--guided: the recipe's masker is {type(masker).__name__}, which no motion guides; "
            f"take a recipe of {typed.recipe('demvm')} with a FlowGuidedDenseMasker or a "
            "FlowGuidedMasker"
        )
    if masker.dense == masker.sparse and not all(
        "motion_map" in s.packed["data_samples"] for s in samples
    ):
        raise ValueError(
            "--guided: the recipe masks at random (model.masker.dense = sparse) and has no motion "
            "map; take the flow-guided recipe beside it, whose name lacks _random"
        )
    shared = _ratios(masker, ratios)
    for value in dense:
        if not 0 < value < 1:
            raise ValueError(f"--guided {value:g}: P_den lies between 0 and 1, e.g. 0.7")
    grid = model.backbone.grid
    with evaluating(model):
        clips, data_samples = preprocessed(model, samples)
        seeds = batch_seeds(data_samples, len(clips), clips.device)
        moving = moving_region(seeds, grid, data_samples, masker.threshold)
        if getattr(masker, "tubes", False):  # a place moves where it does so in any slot
            moving = moving.any(1, keepdim=True).expand_as(moving)
        masks = []
        for value in dense:
            settings = dict(dense=value, sparse=round(1 - value, 9), **shared)
            with changed(masker, settings):
                drawn = masker(seeds, grid, data_samples).cpu().numpy()
                random, wrong = _how(masker, moving, seeds, data_samples, grid)
            name = f"P_den {value:g}, P_spr {settings['sparse']:g}"
            masks.append((name, drawn, random, wrong))
        # A token may hold several slots of the map.
        motion = batch_motion_map(data_samples).cpu().unflatten(1, (grid[0], -1)).amax(2).numpy()
    step = _motion_step(dataset)
    return [
        GuidedClip(
            clip=sample.clip,
            label=clip_label(sample),
            **_points(sample, step, model.backbone.token_shape[0]),
            motion=motion[i],
            moving=moving[i].reshape(grid).cpu().numpy(),
            threshold=masker.threshold,
            token_shape=model.backbone.token_shape,
            masks=[GuidedMask(name, *(part[i] for part in parts)) for name, *parts in masks],
        )
        for i, sample in enumerate(samples)
    ]


def _ratios(masker: Any, ratios: tuple[float, float] | None) -> dict[str, float]:
    """Return what of the masker is set for all masks."""
    if isinstance(masker, FlowGuidedMasker):
        if ratios is not None:
            raise ValueError(
                "--ratios: FlowGuidedMasker has a single ratio, the recipe's: leave --ratios out "
                "and give --cfg-options model.masker.mask_ratio=RATIO"
            )
        return {}
    spatial, temporal = RATIOS if ratios is None else ratios
    if not (0 < spatial <= 1 and 0 < temporal <= 1):
        raise ValueError(f"--ratios {spatial:g} {temporal:g}: both lie in (0, 1], e.g. 0.5 0.5")
    return dict(spatial_ratio=spatial, temporal_ratio=temporal)


def masking_told(masker: Any, ratios: tuple[float, float] | None) -> str:
    """Say, for a title, how much the masks of :func:`guided_clips` hide."""
    shared = _ratios(masker, ratios)
    if not shared:
        return f"{type(masker).__name__}, {masker.mask_ratio:.0%} of each clip"
    return (
        f"{type(masker).__name__}, P_spa {shared['spatial_ratio']:g} of the tokens in P_tmp "
        f"{shared['temporal_ratio']:g} of the slots"
    )


def _how(
    masker: Any, moving: Tensor, seeds: Tensor, data_samples: Any, grid: Any
) -> tuple[Bools, Bools]:
    """Tell the slots (B, t) masked whatever moves, and those masked more where nothing does."""
    if masker.dense == masker.sparse:
        random = torch.ones(moving.shape[:2], dtype=torch.bool)
        wrong = ~random
    elif isinstance(masker, FlowGuidedDenseMasker):
        ratios = masker.guide(seeds, grid, data_samples)[1]
        random, wrong = ratios.random, (ratios.moving < ratios.background) & ~ratios.random
    else:
        whole = moving.flatten(1)
        random = (whole.all(1) | ~whole.any(1))[:, None].expand(moving.shape[:2])
        wrong = ~random & (masker.dense < masker.sparse)
    return random.cpu().numpy(), wrong.cpu().numpy()


def _motion_step(dataset: Any) -> MotionMap:
    """Return the dataset's ``MotionMap``; samples with a map had one."""
    for transforms in transform_lists(dataset):
        for transform in transforms:
            if isinstance(transform, MotionMap):
                return transform
    return MotionMap()


def _points(sample: TrainingSample, step: MotionMap, frames: int) -> dict[str, Any]:
    """Follow the middles of the map's cells from the first frame of each slot to the next frame."""
    clip = sample.clip
    h, w = clip.shape[1] // step.cell, clip.shape[2] // step.cell
    points = grid_points(h, w, step.cell)
    starts = range(0, len(clip) - frames + 1, frames)
    moved: list[FloatArray] = []
    found: list[Bools] = []
    if sample.motion is not None:
        # Known at pixels: the one right below the middle of its cell.
        points = np.ceil(points)
        x, y = points.astype(int).T
        flow, seen = sample.motion.flow(), sample.motion.covisible()
        moved = [flow[k][y, x] for k in starts]
        found = [seen[k][y, x] for k in starts]
    else:
        with one_thread():  # as the transform does: on several, the last digits differ
            for k in starts:
                before, after = (step.tracker.prepare(frame) for frame in clip[k : k + 2])
                lengths, good = step.tracker.follow(before, after, points)
                if step.subtract_camera and good.any():
                    lengths = lengths - np.median(lengths[good], axis=0)
                moved.append(lengths)
                found.append(good)
    source = "KLT points" if sample.motion is None else "exact flow"
    if step.subtract_camera and sample.motion is None:
        source += ", less the camera's"
    return dict(source=source, points=points, moved=np.stack(moved), found=np.stack(found))
