"""Which of our recipes a dumped config came from, and what was changed in it."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from mmengine.config import Config

PACKAGE = Path(__file__).parents[1]
# Of a run, not of its recipe.
OF_THE_RUN = ("work_dir", "launcher", "experiment_name", "model_wrapper_cfg", "resume", "load_from")


def recipe_folder() -> Path | None:
    """Return the folder of the recipes: of the source tree, or those in the installed package."""
    for folder in (PACKAGE.parent / "configs", PACKAGE / ".mim" / "configs"):
        if (folder / "_base_").is_dir():
            return folder
    return None


def flat(config: Config | None) -> dict[str, str]:
    """Flatten a config to dotted keys, without what belongs to the run and not to its recipe.

    Args:
        config: A config, or None.

    Returns:
        Dotted key -> text of the value.
    """
    found: dict[str, str] = {}

    def walk(node: Any, path: str) -> None:
        pairs: Any = None
        if isinstance(node, dict):
            pairs = node.items()
        elif isinstance(node, (list, tuple)) and any(isinstance(v, dict) for v in node):
            pairs = enumerate(node)
        if pairs is None or not len(node):
            found[path] = str(list(node)) if isinstance(node, (list, tuple)) else str(node)
            return
        for key, value in pairs:
            walk(value, f"{path}.{key}" if path else str(key))

    if config is not None:
        walk({k: v for k, v in config.to_dict().items() if k not in OF_THE_RUN}, "")
    return found


def recipe_of(config: Config | None, folder: Path) -> str:
    """Name the recipe of a run.

    MMEngine keeps the file's name in the work dir, not its folder, and ``vit-b_ucf101`` stands in
    several. A test with another recipe leaves that one's file beside the training's. Of all these
    it is the one that the config differs least from.

    Args:
        config: What was run; None: unknown.
        folder: Its work dir.

    Returns:
        "finetune/vit-b_ucf101"; the bare name where it is none of ours; "" where there is none.
    """
    dumped = [path for path in folder.glob("*.py") if path.is_file()]
    if config is None or not dumped:
        return ""
    dumped.sort(key=lambda path: path.stat().st_mtime, reverse=True)  # of equally near ones: newest
    root = recipe_folder()
    ours = {
        path.stem: sorted(root.glob(f"*/{path.stem}.py")) if root is not None else []
        for path in dumped
    }
    # What was dumped holds changes too, so that it is the nearest, unless a test wrote over it.
    last = dumped[0] if len(dumped) == 1 else min(
        dumped,
        key=lambda path: min(_distance(config, file) for file in (path, *ours[path.stem])),
    )  # fmt: skip
    if not ours[last.stem]:
        return last.stem
    nearest = min(ours[last.stem], key=lambda path: _distance(config, path))
    return f"{nearest.parent.name}/{last.stem}"


def changes_from_recipe(config: Config, recipe: str) -> list[str]:
    """List what was changed on the command line.

    Args:
        config: What was run.
        recipe: As :func:`recipe_of` names it.

    Returns:
        ``key=value`` for each key that is not as in the recipe; none for a recipe not ours.
    """
    root = recipe_folder()
    path = None if root is None else root / f"{recipe}.py"
    if path is None or "/" not in recipe or not path.is_file():
        return []
    now = flat(config)
    return [f"{key}={now.get(key, '(dropped)')}" for key in _differences(config, path)]


def _distance(config: Config, path: Path) -> float:
    """Count the keys that differ; a file that cannot be read is farther than any."""
    if _flat_recipe(path, path.stat().st_mtime_ns) is None:
        return math.inf
    return len(_differences(config, path))


def _differences(config: Config, path: Path) -> list[str]:
    one, other = flat(config), _flat_recipe(path, path.stat().st_mtime_ns)
    if other is None:
        return []
    return sorted(key for key in one.keys() | other.keys() if one.get(key) != other.get(key))


@lru_cache(maxsize=256)
def _flat_recipe(path: Path, changed: int) -> dict[str, str] | None:
    """Read a recipe once, as long as its file is not ``changed``; None where it cannot be read."""
    try:
        return flat(Config.fromfile(path, import_custom_modules=False))
    except Exception:  # a recipe under work is no reason to fail a report
        return None
