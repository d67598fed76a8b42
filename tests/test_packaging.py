"""The wheel holds the package, the recipes and the tools, and imports from a clean folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("setuptools")
ROOT = Path(__file__).resolve().parents[1]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]


def _copy_source(target: Path) -> Path:
    """Copy what a checkout holds, without caches and build products."""
    ignored = shutil.ignore_patterns(
        ".git",
        ".venv*",
        "build",
        "dist",
        "*.egg-info",
        "__pycache__",
        ".mim",
        "work_dirs",
        ".*cache",
    )
    for name in ("mmpmg", "configs", "tools", "studies", "requirements", "tests"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, target / path.name)
    return target


def _environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CI")}
    return {**kept, **more}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _copy_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(source)]
    subprocess.run(command, check=True, env=_environment(), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


def _tracked(*names: str) -> set[str]:
    files = {
        path.relative_to(ROOT).as_posix()
        for name in names
        for path in (ROOT / name).rglob("*")
        if path.is_file() and not {"__pycache__", ".mim"} & set(path.parts)
    }
    return {file for file in files if not file.endswith(".pyc")}


def test_wheel_holds_every_module_recipe_tool_and_study(wheel: Path) -> None:
    content = {n for n in zipfile.ZipFile(wheel).namelist() if not n.startswith("mmpmg-")}
    modules = {file for file in _tracked("mmpmg") if file.endswith(".py")}
    shipped = {f"mmpmg/.mim/{file}" for file in _tracked("configs", "tools", "studies")}
    assert content == modules | shipped | {"mmpmg/.mim/model-index.yml"}


def test_wheel_asks_for_no_mmcv_and_no_new_torch(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (name,) = [n for n in archive.namelist() if n.endswith("/METADATA")]
    metadata = archive.read(name).decode()
    required = re.findall(r"^Requires-Dist: ([^\n]+)$", metadata, re.M)
    core = [line for line in required if "extra ==" not in line]
    assert "torch>=2.3" in core
    assert not [line for line in core if line.startswith(("mmcv", "timm", "decord", "torchvision"))]
    assert [line for line in required if line.startswith("mmcv-lite") and "'lite'" in line] or [
        line for line in required if line.startswith("mmcv-lite") and '"lite"' in line
    ]
    assert "License: Apache-2.0" in metadata or "License-Expression: Apache-2.0" in metadata


def test_wheel_imports_from_a_clean_folder(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    command = [*PIP, "install", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, env=_environment(), cwd=tmp_path)
    code = (
        "import mmpmg, pathlib; print(pathlib.Path(mmpmg.__file__).parent)\n"
        "from mmaction.registry import MODELS\n"
        "import mmaction.models\n"
        "assert MODELS.get('VisionTransformer') is not None\n"
    )
    environment = _environment(PYTHONPATH=str(target), OMP_NUM_THREADS="1")
    shown = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    ).stdout
    assert Path(shown.strip()).resolve() == (target / "mmpmg").resolve()


def test_editable_install_links_the_recipes(source: Path, tmp_path: Path) -> None:
    """An edited recipe counts at once, also after a modern (PEP 660) editable install."""
    copy = shutil.copytree(source, tmp_path / "source")
    target = tmp_path / "site"
    command = [*PIP, "install", "--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([*command, "-e", str(copy)], check=True, env=_environment(), cwd=tmp_path)
    links = copy / "mmpmg" / ".mim"
    shipped = ("configs", "tools", "studies", "model-index.yml")
    present = [name for name in shipped if (copy / name).exists()]
    assert sorted(path.name for path in links.iterdir()) == sorted(present)
    for name in present:
        assert (links / name).is_symlink()
        assert (links / name).resolve() == (copy / name).resolve()
    # and a wheel built afterwards from the same tree still holds files
    subprocess.run(
        [*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(copy)],
        check=True,
        env=_environment(),
        cwd=tmp_path,
    )
    (built,) = tmp_path.glob("*.whl")
    assert "mmpmg/.mim/model-index.yml" in zipfile.ZipFile(built).namelist()


def test_versions_agree() -> None:
    citation = (ROOT / "CITATION.cff").read_text()
    version = (ROOT / "mmpmg" / "version.py").read_text()
    assert re.search(r"^version: (\S+)$", citation, re.M).group(1) in version


def test_every_requirement_is_pinned() -> None:
    """constraints.txt covers what .venv needs; OpenCV in the build that needs no libGL."""
    pins = (ROOT / "requirements" / "constraints.txt").read_text()
    names = {re.split(r"[=;\s]", line)[0].lower().replace("_", "-") for line in pins.splitlines()}
    for file in ("runtime.txt", "environment.txt"):
        for line in (ROOT / "requirements" / file).read_text().splitlines():
            if line and not line.startswith(("#", "-")):
                assert re.split(r"[<>=!\s]", line)[0].lower().replace("_", "-") in names
    assert "opencv-contrib-python-headless" in names
    assert not names & {"opencv-python", "opencv-contrib-python", "mmcv"}
