"""The views of a video that a recipe tests, and how many of them are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from mmpmg import typed
from mmpmg.compat import require
from mmpmg.datasets.named_pipeline import in_order

from .errors import ExtractionError

CROPS = {1: "CenterCrop", 3: "ThreeCrop", 10: "TenCrop"}
_OPENING = {"DecordInit": "decord", "PyAVInit": "av", "OpenCVInit": "cv2"}
_KEY = "test_dataloader.dataset.pipeline"


@dataclass(frozen=True)
class Views:
    """A test pipeline, and what comes out of it.

    Args:
        pipeline: recipes of transforms.
        clips: clips of a video, 1 or more.
        crops: crops of each clip: 1, 3 or 10.
    """

    pipeline: list[dict[str, Any]]
    clips: int
    crops: int


def recipe_views(recipe: Config, name: str, clips: int | None, crops: int | None) -> Views:
    """Take the test pipeline out of a recipe.

    Args:
        recipe: which.
        name: what to call it in messages.
        clips: clips of each video, spread evenly over it; None: as many as the recipe tests.
        crops: 1 (the centre) or 3 (side by side, along the longer side); None: as the recipe tests.

    Raises:
        ExtractionError: it tests no videos, its decoder is missing, or the numbers are illegal.
    """
    loader = recipe.get("test_dataloader")
    if not loader:
        raise ExtractionError(
            f"{name} has no test_dataloader, which says how a video becomes clips: a pre-training "
            f"recipe has none. Name the recipe of {typed.recipe('finetune')} with the same "
            "encoder; the CHECKPOINT may well be a pre-training's"
        )
    found = _pipeline_of(loader.get("dataset"))
    if found is None:
        raise ExtractionError(f"{name} has no {_KEY}: there is nothing that opens a video")
    steps = [deepcopy(dict(step)) for step in in_order(found) if isinstance(step, Mapping)]
    types = [str(step["type"]).rpartition(".")[2] for step in steps]
    opener = next((kind for kind in types if kind in _OPENING), None)
    if opener is None:
        raise ExtractionError(
            f"{name} tests no videos: none of {', '.join(_OPENING)} is in its {_KEY} "
            f"({', '.join(types)})"
        )
    try:
        require(_OPENING[opener])
    except ImportError as error:
        raise ExtractionError(f"{name} opens videos with {opener}. {error}") from None
    return Views(steps, _set_clips(steps, types, clips), _set_crops(steps, types, crops))


def _pipeline_of(dataset: Any) -> Any:
    """Return a data set's pipeline, or that of the one inside it."""
    while isinstance(dataset, Mapping):
        if dataset.get("pipeline") is not None:
            return dataset["pipeline"]
        dataset = dataset.get("dataset")
    return None


def _set_clips(steps: Sequence[dict], types: Sequence[str], clips: int | None) -> int:
    """Set the clips of the step that samples frames; return how many there are."""
    samplers = [n for n, kind in enumerate(types) if "Sample" in kind and kind != "SeedSample"]
    if clips is not None:
        if clips < 1:
            raise ExtractionError(f"--clips {clips}: must be 1 or more")
        if len(samplers) != 1:
            raise ExtractionError(
                f"--clips {clips}: {_KEY} has {len(samplers)} steps that sample frames "
                f"({', '.join(types)}), which is not one; leave --clips out"
            )
        steps[samplers[0]]["num_clips"] = clips
    return int(steps[samplers[0]].get("num_clips", 1)) if len(samplers) == 1 else 1


def _set_crops(steps: Sequence[dict], types: Sequence[str], crops: int | None) -> int:
    """Set the step that crops; return how many crops there are."""
    croppers = [n for n, kind in enumerate(types) if kind in CROPS.values()]
    if crops is not None:
        if crops not in CROPS:
            raise ExtractionError(f"--crops {crops}: must be {', '.join(map(str, CROPS))}")
        if len(croppers) == 1:
            steps[croppers[0]]["type"] = CROPS[crops]
        elif croppers or crops != 1:
            raise ExtractionError(
                f"--crops {crops}: {_KEY} ({', '.join(types)}) has no single step among "
                f"{', '.join(CROPS.values())} that could become {CROPS[crops]}"
            )
    count = {kind: number for number, kind in CROPS.items()}
    return count[str(steps[croppers[0]]["type"]).rpartition(".")[2]] if len(croppers) == 1 else 1
