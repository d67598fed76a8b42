"""Compares the class numbers of a recipe with one another and with the labels, before training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmpmg.engine.bare_model import bare_model

HEAD = "model.cls_head.num_classes"
BLENDING = "model.data_preprocessor.blending"


@HOOKS.register_module()
class ClassCountHook(Hook):
    """Refuses to start where classifier, label mixing and annotation lists disagree.

    Without it a number that is too small surfaces as an index error on some batch, and one that is
    too large trains silently, with classes that no video has.

    Args:
        empty_classes: Classes of which the training list may have no video. Diving48 has one.
    """

    priority = "VERY_HIGH"

    def __init__(self, empty_classes: Sequence[int] = ()) -> None:
        self.empty_classes = frozenset(empty_classes)

    def before_run(self, runner: Runner) -> None:
        """Check the model and the lists of all loops that were built.

        Raises:
            ValueError: Two numbers of classes differ, a label is missing or out of range, or the
                training list has no video of some class.
        """
        model = bare_model(runner)
        classes = getattr(getattr(model, "cls_head", None), "num_classes", None)
        if classes is None:
            return
        _check_blending(model, classes)
        for name in ("train", "val", "test"):
            loader = getattr(getattr(runner, f"_{name}_loop"), "dataloader", None)
            if loader is not None:
                self._check_labels(loader.dataset, f"{name}_dataloader.dataset", classes, model)

    def _check_labels(self, dataset: Any, path: str, classes: int, model: nn.Module) -> None:
        # A wrapper such as RepeatDataset has the list, or lists, inside.
        inner = getattr(dataset, "dataset", None) or getattr(dataset, "datasets", None)
        if inner is not None:
            for one in inner if isinstance(inner, (list, tuple)) else [inner]:
                self._check_labels(one, path, classes, model)
            return
        if not hasattr(dataset, "get_data_info"):
            return
        videos = np.full(classes, 0)
        file = f"{getattr(dataset, 'ann_file', type(dataset).__name__)} ({path}.ann_file)"
        unlabelled: list[str] = []
        outside: dict[int, str] = {}
        for number in range(len(dataset)):
            info = dataset.get_data_info(number)
            name = str(info.get("filename", f"sample {number}"))
            label = info.get("label", -1)
            for one in label if isinstance(label, (list, tuple)) else [label]:
                if one < 0:
                    unlabelled.append(name)
                elif one >= classes:
                    outside.setdefault(one, name)
                else:
                    videos[one] += 1
        if unlabelled:
            raise ValueError(
                f"{file} gives {len(unlabelled)} of {len(dataset)} videos no label, for example "
                f"{unlabelled[0]}; a line is `path label`, the label a whole number from 0"
            )
        if outside:
            top = max(outside)
            raise ValueError(
                f"{file} has label {top}, for example of {outside[top]}, but {HEAD}={classes} "
                f"allows 0 to {classes - 1}. If the list is right: {_advice(model, top + 1)}"
            )
        empty = sorted({*np.flatnonzero(videos == 0).tolist()} - self.empty_classes)
        if empty and path.startswith("train"):
            last = int(np.flatnonzero(videos)[-1])
            few = ", ".join(map(str, empty[:5])) + (", ..." if len(empty) > 5 else "")
            allowed = ",".join(map(str, sorted({*empty, *self.empty_classes})))
            between = [label for label in empty if label < last]
            mend = "If the list is complete" if not between else (
                f"Add videos of {', '.join(map(str, between[:5]))}"
                f"{', ...' if len(between) > 5 else ''}, which lie between classes with videos, or "
                "renumber the labels from 0 without a gap")  # fmt: skip
            if empty[-1] > last:
                mend += f"{'; then' if between else ':'} {_advice(model, last + 1)}"
            raise ValueError(
                f"{file} has no video of {len(empty)} of the {classes} classes of {HEAD}: {few}. "
                f"{mend}. If the subset is meant to lack them: --cfg-options "
                f"custom_hooks.0.empty_classes=[{allowed}]"
            )


def _stated(model: nn.Module) -> Iterator[tuple[str, int]]:
    """Yield where else the recipe states a number of classes, and which."""
    blending = getattr(getattr(model, "data_preprocessor", None), "blending", None)
    augments = getattr(blending, "augments", None)
    if augments is None:
        parts = {f"{BLENDING}.num_classes": blending}
    else:  # MMAction2's RandomBatchAugment; None stands for a batch left alone
        parts = {f"{BLENDING}.augments.{k}.num_classes": part for k, part in enumerate(augments)}
    for path, part in parts.items():
        number = getattr(part, "num_classes", None)
        if number is not None:
            yield path, number


def _check_blending(model: nn.Module, classes: int) -> None:
    wrong = {path: number for path, number in _stated(model) if number != classes}
    if wrong:
        found = ", ".join(f"{path}={number}" for path, number in wrong.items())
        raise ValueError(
            f"{HEAD}={classes}, but {found}: they must be the same. If {classes} is right: "
            f"--cfg-options {' '.join(f'{path}={classes}' for path in wrong)}"
        )


def _advice(model: nn.Module, classes: int) -> str:
    paths = [HEAD, *(path for path, _ in _stated(model))]
    return f"--cfg-options {' '.join(f'{path}={classes}' for path in paths)}"
