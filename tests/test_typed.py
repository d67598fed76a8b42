"""What hints tell a user to type works where the user stands."""

from __future__ import annotations

import ast
import logging
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mmpmg import command, typed
from mmpmg.datasets import CheckedVideoDataset
from mmpmg.datasets.image_sources import FolderImages
from mmpmg.engine.hooks.encoder_export import EncoderExportHook
from mmpmg.engine.launch import recipe_file

ROOT = Path(__file__).parents[1]
MODULES = {
    str(path.relative_to(ROOT / "mmpmg")): ast.parse(path.read_text())
    for path in sorted((ROOT / "mmpmg").rglob("*.py"))
    if ".mim" not in path.parts
}
# Where strings name a clone's paths: the start of a module's path -> why.
NAME_A_CLONE = {
    "typed.py": "names them where they are",
    "engine/launch.py": "says how recipes are named in a clone and elsewhere",
    "evaluation/machine.py": "goes beside published numbers, to be run in the repository",
    "evaluation/study/page.py": "writes and checks the repository's pages, which name its paths",
    "evaluation/study/table.py": "is in them; beside runs it is written as typed there",
    "evaluation/zoo/": "writes and checks files of the repository",
}
A_CLONES = re.compile(r"\btools/\w+\.(py|sh)|\bconfigs/\w")


def strings(tree: ast.Module) -> Iterator[str]:
    """Yield a module's strings but for docstrings, with X for what an f-string fills in."""
    ignored = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [getattr(part, "value", None) for part in node.values]
            ignored |= set(map(id, node.values))
            yield "".join(part if isinstance(part, str) else "X" for part in parts)
        elif id(node) not in ignored and isinstance(getattr(node, "value", None), str):
            yield node.value


def test_hints_of_recipes(stands: str, tmp_path: Path) -> None:
    written = "Get tars; tools/prepare_data.py lists them. Or: configs/pmg/vit-toy_generated.py."
    lister, other = typed.tool("prepare_data.py"), typed.recipe("pmg/vit-toy_generated.py")
    said = f"Get tars; {lister} lists them. Or: {other}."
    assert typed.here(written) == said
    assert (said == written) == (stands == "clone")
    theirs = f"{tmp_path}/tools/prepare_data.py, my/configs/a.py"
    assert typed.here(theirs) == theirs
    with pytest.raises(FileNotFoundError, match=f"{re.escape(said)}$"):
        FolderImages(str(tmp_path), hint=written)
    with pytest.raises(FileNotFoundError, match=f"{re.escape(said)}$"):
        CheckedVideoDataset(str(tmp_path / "no.txt"), [], hint=written)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_said_names_no_path_of_a_clone(module: str) -> None:
    named = [text for text in strings(MODULES[module]) if A_CLONES.search(text)]
    if not module.startswith(tuple(NAME_A_CLONE)):
        assert not named, "name it by mmpmg.typed, which knows where the user stands"


@pytest.mark.parametrize("place", NAME_A_CLONE)
def test_no_exception_is_left_over(place: str) -> None:
    texts = [text for name in MODULES if name.startswith(place) for text in strings(MODULES[name])]
    assert any(A_CLONES.search(text) for text in texts)


def test_only_docstrings_are_passed_over() -> None:
    tree = ast.parse('"""tools/a.py"""\nsay(f"{tool} configs/{name}", "tools/b.sh", x=["tools/c"])')
    assert [text for text in strings(tree) if A_CLONES.search(text)] == [
        "X configs/X",
        "tools/b.sh",
    ]


def test_tools_and_recipes_that_hints_name_exist() -> None:
    found = []
    for node in (node for tree in MODULES.values() for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func).removeprefix("typed.")
            if called in ("tool", "recipe", "typed_recipe"):
                folder = "tools" if called == "tool" else "configs"
                found.append(Path(folder, node.args[0].value.replace("/RECIPE.py", "")))
    assert len(found) > 20
    assert [str(path) for path in found if not (ROOT / path).exists()] == []


@pytest.fixture(params=["clone", "elsewhere", "wheel"])
def stands(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stand in a clone; beside one whose command is not installed; or with the wheel alone."""
    monkeypatch.chdir(ROOT if request.param == "clone" else tmp_path)
    found = "/bin/mmpmg" if request.param == "wheel" else None
    monkeypatch.setattr(typed.shutil, "which", lambda name: found)
    return request.param


@pytest.mark.parametrize("name", ["train.py", "dist_train.sh"])
def test_a_tool(stands: str, name: str) -> None:
    program, *rest = typed.tool(name).split()
    if stands == "wheel":
        assert (program, rest) == ("mmpmg", [Path(name).stem])
        assert (command.tool_folder() / name).is_file()
    else:
        assert Path(program).is_absolute() == (stands == "elsewhere")
        assert Path(program).samefile(ROOT / "tools" / name)


def test_a_recipe(stands: str) -> None:
    place = "pmg/vit-toy_generated_smoke.py"
    assert recipe_file(typed.recipe(place)).samefile(ROOT / "configs" / place)


def test_a_clone_of_another_package_of_openmmlab_is_not_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "configs/_base_").mkdir(parents=True)
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools/train.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(typed.shutil, "which", lambda name: "/bin/mmpmg")
    written = "tools/train.py configs/pmg/vit-toy_generated_smoke.py"
    assert typed.here(written) == "mmpmg train mmpmg::pmg/vit-toy_generated_smoke.py"


def test_the_hint_behind_a_pretraining(
    stands: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    torch.save(
        dict(state_dict={"backbone.patch_embed.projection.bias": torch.ones(3)}),
        tmp_path / "epoch_1.pth",
    )
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / "epoch_1.pth"))
    runner = SimpleNamespace(work_dir=str(tmp_path), logger=logging.getLogger("hint"))
    with caplog.at_level("INFO", "hint"):
        EncoderExportHook().after_train(runner)
    words = shlex.split(caplog.text.partition("with: ")[2])
    *tool, recipe, option, change = words
    assert " ".join(tool) == typed.tool("train.py")
    assert recipe_file(recipe.replace("RECIPE", "vit-b_ucf101")).is_file()
    assert option == "--cfg-options" and Path(change.removeprefix("load_from=")).is_file()
