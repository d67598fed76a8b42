"""What stands beside weights in a file and tells how to read them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from mmpmg.models.conversion.hugging_face import hints_of_config, said_by_config
from mmpmg.models.conversion.model_configs import hints_of_model, said_by_model
from mmpmg.models.conversion.sizes import Hints, ModelSizes, check_said

CONVERSION = "conversion"
"""Under this name a converted or exported file's meta keeps what its weights do not tell."""

_STRANGE = (ValueError, AttributeError, KeyError, TypeError)


def hints_of_meta(meta: Mapping[str, Any], branch: str | None = None) -> Hints:
    """Read hints from what a file says of itself.

    Args:
        meta: Of `mmpmg.models.weight_files.read_weights`: config.json of a folder of Hugging Face,
            the recipe that MMEngine writes into a checkpoint (``cfg``; formerly ``recipe`` in
            published files), or what a conversion left.
        branch: Of a pretrainer, the branch that is meant.

    Returns:
        What it says; None for a value of another type than the hint's.

    Raises:
        ValueError: config.json describes another model.
    """
    if config := _config(meta):
        return _plain(hints_of_config(config)._asdict())
    if isinstance(left := meta.get(CONVERSION), Mapping):
        return _plain(left)
    model = recipe_model(_recipe(meta))
    try:
        return Hints() if model is None else _plain(hints_of_model(model, branch)._asdict())
    except _STRANGE:  # the recipe of something else: the weights tell
        return Hints()


def check_meta(meta: Mapping[str, Any], sizes: ModelSizes, branch: str | None = None) -> None:
    """Refuse a file whose weights are fewer, or others, than what it says of itself.

    Args:
        meta: See `hints_of_meta`.
        sizes: Read from the weights.
        branch: Of a pretrainer, the branch that is meant.

    Raises:
        ValueError: They differ.
    """
    if config := _config(meta):
        check_said(sizes, said_by_config(config), "config.json")
        return
    # Of a converted file, its own words go before a recipe's.
    model = None if CONVERSION in meta else recipe_model(_recipe(meta))
    try:
        said = {} if model is None else said_by_model(model, branch)
    except _STRANGE:
        return
    check_said(sizes, said, "the recipe in it")


def classes_of_meta(meta: Mapping[str, Any]) -> list[str] | None:
    """Read the names of the classes: ``id2label`` of Hugging Face, ``classes`` of MMEngine's meta.

    Returns:
        The names in order; None where nothing names them, all in their places and no two alike.
    """
    names = meta.get("classes")
    for holder, key in ((meta.get("dataset_meta"), "classes"), (meta.get("config"), "id2label")):
        if names is None and isinstance(holder, Mapping):
            names = holder.get(key)
    if isinstance(names, Mapping):
        numbered = {str(number): name for number, name in names.items()}
        names = [numbered.get(str(number)) for number in range(len(numbered))]
        if names == [f"LABEL_{number}" for number in range(len(names))]:
            return None  # what Hugging Face writes where nobody named them
    if not isinstance(names, (list, tuple)) or not names or None in names:
        return None
    named = [str(name) for name in names]
    return named if len(set(named)) == len(named) else None


def meta_of_hints(hints: Hints) -> dict[str, Any]:
    """Say in a file's meta what its weights do not tell, for `hints_of_meta`."""
    return {name: value for name, value in hints._asdict().items() if value is not None}


def _config(meta: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Take out a config.json; other tools keep their options under its name."""
    config = meta.get("config")
    return config if isinstance(config, Mapping) and "model_type" in config else None


def _plain(said: Mapping[str, Any]) -> Hints:
    """Take the hints that are of their type, in which True is no number."""
    kinds = {name: bool if name == "normalize" else int for name in Hints._fields}
    return Hints(**{n: said[n] for n, kind in kinds.items() if type(said.get(n)) is kind})


def _recipe(meta: Mapping[str, Any]) -> Any:
    return meta.get("cfg") or meta.get("recipe")


def recipe_model(text: Any) -> dict[str, Any] | None:
    """Take ``model`` out of a recipe's text, without running it: a checkpoint may come from anyone.

    Args:
        text: As MMEngine writes it: assignments of literals and ``dict(...)``.

    Returns:
        The model's dict; None where there is none to be read.
    """
    if not isinstance(text, str):
        return None
    try:
        for statement in ast.parse(text).body:
            names = [t.id for t in getattr(statement, "targets", []) if isinstance(t, ast.Name)]
            if names == ["model"] and isinstance(statement, ast.Assign):
                model = _literal(statement.value)
                return model if isinstance(model, dict) else None
    except (SyntaxError, ValueError):
        return None
    return None


def _literal(node: ast.expr) -> Any:
    """Evaluate a literal in which ``dict(key=value)`` may stand; ValueError for anything else."""
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.func.id != "dict" or node.args:
            raise ValueError("a call in a recipe's text")
        return {word.arg: _literal(word.value) for word in node.keywords}
    if isinstance(node, ast.Dict):
        keys = [None if key is None else ast.literal_eval(key) for key in node.keys]
        return dict(zip(keys, map(_literal, node.values), strict=True))
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_literal(value) for value in node.elts]
    return ast.literal_eval(node)
