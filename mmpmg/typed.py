"""What to type for a tool or a recipe where the user stands: in a clone, or with the wheel."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

PACKAGE = Path(__file__).parent
_OF_A_CLONE = re.compile(r"(?<![\w/])(?:tools/(\w+\.(?:py|sh))|configs/([\w/-]+(?:\.py)?))")


def tool(name: str) -> str:
    """Return how a tool is called from the current folder.

    Args:
        name: Of the tool, with its ending, such as ``"train.py"``.

    Returns:
        ``"tools/train.py"`` in a clone; else ``"mmpmg train"``, or the tool's whole path where
        the command ``mmpmg`` is not on the PATH.
    """
    beside = PACKAGE.parent / "tools" / name
    if _is_ours("tools"):
        return f"tools/{name}"
    if shutil.which("mmpmg") is None and beside.is_file():
        return shlex.quote(str(beside))
    return f"mmpmg {name.partition('.')[0]}"


def recipe(name: str) -> str:
    """Return how a recipe of ours is named from the current folder.

    Args:
        name: ``"FOLDER/NAME.py"``, or ``"FOLDER"`` for the folder.

    Returns:
        ``"configs/FOLDER/NAME.py"`` in a clone, else ``"mmpmg::FOLDER/NAME.py"``.
    """
    return f"configs/{name}" if _is_ours("configs") else f"mmpmg::{name}"


def _is_ours(folder: str) -> bool:
    """Whether a folder here is this package's own: all of OpenMMLab have such folders."""
    own = (PACKAGE.parent / folder, PACKAGE / ".mim" / folder)  # which may be a link to a clone
    return Path(folder).is_dir() and any(p.is_dir() and p.samefile(folder) for p in own)


def here(text: str) -> str:
    """Name tools and recipes in a text as they are typed from the current folder.

    Args:
        text: Such as a recipe's hint, which names them as in a clone: ``tools/NAME.py``,
            ``configs/FOLDER/NAME.py``. Behind another folder they are somebody else's.
    """
    return _OF_A_CLONE.sub(lambda found: tool(found[1]) if found[1] else recipe(found[2]), text)
