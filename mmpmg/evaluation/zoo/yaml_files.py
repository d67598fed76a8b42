"""YAML of the zoo, read as plain values: no tag in a file can name something to call."""

from __future__ import annotations

from typing import Any

import yaml  # type: ignore[import-untyped]

_FIELDS = ("Collections", "Models")
_WHOLE = "mend it, or delete it and type: tools/model_zoo.py"


def parse_yaml(text: str | bytes, place: str) -> Any:
    """Read YAML; lists, mappings, texts, numbers and dates only.

    MMEngine's own loader is not used, as it builds what ``!!python`` tags name.

    Args:
        text: What the file holds.
        place: What to call it.

    Raises:
        ValueError: It is no YAML, or asks for something else than plain values.
    """
    try:
        return yaml.safe_load(text)
    except RecursionError:
        raise ValueError(f"{place} is nested too deeply to be read") from None
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or (str(error).splitlines() or [""])[0]
        raise ValueError(f"{place}{where}, cannot be read as YAML: {reason}; mend it") from None


def parse_metafile(text: str | bytes, place: str) -> dict[str, list[dict[str, Any]]]:
    """Read a metafile and see that it has the form of one.

    Args:
        text: What the file holds.
        place: What to call it.

    Returns:
        ``Collections`` and ``Models``, each a list of mappings; empty where there are none.

    Raises:
        ValueError: It is no YAML or no metafile; the message names the file and the fault.
    """
    content = parse_yaml(text, place)
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ValueError(
            f"{place} holds a {type(content).__name__} where {' and '.join(_FIELDS)} should be; "
            f"{_WHOLE}"
        )
    found = {}
    for field in _FIELDS:
        nodes = content.get(field) or []
        if not isinstance(nodes, list) or not all(isinstance(node, dict) for node in nodes):
            raise ValueError(f"{place}: {field} must be a list of entries; {_WHOLE}")
        found[field] = nodes
    for number, model in enumerate(found["Models"], 1):
        _check_model(model, number, place)
    return found


def _check_model(model: dict[str, Any], number: int, place: str) -> None:
    name = model.get("Name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"{place}: entry {number} of Models has no Name; {_WHOLE}")
    metadata = model.get("Metadata") or {}
    if not isinstance(metadata, dict):
        raise ValueError(f"{place}: Metadata of {name} is {metadata!r}, no mapping; {_WHOLE}")
    for key in ("Parameters", "Encoder Parameters", "Trained Parameters", "FLOPs"):
        value = metadata.get(key, 0)
        if type(value) is not int:
            raise ValueError(f"{place}: {key} of {name} is {value!r}, no whole number; {_WHOLE}")
