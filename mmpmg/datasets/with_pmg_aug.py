"""PMG Aug for the training set of any MMAction2 recipe, whose pipeline is a list."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from mmaction.registry import DATASETS

#: Pseudo-motion clips are made of frames of their final size, not yet in a model's layout.
_BEFORE = "FormatShape"
_LAYOUTS = ("NCTHW", "NCHW")


@DATASETS.register_module("WithPMGAug")
def with_pmg_aug(
    dataset: Mapping[str, Any],
    prob: float,
    ops: Mapping[str, Any] | Sequence[Any] | None = None,
    mode: str = "one",
) -> Any:
    """Build a video data set, with `PMGAug` in its pipeline; ``type="WithPMGAug"`` in a recipe.

    In a recipe that starts from another one::

        train_dataloader = dict(dataset=dict(
            _delete_=True, type="WithPMGAug", prob=0.3, dataset=_base_.train_dataloader.dataset))

    `PMGAug` comes behind all cropping, flipping and erasing: right before FormatShape. What is
    built is the given data set, not something around it.

    Args:
        dataset: recipe of the data set, with a ``pipeline`` (a list, or a dict of named steps), or
            of a wrapper (``dataset=...``) around one.
        prob: share of clips that become pseudo-motion clips, in [0, 1], see `PMGAug`.
        ops: the motions to choose from, see `PMGAug`.
        mode: ``'one'`` or ``'compose'``, see `PMGAug`.

    Returns:
        The data set.

    Raises:
        ValueError: the pipeline has no place for PMGAug, or has one already, or its clips have a
            single frame, boxes, or no colours.
    """
    recipe: dict[str, Any] = copy.deepcopy(dict(dataset))
    inner = recipe
    while "pipeline" not in inner and isinstance(inner.get("dataset"), Mapping):
        inner["dataset"] = dict(inner["dataset"])
        inner = inner["dataset"]
    if not inner.get("pipeline"):
        raise ValueError(
            f"WithPMGAug: dataset, a {inner.get('type')}, has no pipeline; give it the recipe of a "
            "video data set, for example dataset=_base_.train_dataloader.dataset"
        )
    step = dict(type="PMGAug", prob=prob, ops=ops, mode=mode)
    inner["pipeline"] = _with_step(inner["pipeline"], step)
    return DATASETS.build(recipe)


def _with_step(
    pipeline: Sequence[Any] | Mapping[str, Any], step: dict[str, Any]
) -> list[Any] | dict[str, Any]:
    """Return the pipeline with the step in its place."""
    named = isinstance(pipeline, Mapping)
    steps: dict[Any, Any] = dict(pipeline if isinstance(pipeline, Mapping) else enumerate(pipeline))
    kinds = {key: one.get("type") for key, one in steps.items() if isinstance(one, Mapping)}
    if "PMGAug" in kinds.values():
        raise ValueError(
            "WithPMGAug: dataset.pipeline has a PMGAug already; change its prob, or drop WithPMGAug"
        )
    place = next((key for key, kind in kinds.items() if kind == _BEFORE), None)
    if place is None:
        raise ValueError(
            f"WithPMGAug: dataset.pipeline has no {_BEFORE}, before which PMGAug belongs; it has "
            f"{', '.join(map(str, kinds.values()))}. Put dict(type='PMGAug', prob=P) where the "
            "frames are of their final size"
        )
    if "SampleAVAFrames" in kinds.values():
        raise ValueError(
            "WithPMGAug: dataset.pipeline reads clips with boxes (SampleAVAFrames), which would "
            "not move along"
        )
    for key, kind in kinds.items():
        layout = steps[key].get("input_format")
        if kind == _BEFORE and layout not in _LAYOUTS:
            raise ValueError(
                f"WithPMGAug: dataset.pipeline makes {layout}; PMGAug makes RGB clips, "
                f"input_format={' or '.join(_LAYOUTS)}"
            )
        if steps[key].get("clip_len") == 1:
            raise ValueError(
                f"WithPMGAug: {kind} in dataset.pipeline takes clips of one frame (clip_len=1), in "
                "which nothing can move; PMGAug needs recipes with clip_len of 2 or more"
            )
    result: dict[Any, Any] = {}
    for key, one in steps.items():
        if key == place:
            result["pmg_aug"] = step
        result[key] = one
    return result if named else list(result.values())
