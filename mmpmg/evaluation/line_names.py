"""Which runs one line of a chart joins: those that differ in what its axis shows alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

from .recipe_names import changes_from_recipe, flat
from .run_log import Run

# Axis -> the end of a recipe's name and the key of its config that say where on it a run stands.
SHOWN = {
    "pretraining-epochs": (r"_\d+e", "train_cfg.max_epochs"),
    "images": (r"_\d+k", "train_dataloader.dataset.num_images"),
}
# What changes how a pre-training runs or looks, and not what it learns; repeats are of one line.
NOT_LEARNT = (
    "auto_scale_lr", "custom_hooks", "custom_imports", "default_hooks", "default_scope", "env_cfg",
    "log_level", "log_processor", "randomness", "train_dataloader.num_workers",
    "train_dataloader.persistent_workers", "train_dataloader.pin_memory",
    "train_dataloader.prefetch_factor", "vis_backends", "visualizer",
)  # fmt: skip
WIDEST = 60


def line_names(runs: Sequence[Run], axis: str) -> dict[str, str]:
    """Name the line of each run.

    Args:
        runs: Fine-tuning or probing runs.
        axis: Of :data:`.accuracy_axes.AXES`.

    Returns:
        Name of each run -> name of its line: its recipe and its pre-training with what was changed
        in that, without what the axis shows. Unlike ones of one name are numbered.
    """
    alike: dict[str, list[tuple[str, ...]]] = {}
    names = {}
    for run in runs:
        name, told_apart_by = _line(run, axis)
        known = alike.setdefault(name, [])
        if told_apart_by not in known:
            known.append(told_apart_by)
        number = known.index(told_apart_by) + 1
        names[run.name] = name if number == 1 else f"{name} ({number})"
    return names


def _other_list(run: Run) -> list[str]:
    """Name the training list of a run, where it is not its recipe's."""
    if run.config is None:
        return []
    key = "train_dataloader.dataset.ann_file="
    changes = changes_from_recipe(run.config, run.recipe)
    return [Path(change[len(key) :]).stem for change in changes if change.startswith(key)]


def _line(run: Run, axis: str) -> tuple[str, tuple[str, ...]]:
    """Return a line's name, and what tells its pre-training from others of this name."""
    if axis == "shots":
        tuning = re.sub(r"_\d+-shot$", "", run.same_steps)
    else:
        tuning = " on ".join([run.same_steps, *_other_list(run)])
    loaded = (run.loaded or "unknown").removesuffix("_1gpu")
    if run.pretraining is None:
        return f"{tuning}, {loaded}", ()
    name, key = SHOWN.get(axis, ("", ""))
    # Steps that accumulate the gradients of eight GPUs on one are the same, so ours are compared
    # with their own recipes; of others only the config can tell.
    ours = "/" in loaded
    changes = changes_from_recipe(run.pretraining, run.loaded or "") if ours else [
        f"{path}={value}" for path, value in flat(run.pretraining).items()
    ]  # fmt: skip
    kept = tuple(
        change
        for change in changes
        if change.partition("=")[0] != key and not change.startswith(NOT_LEARNT)
    )
    loaded = re.sub(f"{name}(?=_|$)", "", loaded) if name else loaded
    shown = [loaded, shorten(", ".join(kept), WIDEST, placeholder=" …")] if ours else [loaded]
    return ", ".join([tuning, *filter(None, shown)]), kept
