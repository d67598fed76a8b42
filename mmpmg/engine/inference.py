"""MMAction2's inference functions on our recipes, whose pipelines have names.

``ActionRecogInferencer``, ``MMAction2Inferencer``, ``init_recognizer`` and ``inference_recognizer``
take a recipe's steps by number, from ``test_dataloader`` or from a ``test_pipeline`` beside it.
"""

from __future__ import annotations

import functools
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar

from mmengine.config import Config, ConfigDict

from mmpmg.datasets.named_pipeline import in_order

_Recipe = TypeVar("_Recipe", Config, ConfigDict)


def inference_recipe(recipe: _Recipe) -> _Recipe:
    """Return a copy of a recipe in the shape that MMAction2's inference functions know.

    Args:
        recipe: Any recipe.

    Returns:
        The same with the steps of ``test_dataloader.dataset.pipeline`` in a list, and that list as
        ``test_pipeline``, unless there is one. A recipe that tests nothing comes back as it is.
    """
    recipe = deepcopy(recipe)
    dataset = (recipe.get("test_dataloader") or {}).get("dataset") or {}
    pipeline = dataset.get("pipeline")
    if pipeline is not None:
        dataset["pipeline"] = in_order(pipeline)
        if recipe.get("test_pipeline") is None:
            recipe["test_pipeline"] = deepcopy(dataset["pipeline"])
    return recipe


def accept_named_pipelines() -> None:
    """Let MMAction2's inference functions take our recipes; safe to call again."""
    from mmaction import apis
    from mmaction.apis import inference
    from mmaction.apis.inferencers import ActionRecogInferencer

    original, of_inferencer = inference.init_recognizer, ActionRecogInferencer._init_pipeline
    if hasattr(original, "mmpmg"):
        return

    @functools.wraps(original)
    def init_recognizer(config: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(config, (str, Path)):
            config = Config.fromfile(config)
        return original(
            inference_recipe(config) if isinstance(config, Config) else config, *args, **kwargs
        )

    @functools.wraps(of_inferencer)
    def init_pipeline(self: Any, cfg: Any) -> Any:
        return of_inferencer(self, inference_recipe(cfg))

    init_recognizer.mmpmg = True  # type: ignore[attr-defined]
    inference.init_recognizer = apis.init_recognizer = init_recognizer
    ActionRecogInferencer._init_pipeline = init_pipeline
