"""Several pre-trainings on the same clips: what ``tools/compare_reconstructions.py`` draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from .model_reconstructions import reconstruct_at_ratios
from .picture_options import check_picture
from .recipe_models import change_recipes, is_pretrainer, recipe_model
from .recipe_pictures import cell_height
from .reconstruction_picture import Branches, reconstruction_picture
from .training_samples import TrainingSample, isolated_randomness, read_samples, spread_indices
from .writers import write


@dataclass(frozen=True)
class ModelChoice:
    """A model to draw.

    Attributes:
        name: Written beside its rows.
        recipe: Its pre-training recipe.
        checkpoint: Of that recipe, with the decoder.
    """

    name: str
    recipe: str
    checkpoint: str


@dataclass(frozen=True)
class ClipChoice:
    """Which clips to draw.

    Attributes:
        ann_file: List of videos, ``relative/path label`` a line; None: the training set of the
            first model's recipe, or of the first whose clips come with their flow or motion map.
        root: Folder that the list's paths start from.
        num_clips: Clips, spread evenly over the set, at least 1.
        interval: Distance of sampled frames of a video, at least 1.
        seed: Of clips and masks.
    """

    ann_file: str | None = None
    root: str = ""
    num_clips: int = 3
    interval: int = 4
    seed: int = 0


def compare_reconstructions(
    models: Sequence[ModelChoice],
    clips: ClipChoice,
    out: str | Path,
    statistics: str = "visible",
    columns: int = 8,
    mask_ratios: Sequence[float] = (),
    losses: bool = True,
    changes: Mapping[str, Any] | None = None,
    building: Callable[[Config], AbstractContextManager[None]] = nullcontext,
) -> Path:
    """Draw what each model reconstructs of the same clips under the same seeds of the masks.

    Args:
        models: At least one; all take clips of one size.
        clips: Which clips.
        out: Picture to write, .png or .jpg.
        statistics: "visible" or "truth", see :data:`.reconstruction.STATISTICS`.
        columns: Frames shown, at least 1.
        mask_ratios: Shares of tokens to mask, each in (0, 1); none: each recipe's.
        losses: Whether the loss of each patch is drawn.
        changes: To the recipes, dotted key -> value, see :func:`.recipe_models.change_recipes`.
        building: Entered while something of a recipe is built, such as
            :func:`mmpmg.engine.recipe_changes.mistyped_keys_named`.

    Returns:
        ``out``.

    Raises:
        FileNotFoundError: A recipe, a checkpoint or the list of videos is missing.
        ValueError: Two models of one name, or of another clip size; a model of which
            nothing can be drawn, or whose checkpoint does not fit; a change to no recipe; a
            picture that cannot be written.
    """
    check_picture(out)
    names = [model.name for model in models]
    if not models or len(set(names)) < len(names):
        raise ValueError(f"--model: names {names} must be at least one, and all different")
    for path in [path for one in models for path in (one.recipe, one.checkpoint)]:
        if not Path(path).is_file():
            raise FileNotFoundError(f"no file at {path}, which --model names")
    if clips.ann_file is not None and not Path(clips.ann_file).is_file():
        raise FileNotFoundError(f"no list of videos at {clips.ann_file}, which --videos names")
    recipes = [Config.fromfile(model.recipe) for model in models]
    change_recipes(recipes, changes or {})
    init_default_scope(recipes[0].get("default_scope") or "mmaction")
    for one, recipe in zip(models, recipes, strict=True):
        if not is_pretrainer(recipe):
            raise ValueError(
                f"--model {one.name}: a {recipe.model.type}, which {one.recipe} builds, masks and "
                "reconstructs nothing; name a pre-training recipe and an epoch_N.pth of it"
            )
    sizes = {m.name: _clip_size(recipe) for m, recipe in zip(models, recipes, strict=True)}
    if len(set(sizes.values())) > 1:
        raise ValueError(
            f"models of unlike (num_frames, img_size) cannot share clips: {sizes}; draw them apart"
        )
    with isolated_randomness(clips.seed):
        with ExitStack() as stack:
            for recipe in recipes:
                stack.enter_context(building(recipe))
            samples = _samples(recipes, sizes[names[0]], clips)
        drawn: dict[str, Sequence[Branches]] = {}
        for one, recipe in zip(models, recipes, strict=True):
            with building(recipe):
                model = recipe_model(recipe, one.checkpoint)
            drawn |= reconstruct_at_ratios(model, samples, mask_ratios, one.name)
    title = f"The same clips by {len(models)} models" if len(models) > 1 else names[0]
    height = cell_height(samples[0].clip)
    picture = reconstruction_picture(drawn, statistics, columns, title, height, losses)
    return write(out, picture)


def _clip_size(recipe: Config) -> tuple[int, int]:
    backbone = recipe.model.backbone
    return backbone.get("num_frames", 16), backbone.get("img_size", 224)


def _with_flow(recipe: Config) -> bool:
    """Tell whether a model wants its clips with their flow."""
    return bool((recipe.model.get("data_preprocessor") or {}).get("with_flow"))


def _motion_steps(part: Any) -> list[dict[str, Any]]:
    """Return the ``MotionMap`` steps that stand anywhere in a config."""
    if isinstance(part, (list, tuple)):
        return [step for inner in part for step in _motion_steps(inner)]
    if not isinstance(part, dict):
        return []
    own = [dict(part)] if part.get("type") == "MotionMap" else []
    return own + [step for inner in part.values() for step in _motion_steps(inner)]


def _samples(
    recipes: Sequence[Config], size: tuple[int, int], clips: ClipChoice
) -> list[TrainingSample]:
    steps = {i: _motion_steps(r.get("train_dataloader")) for i, r in enumerate(recipes)}
    if clips.ann_file is None:
        # Clips with their flow and motion map serve every model, others not those that ask for it.
        told = [_with_flow(recipe) + bool(steps[i]) for i, recipe in enumerate(recipes)]
        dataset = DATASETS.build(recipes[told.index(max(told))].train_dataloader.dataset)
    else:
        # Of several maps the finest: tokens may hold several of its cells.
        finest = min(
            (step for found in steps.values() for step in found),
            key=lambda step: (step.get("frames", 2), step.get("cell", 8)),
            default=None,
        )
        flowing = any(map(_with_flow, recipes))
        dataset = DATASETS.build(_videos(clips, *size, flowing, finest))
    return read_samples(dataset, spread_indices(len(dataset), clips.num_clips), clips.seed)


def _videos(
    clips: ClipChoice,
    num_frames: int,
    side: int,
    with_flow: bool = False,
    motion_map: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Config of a set that shows the middle of each video, in time and in the frame."""
    keys = [*(("flow", "covisible") if with_flow else ())]
    keys += [] if motion_map is None else ["motion_map"]
    packed = dict(type="PackActionInputs", meta_keys=("sample_seed", "filename"))
    if keys:
        packed["algorithm_keys"] = tuple(keys)
    return dict(
        type="CheckedVideoDataset",
        ann_file=clips.ann_file,
        data_prefix=dict(video=clips.root),
        test_mode=True,
        hint=f"--video-root names that folder (now {clips.root!r}).",
        pipeline=[
            dict(type="SeedSample"),
            dict(type="DecordInit"),
            dict(
                type="SampleFrames",
                clip_len=num_frames,
                frame_interval=clips.interval,
                num_clips=1,
                out_of_bound_opt="repeat_last",  # as in training, of videos too short
                test_mode=True,
            ),
            dict(type="DecordDecode"),
            dict(type="Resize", scale=(-1, side)),
            dict(type="CenterCrop", crop_size=side),
            *([dict(type="DenseFlow")] if with_flow else []),
            *([] if motion_map is None else [motion_map]),
            dict(type="FormatShape", input_format="NCTHW"),
            packed,
        ],
    )
