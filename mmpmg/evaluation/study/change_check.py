"""A declared change is held against the recipe that it changes: mistyped keys are named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmpmg.engine.recipe_changes import option_advice, runner_names
from mmpmg.evaluation.study.errors import StudyError
from mmpmg.evaluation.study.fields import nearest


def check_change(recipe: Mapping[str, Any], change: Mapping[str, Any], place: str) -> None:
    """Refuse a change that reaches nothing.

    Args:
        recipe: The recipe, or a part of it, before the change.
        change: What would be merged into it.
        place: File and key of the change, for the message.

    Raises:
        StudyError: A key that the recipe does not have, and that what stands there does not take.
    """
    _walk(recipe, change, place, "")


def _walk(node: Mapping[str, Any], change: Mapping[str, Any], place: str, path: str) -> None:
    for key, value in change.items():
        if key == "_delete_":
            continue
        here = f"{path}.{key}".lstrip(".")
        if not isinstance(key, str):
            raise StudyError(f"{place} has the key {key!r} in {path}, which is no text")
        if key not in node:
            if isinstance(value, Mapping) and "_delete_" in value:  # MMEngine would keep it there
                raise StudyError(
                    f"{place} gives {here} a _delete_, but the recipe has nothing there to "
                    "replace: leave _delete_ out"
                )
            fault = _fault(node, key, value, path)
            if fault:
                raise StudyError(f"{place} names {here}: {fault}")
            continue
        inner = node[key]
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            if not value.get("_delete_") and value.get("type", inner.get("type")) == inner.get(
                "type"
            ):
                _walk(inner, value, place, here)
        elif isinstance(inner, Mapping) and value is not None:
            raise StudyError(
                f"{place} sets {here} to {value!r}, where the recipe has {', '.join(inner)}"
            )


def _fault(node: Mapping[str, Any], key: str, value: Any, path: str) -> str | None:
    """Say what is wrong with a new key; None where it is welcome."""
    if not path:
        known = {*node, *runner_names()}
        return None if key in known else f"the recipe has no {key!r}{nearest(key, known)}"
    advice = option_advice(path, node, key)
    if advice or "type" in node:
        return advice
    # Named entries of one kind, such as the steps of a pipeline; None holds a place free.
    entries = [entry for entry in node.values() if entry is not None]
    typed = entries and all(isinstance(entry, Mapping) and "type" in entry for entry in entries)
    if typed and not (isinstance(value, Mapping) and "type" in value):
        return f"{path} has no {key!r}{nearest(key, node)}; it has {', '.join(node)}"
    return None
