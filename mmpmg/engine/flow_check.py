"""Whether the flow or motion map that a model is given is that of the clips that it sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmpmg.datasets.transforms.geometry import (
    CHANGES_CLIP,
    KEEPS_PIXELS_IN_PLACE,
    MAKES_MOTION,
    READS_MOTION,
)
from mmpmg.engine.deferred_check import pipelines, step_name
from mmpmg.engine.recipe_changes import walk_recipe


def check_flow_order(recipe: Config) -> None:
    """Refuse to train on a flow or a motion map behind whose making something moves the pixels.

    A change of size is seen in the flow's own, when it meets the clip; a flip, a crop or a rotation
    to the same size is not, and would teach a wrong flow, or guide a masker wrongly, in silence. So
    would another clip.

    Args:
        recipe: With ``model`` and ``train_dataloader``, changes included.

    Raises:
        ValueError: ``model.data_preprocessor.with_flow``, or a pipeline with a ``MotionMap``, and
            behind ``PMGPipeline``, ``PMGAug``, ``DenseFlow`` or ``MotionMap`` stands a step that is
            not known to leave pixels where they are; or behind one of the last two, which read the
            clip, one of the first two, which replace it.
    """
    preprocessor = (recipe.get("model") or {}).get("data_preprocessor") or {}
    dataset = (recipe.get("train_dataloader") or {}).get("dataset")
    if not isinstance(dataset, Mapping):
        return
    for path, pipeline in pipelines(dataset):
        mapped = any(step_name(step) == "MotionMap" for _, step in walk_recipe(pipeline, path))
        if not (mapped or preprocessor.get("with_flow")):
            continue
        what, cure = (
            ("motion map", f"drop MotionMap from {path}")
            if mapped
            else ("flow", "set model.data_preprocessor.with_flow=False")
        )
        made = read = ""
        steps = pipeline.items() if isinstance(pipeline, Mapping) else enumerate(pipeline)
        for key, step in steps:
            if not isinstance(step, Mapping):
                continue
            name, held = step_name(step), _held(step)
            changer = next((inner for inner in held if inner in CHANGES_CLIP), "")
            if read and changer:
                raise ValueError(
                    f"{path}.{key}, a {changer}, makes another clip behind {read}, which tells "
                    f"the motion of the one before: put {read} behind {changer}"
                )
            if made and name not in KEEPS_PIXELS_IN_PLACE | set(MAKES_MOTION):
                raise ValueError(
                    f"{path}.{key}, a {name}, stands behind {made}: the {what} would be that of "
                    f"the clip before it. Put it before that step, or {cure}; flips can be left to "
                    f"model.data_preprocessor.flip_ratio, which mirrors the {what} as well"
                )
            made = made or next((inner for inner in held if inner in MAKES_MOTION), "")
            read = read or next((inner for inner in held if inner in READS_MOTION), "")


def _held(step: Mapping[str, Any]) -> list[str]:
    """Return the names of a step and of those that it holds."""
    return [step_name(inner) for _, inner in walk_recipe(dict(step))]
