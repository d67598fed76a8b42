"""A training checkpoint in; weights for others out, named by their hash, with a model card."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor

from mmpmg.engine.model_card import CardFacts, write_card
from mmpmg.engine.ordered_config import OrderedConfig
from mmpmg.engine.recipe_text import RecipeTextError, machine_paths, without_run
from mmpmg.evaluation.recipe_names import recipe_folder
from mmpmg.evaluation.run_log import Run, read_run
from mmpmg.models.checkpoint_fit import LEARNT
from mmpmg.models.weight_files import read_checkpoint, weights_of, write_weights
from mmpmg.version import __version__

FULL_PRECISION = ("pos_embed", "positions", *LEARNT)
"""Ends of names of fixed tables and running sums, which half precision would spoil: other programs
compute the first exactly, and the second go on being summed."""
_COMMIT = re.compile(r"([0-9a-f]{40}|unknown)$")
"""MMEngine puts the commit of whatever repository it was started in behind its version."""
_STAMP = re.compile(r"_\d{8}_\d{6}$")
_HASH = re.compile(r"-[0-9a-f]{8}$")
"""What an earlier publication put behind a file's name."""


class PublishError(ValueError):
    """A checkpoint that cannot be published; the message says why and what to do."""


@dataclass(frozen=True)
class PublishOptions:
    """What ``tools/publish_checkpoint.py`` reads from its command line.

    Attributes:
        checkpoint: File to publish.
        out: Folder to write into; made where there is none.
        recipe: Recipe file, in place of what the checkpoint and its folder say.
        name: Start of the files' names; the recipe's where None.
        half: Write float16 in place of float32.
        license: A line for the card.
    """

    checkpoint: str
    out: str
    recipe: str | None = None
    name: str | None = None
    half: bool = False
    license: str | None = None


