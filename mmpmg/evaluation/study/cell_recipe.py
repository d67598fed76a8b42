"""The recipe of a cell: the declared one, the arm's change, and what makes the cell this cell."""

from __future__ import annotations

import copy
import hashlib
import json
import pprint
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpmg import typed
from mmpmg.engine.launch import recipe_file
from mmpmg.engine.recipe_changes import check_names, mistyped_keys_named
from mmpmg.evaluation.recipe_names import OF_THE_RUN, recipe_folder
from mmpmg.evaluation.study.cells import FINETUNE, PRETRAIN, Cell
from mmpmg.evaluation.study.change_check import check_change
from mmpmg.evaluation.study.declaration import Arm, Size, Study
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.written_beside import written_beside

# What decides neither weights nor accuracy.
_WITHOUT_EFFECT = (
    "visualizer", "vis_backends", "log_level", "log_processor", "test_dataloader", "test_cfg",
    "test_evaluator",
)  # fmt: skip
_HOOKS_WITHOUT_EFFECT = ("logger", "checkpoint", "timer", "visualization")
_READERS_WITHOUT_EFFECT = ("num_workers", "persistent_workers", "pin_memory", "prefetch_factor")


class Recipes:
    """The recipes of a study at one size; what was read once is kept.

    Args:
        study: The declaration.
        size: One of its sizes.
    """

    def __init__(self, study: Study, size: Size) -> None:
        self.study, self.size = study, size
        self._arms: dict[tuple[str, str], dict[str, Any]] = {}
        self._epoch_clips: dict[str, int] = {}
        self._digests: dict[Path, str] = {}
        self._built: set[str] = set()

    def declared(self, arm: Arm, kind: str) -> str:
        """Return the name of the recipe that an arm changes."""
        if kind == FINETUNE:
            return self.size.finetune
        return arm.recipe.get(self.size.name, self.size.pretrain)

    def change(self, arm: Arm, kind: str) -> dict[str, Any]:
        """Return the arm's own change."""
        return dict(arm.finetune_change if kind == FINETUNE else arm.change)

    def arm(self, arm: Arm, kind: str) -> dict[str, Any]:
        """Resolve an arm's recipe as MMEngine would one that inherits and changes.

        Raises:
            StudyError: There is no such recipe, or the change reaches nothing in it.
        """
        key = (arm.name, kind)
        if key not in self._arms:
            place = f"{self.study.file}: arms.{arm.name}."
            place += "finetune_change" if kind == FINETUNE else "change"
            try:
                base = Config.fromfile(self._file(arm, kind))
                check_change(base, self.change(arm, kind), place)
                resolved = _merged(base.to_dict(), self.change(arm, kind), place)
                check_names(resolved)
            except (ValueError, FileNotFoundError) as error:
                raise StudyError(str(error)) from None
            self._arms[key] = resolved
        return self._arms[key]

    def _file(self, arm: Arm, kind: str) -> Path:
        """Find a declared recipe: from here, or where ours are."""
        name, ours = self.declared(arm, kind), recipe_folder()
        shipped = None if ours is None or not name.startswith("configs/") else ours.parent / name
        if shipped is not None and not Path(name).is_file() and shipped.is_file():
            return shipped.absolute()
        try:
            return recipe_file(name).absolute()
        except FileNotFoundError as error:
            raise StudyError(f"{self.study.file}, size {self.size.name}: {error}") from None

    def settings(self, cell: Cell) -> dict[str, Any]:
        """Return what the cell sets in its arm's recipe.

        Raises:
            StudyError: The budget does not divide, data are missing, or the recipe is of a form
                that a study cannot run.
        """
        arm = self.study.arms[cell.arm]
        recipe = self.arm(arm, cell.kind)
        loop = recipe.get("train_cfg") or {}
        if "max_epochs" not in loop:
            raise StudyError(
                f"{self.declared(arm, cell.kind)} has no train_cfg.max_epochs; a study trains by "
                "epochs: train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=...)"
            )
        mine: dict[str, Any] = {"randomness": {"seed": cell.seed}}
        if cell.kind == PRETRAIN:
            return {**mine, "train_cfg": {"max_epochs": self._epochs(cell, arm)}}
        if not recipe.get("val_dataloader"):
            raise StudyError(f"{self.size.finetune} has no val_dataloader, so it has no accuracy")
        if cell.source is not None:
            mine["load_from"] = str(cell.source.encoder)
        mine["train_cfg"] = {"val_interval": loop["max_epochs"]}
        lists = arm.lists or self.size.lists
        for part, file in (("train", lists.train), ("val", lists.test), ("test", lists.test)):
            loader = f"{part}_dataloader"
            if recipe.get(loader):
                found = _with_list(recipe[loader]["dataset"], str(file).format(fold=cell.fold))
                mine[loader] = {"dataset": found}
        return mine

    def resolved(self, cell: Cell) -> dict[str, Any]:
        """Return the whole recipe of a cell."""
        recipe = self.arm(self.study.arms[cell.arm], cell.kind)
        return _merged(recipe, self.settings(cell), cell.label)

    def text(self, cell: Cell) -> str:
        """Return the recipe of a cell as a file that inherits from the declared one."""
        arm = self.study.arms[cell.arm]
        delta = _joined(self.change(arm, cell.kind), self.settings(cell))
        title = f"{cell.study} ({cell.size}): {cell.label}."
        lines = [
            f'"""{title}',
            "",
            f"Written by {typed.tool('study.py')} from {self.study.file}.",
            f"OMP_NUM_THREADS={self.size.threads} {typed.tool('train.py')} "
            f'{cell.folder}/recipe.py"""',
            "",
            f"_base_ = {str(self._file(arm, cell.kind))!r}",
        ]
        for key, value in delta.items():
            lines.append(f"{key} = {pprint.pformat(value, sort_dicts=False, width=96)}")
        return "\n".join(lines) + "\n"

    def write(self, cell: Cell) -> Path:
        """Write the recipe of a cell into its folder."""
        path = cell.folder / "recipe.py"
        with written_beside(path) as unfinished:
            unfinished.write_text(self.text(cell))
        return path

    def digest(self, cell: Cell) -> str:
        """Return a hash of all that decides the result: recipe, lists, threads, pre-training."""
        if cell.folder not in self._digests:
            recipe = self.resolved(cell)
            content: dict[str, Any] = {
                "recipe": {key: recipe[key] for key in sorted(recipe) if _counts(key, cell)},
                "threads": self.size.threads,
                "pretraining": None if cell.source is None else self.digest(cell.source),
            }
            hooks = recipe.get("default_hooks") or {}
            content["recipe"]["default_hooks"] = {
                name: hook for name, hook in hooks.items() if name not in _HOOKS_WITHOUT_EFFECT
            }
            for name in ("train_dataloader", "val_dataloader"):
                loader = content["recipe"].get(name)
                if loader:
                    content["recipe"][name] = {
                        k: loader[k] for k in sorted(loader) if k not in _READERS_WITHOUT_EFFECT
                    }
            text = json.dumps(_that_counts(content), default=str)
            self._digests[cell.folder] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self._digests[cell.folder]

    def check(self, cell: Cell) -> None:
        """Build the cell's model and data sets, so that what they refuse is said before any run.

        What an earlier cell was built from is not built again.

        Raises:
            StudyError: A mistyped key, an illegal value, or missing data.
        """
        recipe = self.resolved(cell)
        loaders = [recipe.get(name) for name in ("train_dataloader", "val_dataloader")]
        parts = [(DATASETS, loader["dataset"]) for loader in loaders if loader]
        for registry, part in [*parts, (MODELS, recipe["model"])]:
            key = json.dumps(part, default=str)
            if key not in self._built:
                self._build(registry, part, recipe, cell.label)
                self._built.add(key)

    def _build(self, registry: Any, part: Mapping[str, Any], recipe: dict, label: str) -> Any:
        """Build a part of a recipe."""
        whole = Config(copy.deepcopy(recipe))
        try:
            init_default_scope(recipe.get("default_scope", "mmaction"))
            with mistyped_keys_named(whole):
                return registry.build(Config(copy.deepcopy(dict(part)))._cfg_dict)
        except Exception as error:  # whatever a recipe's classes raise
            raise StudyError(f"{label}: {' '.join(str(error).split())}") from error

    def _epochs(self, cell: Cell, arm: Arm) -> int:
        """Divide the budget by the clips of an epoch."""
        if arm.name not in self._epoch_clips:
            self._epoch_clips[arm.name] = self._count(cell, self.arm(arm, PRETRAIN))
        each = self._epoch_clips[arm.name]
        if cell.clips % each:
            below, above = cell.clips // each * each, (cell.clips // each + 1) * each
            raise StudyError(
                f"{self.study.file}: {cell.clips} clips are no whole number of epochs of "
                f"{cell.arm}, whose epoch sees {each} clips ({self.declared(arm, PRETRAIN)}); "
                f"sizes.{self.size.name}.clips could be {f'{below} or ' if below else ''}{above}"
            )
        return cell.clips // each

    def _count(self, cell: Cell, recipe: dict[str, Any]) -> int:
        loader = recipe["train_dataloader"]
        samples = len(self._build(DATASETS, loader["dataset"], recipe, cell.arm))
        # MMEngine's loaders and torch's keep an incomplete batch unless told otherwise.
        batch = loader["batch_size"]
        return samples // batch * batch if loader.get("drop_last") else samples


