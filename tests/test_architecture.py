"""The arrows between the rooms, and a few habits, read from the source with ast."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OPENMMLAB = ("mmengine", "mmaction", "mmcv")
ROOMS = ("datasets", "models", "engine", "evaluation", "visualization")


def _rooms(*names: str) -> tuple[str, ...]:
    return tuple(f"mmpmg.{name}" for name in names)


# folder of the repository -> modules that nothing in it may import
FORBIDDEN = {
    "mmpmg/synthesis": (*OPENMMLAB, "torch.nn", *_rooms("motion", *ROOMS)),
    "mmpmg/motion": (*OPENMMLAB, "torch.nn", *_rooms("synthesis", *ROOMS)),
    "mmpmg/datasets": _rooms("models", "engine", "evaluation"),
    "mmpmg/models": _rooms("datasets", "engine", "evaluation"),
    "mmpmg/visualization": _rooms("engine", "evaluation"),
    "mmpmg": ("tools", "configs", "tests"),
}
DRAWERS = {"utils.py", "misc.py", "helpers.py", "common.py"}


def imported_modules(source: str, package: str) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of every import, also inside functions.

    ``from a import b`` yields ``a`` and ``a.b``, as b may be a module. ``package`` is the dotted
    package that the source belongs to, which relative imports start from.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            yield node.lineno, base
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if name in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def violations(root: Path) -> list[str]:
    """List every breach of the rules in the package below ``root``."""
    found = []
    for path in sorted((root / "mmpmg").rglob("*.py")):
        place = path.relative_to(root)
        if ".mim" in place.parts:
            continue
        source = path.read_text()
        package = ".".join(place.parts[:-1])
        for folder, forbidden in FORBIDDEN.items():
            if Path(folder) not in place.parents:
                continue
            for line, name in imported_modules(source, package):
                if any(name == bad or name.startswith(f"{bad}.") for bad in forbidden):
                    found.append(f"{place}:{line} imports {name}")
        if path.name in DRAWERS:
            found.append(f"{place} is a drawer; name it after what it does")
        if "FORCE_NO_WEIGHTS" + "_ONLY_LOAD" in source:
            found.append(f"{place} switches off torch's safe loading")
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.FunctionDef)
                and node.name == "__init__"
                and node.args.kwarg is not None
            ):
                found.append(f"{place}:{node.lineno} takes **{node.args.kwarg.arg}")
    return found


def test_the_package_keeps_the_rules() -> None:
    assert violations(ROOT) == []


def test_every_folder_of_the_package_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "mmpmg").rglob("*.py") if ".mim" not in path.parts}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_test_files_have_unique_names() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names))
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("mmpmg/motion/a.py", "from mmengine.registry import Registry"),
        ("mmpmg/motion/a.py", "import mmaction.registry as r"),
        ("mmpmg/motion/a.py", "from ..datasets import sample_seed"),
        ("mmpmg/motion/a.py", "from .. import models"),
        ("mmpmg/motion/a.py", "from torch import nn"),
        ("mmpmg/motion/a.py", "def f():\n    import torch.nn.functional"),
        ("mmpmg/motion/deep/a.py", "from ...engine import hooks"),
        ("mmpmg/synthesis/a.py", "import importlib\nimportlib.import_module('mmcv')"),
        ("mmpmg/synthesis/a.py", "from mmpmg.motion import Motion"),
        ("mmpmg/datasets/a.py", "from ..models.tokens import patchify"),
        ("mmpmg/models/heads/a.py", "from mmpmg.datasets.sample_seed import generator"),
        ("mmpmg/engine/a.py", "from tools.train import main"),
        ("mmpmg/models/utils.py", ""),
        ("mmpmg/models/a.py", "class A:\n    def __init__(self, **kwargs): ..."),
        ("mmpmg/compat.py", "import os\nos.environ['TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD'] = '1'"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, place: str, source: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(source)
    found = violations(tmp_path)
    assert len(found) >= 1
    assert all(line.startswith(place) for line in found)


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("mmpmg/motion/a.py", "import numpy\nimport cv2\nimport torch\nfrom .b import c"),
        ("mmpmg/models/a.py", "from ..motion.mixing import mixup\nfrom torch import nn"),
        ("mmpmg/datasets/a.py", "from ..motion import Motion\nfrom mmaction.registry import D"),
        ("mmpmg/models/a.py", "class A:\n    def forward(self, **kwargs): ..."),
    ],
)
def test_what_is_allowed_is_not_found(tmp_path: Path, place: str, source: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(source)
    assert violations(tmp_path) == []