@dataclass(frozen=True)
class Published:
    """What was written.

    Attributes:
        files: (path, size in bytes, sha256) of .pth and .safetensors.
        card: The model card.
        dropped: Names of what the checkpoint held besides weights.
        size_before: Of the checkpoint, in bytes; of a folder, None.
        notes: Sentences for whoever publishes.
    """

    files: tuple[tuple[Path, int, str], ...]
    card: Path
    dropped: tuple[str, ...]
    size_before: int | None
    notes: tuple[str, ...]

    def text(self) -> str:
        """Say it in lines."""
        lines = [f"{path} ({size:,} bytes)  sha256 {digest}" for path, size, digest in self.files]
        lines.append(str(self.card))
        if self.size_before is not None:
            lines.append(f"the checkpoint has {self.size_before:,} bytes")
        lines.append(f"left out: {', '.join(self.dropped) or 'nothing'}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def publish(options: PublishOptions) -> Published:
    """Write ``NAME-HASH.pth``, ``NAME-HASH.safetensors`` and a card; the same for the same input.

    The hash is the first 8 digits of the file's own sha256, as torch.hub checks it. Kept besides
    weights: the recipe, classes, epoch, and the version that trained it where the run's log lies
    beside the checkpoint. Optimizer, schedulers, message hub and the run's paths go.

    Args:
        options: See `PublishOptions`.

    Raises:
        FileNotFoundError: No such checkpoint or recipe.
        ValueError: The file holds no weights, the recipe is none, or half precision overflows.
    """
    if options.name is not None:
        _check_name(options.name)
    loaded = read_checkpoint(options.checkpoint)
    file = weights_of(loaded, options.checkpoint)
    notes = list(file.notes)
    state = _halved(file.state, notes) if options.half else file.state
    run = _run_of(Path(options.checkpoint))
    recipe, text = _recipe(options, file.meta, run, notes)
    meta = _meta(file.meta, run, recipe, text, state)
    stem = _STAMP.sub("", _HASH.sub("", _stem(options.checkpoint)))
    name = options.name or recipe.replace("/", "_") or stem
    _check_name(name)
    out = Path(options.out)
    files = tuple(_write_hashed(out, name, end, state, meta) for end in (".pth", ".safetensors"))
    facts = CardFacts(recipe, text, meta, state, files, options.license, run)
    card = write_card(files[0][0].with_suffix(".md"), facts)
    dropped = tuple(k for k in loaded if file.wrapper and k not in (file.wrapper, "meta"))
    source = Path(options.checkpoint)
    size = source.stat().st_size if source.is_file() else None
    return Published(files, card, dropped, size, tuple(notes))


def _check_name(name: str) -> None:
    if not name or "/" in name or "\\" in name or name.startswith(".") or not name.isprintable():
        raise PublishError(
            f"--name {name!r} is no start of a file's name: letters, digits, - and _, no folder"
        )


def _write_hashed(
    out: Path, name: str, ending: str, state: Mapping[str, Tensor], meta: Mapping[str, Any]
) -> tuple[Path, int, str]:
    # of its own name, as another process may publish into the same folder
    unnamed = out / f".{name}-{os.getpid()}-{secrets.token_hex(4)}{ending}"
    try:
        write_weights(unnamed, state, meta)
        digest = hashlib.sha256()
        with unnamed.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        path = unnamed.replace(out / f"{name}-{digest.hexdigest()[:8]}{ending}")
    finally:
        unnamed.unlink(missing_ok=True)
    return path, path.stat().st_size, digest.hexdigest()


def _halved(state: Mapping[str, Tensor], notes: list[str]) -> dict[str, Tensor]:
    """Round float32 to float16, and say by how much that changed weights."""
    halved, largest = dict(state), 0.0
    for key, value in state.items():
        if value.dtype not in (torch.float32, torch.float64) or key.endswith(FULL_PRECISION):
            continue
        halved[key] = value.half()
        if bool((halved[key].isinf() & value.isfinite()).any()):
            raise PublishError(
                f"{key} has values up to {float(value.abs().max()):.3g}, and half precision ends "
                "at 65504: publish without --half"
            )
        if value.numel():
            largest = max(largest, float((halved[key].to(value) - value).abs().nan_to_num().max()))
    notes.append(f"half precision moved weights by up to {largest:.1e}")
    return halved


def _run_of(checkpoint: Path) -> Run | None:
    """Read the work dir that a checkpoint lies in, where it is one."""
    folder = checkpoint.resolve().parent
    return read_run(folder) if any(folder.glob("*/vis_data")) else None


def _recipe(
    options: PublishOptions, meta: Mapping[str, Any], run: Run | None, notes: list[str]
) -> tuple[str, str]:
    """Return name and text of the recipe; "" where nobody knows."""
    text = meta.get("cfg") or meta.get("recipe")
    if options.recipe is not None:
        if not Path(options.recipe).is_file():
            raise FileNotFoundError(f"no recipe at {options.recipe}, which --recipe names")
        name = _name_of(Path(options.recipe))
        config = Config.fromfile(options.recipe, import_custom_modules=False)
        text = OrderedConfig.of(config).pretty_text  # else the steps of pipelines are sorted
    elif run is not None and run.recipe:
        name = run.recipe
    else:
        name = str(meta.get("recipe_name") or _STAMP.sub("", str(meta.get("experiment_name", ""))))
    if not isinstance(text, str):
        notes.append("the checkpoint does not say with which recipe it was made: --recipe RECIPE")
        return name, ""
    try:
        text = without_run(text)
    except RecipeTextError as error:
        notes.append(f"{error}; it is left out: --recipe RECIPE")
        return name, ""
    if paths := machine_paths(text):
        notes.append(
            f"the recipe inside names {len(paths)} paths of this machine, such as {paths[0]}: "
            "--recipe RECIPE puts a file's text in its place"
        )
    return name, text


def _name_of(recipe: Path) -> str:
    """Name a recipe of ours by folder and file, another by its file."""
    root, stem = recipe_folder(), recipe.with_suffix("").resolve()
    if root is not None and stem.is_relative_to(root.resolve()):
        return stem.relative_to(root.resolve()).as_posix()
    return stem.name


def _meta(
    meta: Mapping[str, Any], run: Run | None, recipe: str, text: str, state: Mapping[str, Tensor]
) -> dict[str, Any]:
    """Keep what helps a reader, in types that JSON has."""
    half = any(value.dtype == torch.float16 for value in state.values())  # now, or earlier
    dataset = meta.get("dataset_meta")
    classes = dataset.get("classes") if isinstance(dataset, Mapping) else meta.get("classes")
    kept = {
        "recipe_name": recipe,
        "cfg": text,  # where MMEngine looks for it
        "classes": [str(c) for c in classes] if isinstance(classes, (list, tuple)) else None,
        "epoch": meta.get("epoch"),
        "iter": meta.get("iter"),
        "seed": meta.get("seed"),
        "mmengine_version": _COMMIT.sub("", str(meta.get("mmengine_version") or "")),
        "trained_with": run.environment.get("mmpmg") if run else meta.get("trained_with"),
        "started_from": _source(run) if run else meta.get("started_from"),
        "mmpmg_version": __version__,
        "dtype": "float16" if half else None,
    }
    return {key: value for key, value in kept.items() if isinstance(value, (str, int, list))
            and value != ""}  # fmt: skip


def _source(run: Run) -> str | None:
    """Name what a run started from, without the folders of this machine."""
    loaded = run.loaded
    return Path(loaded).name if loaded and Path(loaded).is_absolute() else loaded


def _stem(checkpoint: str) -> str:
    path = Path(checkpoint).resolve()
    return path.stem if path.is_file() else path.name
