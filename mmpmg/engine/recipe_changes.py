"""What a user types after ``--cfg-options``, and what to say when a key of it is mistyped."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from traceback import walk_tb
from typing import Any

from mmaction import registry
from mmengine.config import Config, DictAction
from mmengine.registry import Registry
from mmengine.runner import Runner
from torch.utils.data import DataLoader

ALSO_READ = ("auto_scale_lr", "custom_imports")
TENSORBOARD = "visualizer.vis_backends.0.type=LocalTensorboardVisBackend"
_UNEXPECTED = re.compile(r"\(\) got an unexpected keyword argument '(\w+)'")
# Taken out by MMEngine's Runner and optimizer wrappers before they build what has them.
_TAKEN_OUT = ("constructor", "convert_to_iter_based", "num_batch_per_epoch", "paramwise_cfg")
_WEIGHTS = ("checkpoint", "pretrained", "resume_from", "weights")
_UNREGISTERED = re.compile(r"(\w+) is not in the \S+ registry")


class RecipeChanges(DictAction):
    """MMEngine's ``KEY=VALUE`` action, for values that hold spaces too.

    MMEngine removes every space, so a folder ``my images`` becomes ``myimages``.
    """

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the changes to the namespace, or end with a usage message."""
        for change in values or ():
            if "=" not in change:
                parser.error(
                    f"{option_string}: {change!r} must be KEY=VALUE, for example "
                    "train_dataloader.batch_size=16; quote a value that holds spaces"
                )
        super().__call__(parser, namespace, values, option_string)

    @staticmethod
    def _parse_iterable(val: str) -> Any:
        plain = val.strip("'\"")
        if "," in plain or plain[:1] in ("(", "["):
            return DictAction._parse_iterable(val)
        return DictAction._parse_int_float_bool(plain)


