"""The model of a recipe, built for looking at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from mmaction.registry import MODELS
from mmengine.config import Config, ConfigDict
from mmengine.runner import load_checkpoint

from mmpmg import typed
from mmpmg.models.checkpoint_fit import check_file
from mmpmg.models.pretrainers.pretrainer import Pretrainer
from mmpmg.models.tokenizers.vqvae import VQVAE


def is_pretrainer(config: Config) -> bool:
    """Tell whether a recipe's model masks and predicts."""
    return _is(config, Pretrainer)


def is_tokenizer(config: Config) -> bool:
    """Tell whether a recipe's model turns clips into codes."""
    return _is(config, VQVAE)


def change_recipes(recipes: Sequence[Config], changes: Mapping[str, Any]) -> None:
    """Change recipes in place, each by what it has a place for.

    Args:
        recipes: At least one.
        changes: Dotted key -> value; it goes to all recipes that have the entry around the key, so
            that one may say where the tokenizer lies of those models that have one.

    Raises:
        ValueError: No recipe has that entry.
    """
    for key, value in changes.items():
        having = [recipe for recipe in recipes if _has_place(recipe, key)]
        if not having:
            raise ValueError(
                f"--cfg-options {key}={value}: none of the recipes of --model has "
                f"{key.rpartition('.')[0] or key}"
            )
        for recipe in having:
            recipe.merge_from_dict({key: value})


def _has_place(recipe: Config, key: str) -> bool:
    """Tell whether a recipe has the entry around a key, at the top level the key itself."""
    *path, last = key.split(".")
    node: Any = recipe._cfg_dict
    for part in path or [last]:
        if isinstance(node, (list, tuple)):
            node = node[int(part)] if part.isdigit() and int(part) < len(node) else None
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
    return node is not None and (not path or isinstance(node, (Mapping, list, tuple)))


def recipe_model(config: Config, checkpoint: str | None, wanted: bool = True) -> Any:
    """Build a recipe's pretrainer or tokenizer, with weights where there is a checkpoint.

    Args:
        config: A recipe.
        checkpoint: Of its whole model, decoder included; None: fresh weights, and where codes are
            predicted those of a tokenizer without weights, for none is drawn then.
        wanted: Refuse another kind of model, instead of returning None.

    Returns:
        The model, or None.

    Raises:
        ValueError: Another kind of model, or a checkpoint that does not fit.
    """
    if not (is_pretrainer(config) or is_tokenizer(config)):
        if wanted:
            raise ValueError(
                f"the recipe's model is {config.model.type}, which masks and reconstructs nothing; "
                f"take a recipe of {typed.recipe('pmg')}, {typed.recipe('demvm')} or "
                f"{typed.recipe('tokenizer')}, or drop --mask, --guided and --checkpoint"
            )
        return None
    described = config.model if checkpoint is not None else _without_tokenizer(config.model)
    model = MODELS.build(described)
    if checkpoint is not None:
        # Whole, or an encoder without its decoder would draw noise and look like a bad model.
        check_file(model, checkpoint, whole=True)
        load_checkpoint(model, checkpoint, map_location="cpu", strict=True)
    return model


def _is(config: Config, kind: type) -> bool:
    built = MODELS.get(config.model.type)
    return isinstance(built, type) and issubclass(built, kind)


def _without_tokenizer(model: ConfigDict) -> ConfigDict:
    """Copy a model's config, so that no tokenizer needs to be trained for looking at masks."""
    copied = deepcopy(model)
    for branch in (copied.get("branches") or {}).values():
        target = branch.head.target if branch else {}
        if target.get("type") == "CodebookTarget":
            target.update(checkpoint=None, random=True)
    return copied
