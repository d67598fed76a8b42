"""What is looked at before the first step, whichever recipe it is, MMAction2's own included."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from mmaction.datasets import VideoDataset
from mmaction.models.backbones import SwinTransformer3D
from mmengine.runner import Runner
from torch import nn

from mmpmg import typed
from mmpmg.datasets.file_check import missing_files
from mmpmg.engine.bare_model import bare_model
from mmpmg.engine.hooks import ClassCountHook
from mmpmg.models.checkpoint_fit import (
    check_fit,
    check_loaded,
    check_resumable,
    meta_of,
    state_of,
)
from mmpmg.models.trained_settings import check_settings
from mmpmg.models.weight_files import read_checkpoint
from mmpmg.models.weight_layouts import PARALLEL

_FOREIGN = ("VideoDataset", "RepeatAugDataset")


def _hint() -> str:
    tool = typed.tool("prepare_data.py")
    return f"{tool} writes a list of what is there, and says what is not."


def check_foreign_lists(recipe: Mapping[str, Any]) -> None:
    """Name a training list of MMAction2's data sets that does not exist; ours say so themselves.

    Args:
        recipe: The recipe, changes included.

    Raises:
        FileNotFoundError: It does not exist.
    """
    path, dataset = "train_dataloader.dataset", recipe["train_dataloader"].get("dataset")
    while isinstance(dataset, Mapping):
        file = dataset.get("ann_file")
        looked_for = dataset.get("type") in _FOREIGN and not dataset.get("data_root")
        if looked_for and file and "://" not in file and not os.path.isfile(file):
            raise FileNotFoundError(
                f"The video list {file} does not exist: --cfg-options {path}.ann_file=LIST "
                f"{path}.data_prefix.video=FOLDER name yours. {_hint()}"
            )
        path, dataset = f"{path}.dataset", dataset.get("dataset")


def check_start(runner: Runner) -> None:
    """Refuse to train where the classifier, the labels or the videos of a recipe do not fit.

    Args:
        runner: Its training loop is built if it was not.

    Raises:
        ValueError: The classifier takes another width than the encoder gives, or a label is missing
            or out of range.
        FileNotFoundError: Videos of the training list do not exist.
    """
    model = bare_model(runner)
    _check_classifier(model)
    dataset = runner.train_loop.dataloader.dataset
    _check_videos(dataset)
    hooked = any(isinstance(hook, ClassCountHook) for hook in runner.hooks)
    if isinstance(dataset, VideoDataset) and not hooked:
        # A recipe without that hook has not asked that every class has a video.
        classes = getattr(getattr(model, "cls_head", None), "num_classes", 0)
        ClassCountHook(empty_classes=range(classes)).before_run(runner)


def check_resumed(runner: Runner, file: str) -> None:
    """Refuse to go on from a checkpoint of another model, or of no training run at all.

    MMEngine would leave out what does not fit, with a warning, and go on with fresh weights.

    Args:
        runner: Holds the model.
        file: The checkpoint.

    Raises:
        ValueError: It does not fit.
    """
    loaded = read_checkpoint(file)
    check_loaded(bare_model(runner), loaded, file, f"--resume {file}", whole=True)
    check_resumable(loaded, file)


def check_named_weights(model: nn.Module) -> None:
    """Refuse a ``Pretrained`` init_cfg whose file does not fit a vision or Swin transformer.

    MMEngine leaves out what does not fit, with a warning, and trains from scratch.

    Args:
        model: The model, not wrapped.

    Raises:
        ValueError: The file does not fit.
    """
    if _feature_width(model) is None:
        return
    for place, module in (("model", model), ("model.backbone", model.backbone)):
        choices = getattr(module, "init_cfg", None) or []
        for choice in [choices] if isinstance(choices, Mapping) else choices:
            if choice.get("type") != "Pretrained":
                continue
            file, prefix = choice["checkpoint"], choice.get("prefix") or ""
            prefix += "." * bool(prefix and not prefix.endswith("."))
            own = "" if place == "model" else "backbone."
            loaded, name = read_checkpoint(file), f"{place}.init_cfg with checkpoint={file}"
            found = state_of(loaded, file)
            if prefix:
                name += f", prefix={prefix!r}"
                found = _below(found, loaded, prefix, name)
            state = {own + key: value for key, value in found.items()}
            check_fit(model, state, name)
            check_settings(model, state, meta_of(loaded), name)


def _below(
    state: Mapping[str, Any], loaded: Mapping[str, Any], prefix: str, name: str
) -> dict[str, Any]:
    """Take what stands under a prefix, which MMEngine compares with the names as the file has them.

    Raises:
        ValueError: There is nothing, because the file has ``module.`` before all names.
    """
    if any(str(key).startswith(PARALLEL) for key in loaded.get("state_dict", loaded)):
        if not prefix.startswith(PARALLEL):
            raise ValueError(
                f"{name}: all names in the file begin with {PARALLEL!r}, which a prefix must name "
                f"too: prefix={PARALLEL + prefix!r}"
            )
        prefix = prefix.removeprefix(PARALLEL)
    return {k.removeprefix(prefix): value for k, value in state.items() if k.startswith(prefix)}


def _feature_width(model: nn.Module) -> int | None:
    """Numbers a clip that a ViT or a Swin hands to a classifier; None for another encoder."""
    backbone = getattr(model, "backbone", None)
    if isinstance(backbone, SwinTransformer3D):
        return int(backbone.num_features[max(backbone.out_indices)])
    width = getattr(backbone, "embed_dims", None)
    return width if hasattr(backbone, "pos_embed") and isinstance(width, int) else None


def _check_classifier(model: nn.Module) -> None:
    wanted, width = getattr(getattr(model, "cls_head", None), "in_channels", None), None
    if wanted is not None:
        width = _feature_width(model)
    if width is not None and wanted != width:
        raise ValueError(
            f"model.cls_head.in_channels={wanted}, but model.backbone gives {width} numbers a clip "
            f"(its arch or embed_dims): --cfg-options model.cls_head.in_channels={width}"
        )


def _check_videos(dataset: Any) -> None:
    """Ours have looked for their files when they were built; MMAction2's do not look."""
    for part in [getattr(dataset, "dataset", None), *getattr(dataset, "datasets", ())]:
        if part is not None:
            _check_videos(part)
    if not isinstance(dataset, VideoDataset) or hasattr(dataset, "bad_samples"):
        return

    def path(number: int) -> str:
        return str(dataset.get_data_info(number)["filename"])

    if not len(dataset) or "://" in path(0):
        return
    missing = missing_files(path, len(dataset), "all")
    if missing:
        raise FileNotFoundError(
            f"{len(missing)} of the {len(dataset)} videos that {dataset.ann_file} names do not "
            f"exist, for example {', '.join(missing[:3])}. Relative paths start from "
            f"data_prefix.video={dataset.data_prefix.get('video')!r}. {_hint()}"
        )