def check_changes(recipe: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Refuse a change that would make a new entry where nobody looks for one.

    Args:
        recipe: The recipe before the changes.
        changes: Dotted key -> value.

    Raises:
        ValueError: A key begins with a name that neither the recipe nor MMEngine's Runner knows;
            or it goes through an entry that does not exist, among entries that all have a type
            (a hook, a step of a pipeline, an op), and gives it none.
    """
    known = {*recipe, *runner_names()}
    for key in changes:
        first, *rest = key.split(".")
        if first not in known:
            raise ValueError(
                f"--cfg-options {key}: no {first!r} in the recipe{_near(first, known)}"
                + ("; load_from=FILE starts from weights" if first in _WEIGHTS else "")
            )
        node, path = recipe.get(first), first
        for part in rest[:-1]:
            if isinstance(node, (list, tuple)) and part.isdigit():
                _check_place(key, path, int(part), len(node))
                node, path = node[int(part)], f"{path}.{part}"
                continue
            if not isinstance(node, Mapping):
                break
            if part not in node:
                # None holds a place free in a pipeline.
                entries = [value for value in node.values() if value is not None]
                typed = entries and all(isinstance(v, Mapping) and "type" in v for v in entries)
                if typed and f"{path}.{part}.type" not in changes:
                    raise ValueError(
                        f"--cfg-options {key}: no {part!r} in {path}{_near(part, node)}; it has "
                        f"{', '.join(node)}"
                    )
                break
            node, path = node[part], f"{path}.{part}"


def _check_place(key: str, path: str, place: int, length: int) -> None:
    """Refuse a place behind the end of a list, which no change can make longer."""
    if place < length:
        return
    raise ValueError(
        f"--cfg-options {key}: {path} has {length} entr{'y' if length == 1 else 'ies'}, counted "
        "from 0, and the command line cannot make a list longer"
        + (f"; {TENSORBOARD} writes both" if path == "visualizer.vis_backends" else "")
    )


def runner_names() -> set[str]:
    """Return the names at the top of a recipe that MMEngine's Runner, or MMAction2, reads."""
    return {*inspect.signature(Runner).parameters, *ALSO_READ}


def check_names(recipe: Mapping[str, Any]) -> None:
    """Refuse a top-level name that is almost, but not quite, one that MMEngine's Runner reads.

    MMAction2's recipes define variables of their own, so an unknown name is not an error in itself.

    Args:
        recipe: The recipe, changes included.

    Raises:
        ValueError: A name is a misspelling of one that the Runner reads, or an option of the
            training set that slipped out of it.
    """
    read = runner_names()
    inner = (recipe.get("train_dataloader") or {}).get("dataset") or {}
    for name in set(recipe) - read:
        if name in inner and isinstance(recipe[name], Mapping):
            raise ValueError(
                f"{name!r} at the top of the recipe is read by nobody; it belongs into "
                f"train_dataloader=dict(dataset=dict({name}=...))"
            )
        close = get_close_matches(name, read, n=1, cutoff=0.9)
        if close:
            raise ValueError(
                f"{name!r} at the top of the recipe is read by nobody; did you mean {close[0]!r}?"
            )


@contextmanager
def mistyped_keys_named(recipe: Config) -> Iterator[None]:
    """Say where in the recipe a key stands that a constructor refuses, and what it would take.

    Python's own message names the key and a class, often a parent of the one in the recipe. What
    is raised while nothing is built, such as by a hook in training, is left as it is.

    Args:
        recipe: The recipe that is being built inside the ``with`` block.

    Raises:
        TypeError: As raised inside, with the recipe's path to the key.
        ValueError: A type that no registry knows, with the recipe's path to it.
    """
    try:
        yield
    except KeyError as error:
        unknown = _UNREGISTERED.search(str(error))
        known = {
            name
            for one in vars(registry).values()
            if isinstance(one, Registry)
            for name in one.module_dict
        }
        if unknown is None or unknown[1] in known:
            raise
        where = [
            f"{path}.type"
            for path, node in walk_recipe(recipe.to_dict())
            if node.get("type") == unknown[1]
        ]
        if not where:
            raise
        raise ValueError(
            f"{', '.join(where)} in the recipe: there is no {unknown[1]!r}"
            f"{_near(unknown[1], known)}. A part of your own is there once it is registered in a "
            f"module that custom_imports names, and that names {_imported(recipe)}"
        ) from error
    except TypeError as error:
        refused = _UNEXPECTED.search(str(error))
        if refused is None or not _while_building(error):
            raise
        places = [
            (path, node) for path, node in walk_recipe(recipe.to_dict()) if refused[1] in node
        ]
        advice = [text for place in places if (text := option_advice(*place, refused[1]))]
        if not advice:
            raise
        raise TypeError(f"{'; or '.join(advice)}. Python says: {error}") from error


def _while_building(error: TypeError) -> bool:
    """Whether MMEngine was building something of a recipe: its functions for it are called so."""
    frames = (frame for frame, _ in walk_tb(error.__traceback__))
    return any(
        frame.f_globals.get("__name__", "").startswith("mmengine.")
        and "build_" in frame.f_code.co_name
        for frame in frames
    )


def _imported(recipe: Mapping[str, Any]) -> str:
    """List the modules that a recipe imports: one's own is often missing there."""
    modules = (recipe.get("custom_imports") or {}).get("imports") or ()
    modules = [modules] if isinstance(modules, str) else modules
    return ", ".join(modules) or "nothing"


def walk_recipe(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every dict of a recipe, outer ones first.

    Args:
        node: The recipe or a part of it, of plain or MMEngine's dicts, lists and tuples.
        path: Where that part stands.

    Yields:
        Dotted path from the top of the recipe, and the dict.
    """
    if isinstance(node, dict):
        yield path, node
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        if isinstance(value, (dict, list, tuple)):
            yield from walk_recipe(value, f"{path}.{key}" if path else str(key))


def option_advice(path: str, node: Mapping[str, Any], key: str) -> str | None:
    """Return what to say of a key in one dict of the recipe; None where it is welcome.

    Args:
        path: Dotted place of the dict.
        node: The dict.
        key: In it, or meant for it.
    """
    kind = DataLoader if path.endswith("_dataloader") else _built_by(node.get("type"))
    if kind is None or key in _TAKEN_OUT:
        return None
    options = _options(kind)
    if key in options:
        return None
    name = kind.__name__ if isinstance(kind, type) else node["type"]
    return (
        f"{path}.{key} in the recipe: {name} has no option {key!r}"
        f"{_inside(path, node, key) or _near(key, options)}; it has {', '.join(sorted(options))}. "
        "Where a base recipe set it, add _delete_=True to drop that"
    )


def _inside(path: str, node: Mapping[str, Any], key: str) -> str:
    """Say where a key belongs that the data set within a wrapper takes, such as WithPMGAug's."""
    inner = node.get("dataset")
    while isinstance(inner, dict):
        path = f"{path}.dataset"
        kind = _built_by(inner.get("type"))
        if kind is not None and key in _options(kind):
            return f" (did you mean {path}.{key}?)"
        inner = inner.get("dataset")
    return ""


def _options(kind: Callable[..., Any]) -> set[str]:
    """Return the names of what a class or a function takes."""
    options: set[str] = set()
    # An __init__ that takes **kwargs hands them up.
    for parent in kind.__mro__[:-1] if isinstance(kind, type) else (kind,):
        takes = vars(parent).get("__init__", lambda **_: None) if isinstance(kind, type) else kind
        parameters = inspect.signature(takes).parameters.values()
        options |= {
            p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        }
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return options - {"self"}


def _built_by(kind: Any) -> Callable[..., Any] | None:
    """Find the class, or the function, that a recipe's ``type`` names.

    Only among what is registered: `Registry.get` would import modules to look further, and a
    registry that MMAction2 takes over from MMEngine looks for ``mmaction.mmengine``.
    """
    if not isinstance(kind, str):
        return kind if callable(kind) else None
    found = [
        one.module_dict[kind]
        for one in vars(registry).values()
        if isinstance(one, Registry) and kind in one.module_dict
    ]
    return found[0] if found else None


def _near(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
