"""``configs/<method>/metafile.yml`` and ``model-index.yml``, which MIM and mmengine.hub read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.fileio import dump

from mmpmg.evaluation.zoo.methods import (
    ARCHITECTURES,
    METHODS,
    entry_name,
    recipe_title,
    zoo_recipes,
)
from mmpmg.evaluation.zoo.model_size import ModelSize
from mmpmg.evaluation.zoo.records import Published, Records
from mmpmg.evaluation.zoo.results import pair_result, results
from mmpmg.evaluation.zoo.yaml_files import parse_metafile

INDEX = "model-index.yml"
HEAD = """\
# Written by tools/model_zoo.py of the recipes, of the papers' numbers in mmpmg/evaluation and of
# zoo/records.yml: change those, then run it. docs/zoo.md says what each key is.
"""
SIZE_KEYS = {
    "Parameters": "parameters",
    "Encoder Parameters": "encoder_parameters",
    "Trained Parameters": "trained_parameters",
    "FLOPs": "flops",
}
SizeOf = Callable[[str, Config], ModelSize]
"""Recipe and its config -> size of its model."""


def metafile_path(method: str) -> str:
    """Return a method's metafile, from the repository's root."""
    return f"configs/{method}/metafile.yml"


def metafile_texts(root: Path, records: Records, size_of: SizeOf) -> dict[str, str]:
    """Write the index and the metafiles, all of them, as text.

    Args:
        root: Of the repository.
        records: What was run and published here.
        size_of: Tells the sizes of models.

    Returns:
        Path from the root -> what the file must be.

    Raises:
        ValueError: A recipe's name says something that the zoo does not know.
    """
    recipes = zoo_recipes(root)
    methods = sorted({recipe_title(recipe).folder for recipe in recipes})
    texts = {}
    for method in methods:
        own = [recipe for recipe in recipes if recipe.startswith(f"{method}/")]
        models = [entry for name in own for entry in entries(root, name, records, size_of)]
        content = {"Collections": [_collection(method)], "Models": models}
        texts[metafile_path(method)] = HEAD + _yaml(content)
    texts[INDEX] = HEAD + _yaml({"Import": [metafile_path(method) for method in methods]})
    return texts


def entries(root: Path, recipe: str, records: Records, size_of: SizeOf) -> list[dict[str, Any]]:
    """Make a recipe's entries: one, or one for each of its published checkpoints.

    The first has the recipe's name. MMEngine takes the weights of the first.

    Args:
        root: Of the repository.
        recipe: Such as ``pmg/vit-b_shaders1k``.
        records: What was run and published here.
        size_of: Tells the size of its model.

    Raises:
        ValueError: The recipe cannot be read, or its model cannot be built.
    """
    path = f"configs/{recipe}.py"
    try:  # whatever a recipe's code, its bases and its model may raise
        config = Config.fromfile(str(root / path), import_custom_modules=False)
        size = size_of(recipe, config)
    except Exception as error:
        reason = (str(error).strip().splitlines() or ["no message"])[0]
        raise ValueError(
            f"{path}: the recipe or its model cannot be built ({type(error).__name__}: {reason}); "
            "mend the recipe, or a file that it names in _base_"
        ) from error
    plain: dict[str, Any] = {
        "Name": entry_name(recipe),
        "Config": path,
        "In Collection": METHODS[recipe_title(recipe).folder].title,
        "Metadata": _metadata(recipe, config, size, records),
        "Results": results(root, recipe, records),
    }
    found: list[dict[str, Any]] = []
    for published in (item for item in records.published if item.recipe == recipe):
        entry = dict(plain)
        if found:  # names are unique, and a result stands once
            entry["Name"] += f"-{entry_name(published.pretraining or 'scratch')}"
            entry["Results"] = []
        if published.pretraining:
            own = pair_result(root, (recipe, published.pretraining), records)
            entry["Results"] = [own, *entry["Results"]]
        found.append(entry | _files(published))
    return found or [plain]


def read_entries(root: Path, method: str) -> list[dict[str, Any]]:
    """Read the entries of a method's metafile as it stands; none where there is no file."""
    return read_metafile(root, method)["Models"]


def read_metafile(root: Path, method: str) -> dict[str, list[dict[str, Any]]]:
    """Read a method's metafile as it stands.

    Args:
        root: Of the repository.
        method: A key of ``METHODS``.

    Returns:
        ``Collections`` and ``Models``; empty lists where there is no file.

    Raises:
        ValueError: It is no metafile.
    """
    path, place = root / metafile_path(method), metafile_path(method)
    return parse_metafile(path.read_bytes() if path.is_file() else b"", place)


def stored_sizes(root: Path) -> dict[str, ModelSize]:
    """Read the sizes that stand in the metafiles: recipe -> size."""
    found = {}
    for method in METHODS:
        for entry in read_entries(root, method):
            metadata = entry.get("Metadata") or {}
            if "Parameters" not in metadata:
                continue
            values = {field: metadata.get(key, 0) for key, field in SIZE_KEYS.items()}
            values["trained_parameters"] = metadata.get("Trained Parameters", values["parameters"])
            found[recipe_of_entry(entry)] = ModelSize(**values)
    return found


def recipe_of_entry(entry: Mapping[str, Any]) -> str:
    """Name the recipe of an entry."""
    return str(entry.get("Config", "")).removeprefix("configs/").removesuffix(".py")


def _collection(method: str) -> dict[str, Any]:
    about = METHODS[method]
    return {
        "Name": about.title,
        "README": about.page,
        "Paper": {"URL": about.url, "Title": about.paper},
        "Code": about.code,
    }


def _metadata(recipe: str, config: Config, size: ModelSize, records: Records) -> dict[str, Any]:
    title = recipe_title(recipe)
    about: dict[str, Any] = {"Architecture": ARCHITECTURES[title.arch]}
    if "train_dataloader" in config:
        about["Training Data"] = title.data
        about["Training Resources"] = _machines(config, title.small)
        about["Epochs"] = config.train_cfg.max_epochs
        about["Batch Size"] = config.auto_scale_lr.base_batch_size
    about.update({key: getattr(size, field) for key, field in SIZE_KEYS.items()})
    if size.trained_parameters == size.parameters:
        del about["Trained Parameters"]
    if not size.encoder_parameters:
        del about["Encoder Parameters"]
    for measured in records.measurements:
        if recipe in measured.recipes:
            told = {"Training Memory": measured.memory, "Training Speed": measured.speed}
            about.update({key: text for key, text in told.items() if text})
    return about


def _machines(config: Config, small: bool) -> str:
    """Say on how much the recipe trains as it stands."""
    if small:
        return "2 CPU cores"
    per_step = config.train_dataloader.batch_size * config.optim_wrapper.get(
        "accumulative_counts", 1
    )
    gpus = config.auto_scale_lr.base_batch_size // per_step
    return f"{gpus} GPUs" if gpus > 1 else "1 GPU"


def _files(published: Published) -> dict[str, Any]:
    first, *others = published.files
    about: dict[str, Any] = {"Weights": first.where, "SHA256": first.sha256}
    if published.pretraining:
        about["Pre-training"] = published.pretraining
    if others:
        about["Other Files"] = [{"Where": file.where, "SHA256": file.sha256} for file in others]
    if published.log:
        about["Training Log"] = published.log
    return about


def _yaml(content: Mapping[str, Sequence]) -> str:
    text: str = dump(content, file_format="yaml", sort_keys=False, allow_unicode=True, width=100)
    return text