def _counts(key: str, cell: Cell) -> bool:
    """Whether an entry at the top of a recipe decides the result."""
    if key == "load_from":
        return cell.source is None  # else the digest of the pre-training stands for it
    return key not in OF_THE_RUN and key not in _WITHOUT_EFFECT


def _merged(base: Mapping[str, Any], change: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Merge as MMEngine merges a recipe into its base."""
    try:
        # A copy, as MMEngine takes the _delete_ out of what it merges.
        return Config._merge_a_into_b(copy.deepcopy(dict(change)), dict(base))
    except TypeError as error:
        raise StudyError(f"{place}: {error}") from None


def _joined(change: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Join two changes into one; the second one wins."""
    joined = dict(change)
    for key, value in settings.items():
        both = isinstance(value, Mapping) and isinstance(joined.get(key), Mapping)
        joined[key] = _joined(joined[key], value) if both else value
    return joined


def _with_list(dataset: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return the change that gives a data set, or the one that it wraps, another list."""
    inner = dataset.get("dataset")
    if "ann_file" not in dataset and isinstance(inner, Mapping):
        return {"dataset": _with_list(inner, file)}
    return {"ann_file": file}


def _that_counts(node: Any) -> Any:
    """Return a part of a recipe without what differs between equal ones.

    A list of videos is its content, wherever it lies. Arguments may come in any order; the order of
    named entries, such as the steps of a pipeline, counts.
    """
    if isinstance(node, (list, tuple)):
        return [_that_counts(one) for one in node]
    if not isinstance(node, Mapping):
        return node
    found = {key: _that_counts(node[key]) for key in (sorted(node) if "type" in node else node)}
    file = Path(str(found.get("ann_file", ""))).expanduser()
    if file.is_file():
        found["ann_file"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found
