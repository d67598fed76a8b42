"""In which keys two recipes differ, bases resolved."""

import copy
from functools import cache
from pathlib import Path

from mmengine.config import Config

ROOT = Path(__file__).parents[2] / "configs"
#: Compared as a whole, because their parts mean nothing alone.
WHOLE = ("images", "ops", "blending")


@cache
def as_written(path):
    return Config.fromfile(str(ROOT / f"{path}.py"), import_custom_modules=False).to_dict()


def load(path):
    return copy.deepcopy(as_written(path))


def differences(recipe, other):
    """Dotted key -> value in the recipe (None where it lacks the key) of all that differs."""
    found = {}

    def compare(mine, theirs, path):
        if mine == theirs:
            return
        inside = isinstance(mine, dict) and isinstance(theirs, dict)
        if inside and path.rpartition(".")[2] not in WHOLE:
            for key in {**mine, **theirs}:
                compare(mine.get(key), theirs.get(key), f"{path}.{key}" if path else key)
        else:
            found[path] = mine

    compare(as_written(recipe), as_written(other), "")
    return copy.deepcopy(found)
