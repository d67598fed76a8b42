"""MMAction2's inference functions on our recipes, whose pipelines have names.

``ActionRecogInferencer``, ``MMAction2Inferencer``, ``init_recognizer`` and ``inference_recognizer``
take a recipe's steps by number, from ``test_dataloader`` or from a ``test_pipeline`` beside it.
"""

from __future__ import annotations

import functools
import os
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar

from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mmpmg.datasets.named_pipeline import in_order
from mmpmg.datasets.video_reading import naming_its_video
from mmpmg.engine.launch import OURS, WHEEL, recipe_file
from mmpmg.typed import recipe as typed_recipe

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


def accept_our_recipes() -> None:
    """Let MMAction2's inference functions take our recipes and their names, and name bad videos.

    Safe to call again.
    """
    from mmaction import apis
    from mmaction.apis import inference
    from mmaction.apis.inferencers import ActionRecogInferencer

    recognize = inference.inference_recognizer
    original, start = inference.init_recognizer, ActionRecogInferencer.__init__
    of_inferencer = ActionRecogInferencer._init_pipeline
    if hasattr(original, "mmpmg"):
        return

    @functools.wraps(original)
    def init_recognizer(config: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(config, (str, Path)):
            config = Config.fromfile(_file(config))
        return original(
            inference_recipe(config) if isinstance(config, Config) else config, *args, **kwargs
        )

    @functools.wraps(recognize)
    def inference_recognizer(model: Any, video: Any, test_pipeline: Any = None) -> Any:
        if isinstance(video, (str, Path)):
            video = os.fspath(video)
            if not os.path.exists(video):
                raise FileNotFoundError(f"there is no video {video}")
            if test_pipeline is None:
                init_default_scope(model.cfg.get("default_scope", "mmaction"))
                test_pipeline = Compose(model.cfg.test_pipeline)
        return recognize(model, video, _naming_its_videos(test_pipeline))

    @functools.wraps(start)
    def init(self: Any, model: Any, *args: Any, **kwargs: Any) -> None:
        start(self, _file(model), *args, **kwargs)

    @functools.wraps(of_inferencer)
    def init_pipeline(self: Any, cfg: Any) -> Any:
        ready = inference_recipe(cfg)
        if ready.get("test_dataloader") is None:
            raise ValueError(
                "the recipe has no test_dataloader, which says how a video becomes clips: a "
                f"pre-training recipe has none. Name one of {typed_recipe('finetune')}"
            )
        return _naming_its_videos(of_inferencer(self, ready))

    init_recognizer.mmpmg = True  # type: ignore[attr-defined]
    inference.init_recognizer = apis.init_recognizer = init_recognizer
    inference.inference_recognizer = apis.inference_recognizer = inference_recognizer
    ActionRecogInferencer.__init__ = init
    ActionRecogInferencer._init_pipeline = init_pipeline


def _naming_its_videos(pipeline: Any) -> Any:
    """Return a copy of a pipeline that names a video which it cannot read."""
    if not isinstance(pipeline, Compose):
        return pipeline
    return Compose([naming_its_video(step) for step in pipeline.transforms])


def _file(name: Any) -> Any:
    """Return the file of a recipe that is named ``mmpmg::`` or ``mmaction::``; the rest as it is.

    Raises:
        FileNotFoundError: there is no such recipe.
    """
    ours = isinstance(name, str) and name.startswith((OURS, WHEEL))
    return str(recipe_file(name)) if ours else name
