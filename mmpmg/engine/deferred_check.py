"""Whether somebody renders the clips that the training pipelines leave unrendered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmaction.registry import MODELS
from mmengine.config import Config

from mmpmg.datasets.transforms.deferral import resolve_deferred
from mmpmg.engine.recipe_changes import walk_recipe
from mmpmg.models.data_preprocessors import PMGDataPreprocessor

_MOVING = ("PMGPipeline", "PMGAug")
_META_KEY = "deferred_motion"


def check_deferred(recipe: Config) -> None:
    """Refuse to train on deferred clips that nobody would render.

    MMAction2's own data preprocessor would fill each up with constant frames and train on that.

    Args:
        recipe: With ``model`` and ``train_dataloader``, changes included.

    Raises:
        ValueError: A ``PMGPipeline`` or ``PMGAug`` of the training set is deferred (``'auto'``: on
            a machine with a GPU), and the model's data preprocessor is none that renders, or the
            motion is not packed with the sample.
    """
    loader = recipe.get("train_dataloader") or {}
    dataset = loader.get("dataset")
    if not isinstance(dataset, Mapping):
        return
    for path, pipeline in pipelines(dataset):
        steps = list(walk_recipe(pipeline, path))
        deferred = [
            (place, step["deferred"])
            for place, step in steps
            if step_name(step) in _MOVING
            and resolve_deferred(step_name(step), step.get("deferred", False))
        ]
        if not deferred:
            continue
        place, value = deferred[0]
        left = f"{place}.deferred={value!r} leaves the rendering to the model's data preprocessor"
        kind = ((recipe.get("model") or {}).get("data_preprocessor") or {}).get("type")
        if not _renders(kind):
            raise ValueError(
                f"{left}, and model.data_preprocessor.type={kind!r} does not render: set "
                "model.data_preprocessor.type='PMGDataPreprocessor' (its other options may stay), "
                f"or {place}.deferred=False"
            )
        for pack, step in steps:
            if step_name(step) == "PackActionInputs" and _META_KEY not in step.get("meta_keys", ()):
                raise ValueError(
                    f"{left}, but {pack}.meta_keys lacks {_META_KEY!r}, so the motion never "
                    f"arrives there: add it, for example "
                    f"meta_keys=('sample_seed', 'filename', '{_META_KEY}', 'motion'), or set "
                    f"{place}.deferred=False"
                )


def pipelines(dataset: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the pipelines of a data set and of all that it wraps or mixes, with their keys."""
    for path, node in walk_recipe(dict(dataset), "train_dataloader.dataset"):
        if isinstance(node.get("pipeline"), (Mapping, list, tuple)):
            yield f"{path}.pipeline", node["pipeline"]


def step_name(step: Mapping[str, Any]) -> str:
    """Return the bare name of a step's type, which may be a class or have a scope."""
    kind = step.get("type", "")
    return kind.rpartition(".")[2] if isinstance(kind, str) else getattr(kind, "__name__", "")


def _renders(kind: Any) -> bool:
    found = MODELS.get(kind) if isinstance(kind, str) else kind
    return isinstance(found, type) and issubclass(found, PMGDataPreprocessor)
