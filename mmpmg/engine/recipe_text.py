"""The recipe that a checkpoint carries as text: read as values, never run."""

from __future__ import annotations

import ast
import re
from typing import Any

OF_THE_RUN = ("work_dir", "load_from", "resume", "launcher", "experiment_name")
"""Settings of one run on one machine, which are nobody else's."""
_ABSOLUTE = re.compile(r"""['"]((?:/|[A-Za-z]:\\|~/)[^'"\s]+)['"]""")


class RecipeTextError(ValueError):
    """Text that is no dump of a recipe."""


def without_run(text: str) -> str:
    """Take out of a dumped recipe what belongs to the run.

    Args:
        text: ``Config.pretty_text``, as MMEngine puts it into checkpoints under ``meta.cfg``.

    Returns:
        The same without `OF_THE_RUN`.

    Raises:
        RecipeTextError: It is no Python.
    """
    dropped: set[int] = set()
    for name, node in _assignments(text):
        if name in OF_THE_RUN:
            dropped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    lines = text.splitlines()
    return "".join(f"{line}\n" for k, line in enumerate(lines) if k not in dropped)


def values(text: str) -> dict[str, Any]:
    """Read the settings of a dumped recipe; what is no plain value is left out.

    Args:
        text: See `without_run`.

    Raises:
        RecipeTextError: It is no Python.
    """
    found = {}
    for name, node in _assignments(text):
        try:
            found[name] = _value(node.value)
        except (ValueError, TypeError, RecursionError, MemoryError):  # such as {[]: 1}
            continue
    return found


def machine_paths(text: str) -> list[str]:
    """List the absolute paths in a text, such as a home folder's: whoever publishes sees them."""
    return sorted(set(_ABSOLUTE.findall(text)))


def _assignments(text: str) -> list[tuple[str, ast.Assign]]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = str(error) or "it is nested too deeply"
        raise RecipeTextError(f"the recipe in the checkpoint is no recipe: {reason}") from None
    return [
        (node.targets[0].id, node)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]


def _value(node: ast.expr) -> Any:
    """Evaluate ``dict(a=1)``, which ast.literal_eval does not, and literals."""
    if isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args):
            raise ValueError("a call")
        return {keyword.arg: _value(keyword.value) for keyword in node.keywords}
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise ValueError("an unpacked dict")
        keys = [_value(key) for key in node.keys if key is not None]
        return dict(zip(keys, map(_value, node.values), strict=True))
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_value(item) for item in node.elts]
    return ast.literal_eval(node)
