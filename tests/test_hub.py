"""``mmpmg::`` names in MMEngine's hub, in ``_base_`` and on the command line."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import pytest
import torch
from mmengine import hub
from mmengine.config import Config
from mmengine.config import config as config_module
from mmengine.hub import get_config, get_model
from mmengine.registry import DefaultScope

import mmpmg
from mmpmg import command
from mmpmg.engine.launch import load_recipe, recipe_file

ROOT = Path(__file__).parents[1]
TOY = "pmg/vit-toy_generated_smoke.py"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for an installed package: its folder with recipes and a model index of our own."""
    package = tmp_path / "site" / "mmpmg"
    shutil.copytree(ROOT / "configs", package / ".mim" / "configs")
    (package / ".mim" / "model-index.yml").write_text("Import: [configs/pmg/metafile.yml]\n")
    (package / ".mim" / "configs/pmg/metafile.yml").write_text("Models: []\n")
    real = config_module.get_installed_path  # MMEngine's, or its mending

    def get_installed_path(name: str) -> str:
        return str(package) if name == "mmpmg" else real(name)

    for module in ("mmengine.hub.hub", "mmengine.config.config"):
        monkeypatch.setattr(f"{module}.get_installed_path", get_installed_path)
    return package


def test_the_hub_knows_our_recipes(installed: Path) -> None:
    found = get_config("mmpmg::pmg/vit-b_shaders1k.py")
    assert found.to_dict() == Config.fromfile(ROOT / "configs/pmg/vit-b_shaders1k.py").to_dict()


def test_a_recipe_elsewhere_inherits_as_by_a_path(installed: Path, tmp_path: Path) -> None:
    """Not one key more or less: MMEngine would mark each part with a scope that is not there."""
    change = "train_dataloader = dict(batch_size=3)\nmodel = dict(masker=dict(ratio=0.9))\n"
    for name, base in (("named", f"mmpmg::{TOY}"), ("path", str(ROOT / "configs" / TOY))):
        (tmp_path / f"{name}.py").write_text(f'_base_ = "{base}"\n{change}')
    named = Config.fromfile(tmp_path / "named.py").to_dict()
    assert named == Config.fromfile(tmp_path / "path.py").to_dict()
    assert named["train_dataloader"]["batch_size"] == 3
    assert "_scope_" not in str(named)


@pytest.mark.parametrize("ask", ["_base_", "get_config", "get_model"])
def test_a_name_that_is_no_recipe_is_told_its_neighbours(
    ask: str, installed: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.py"
    recipe.write_text('_base_ = ["mmpmg::pmg/vit-toy_generated_smok.py"]\n')
    asked = dict(_base_=Config.fromfile, get_config=get_config, get_model=get_model)[ask]
    with pytest.raises(FileNotFoundError, match=r"near it are mmpmg::pmg/vit-toy_") as error:
        asked(recipe if ask == "_base_" else "mmpmg::pmg/vit-toy_smoke.py")
    assert "\n" not in str(error.value)
    assert (str(recipe) in str(error.value)) == (ask == "_base_")


@pytest.mark.parametrize("ask", ["_base_", "get_config", "pretrained", "command"])
def test_an_installation_without_its_recipes_is_told_the_mending(
    ask: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "mmpmg"
    package.mkdir(parents=True)
    monkeypatch.setattr("mmpmg.evaluation.recipe_names.PACKAGE", package)
    monkeypatch.setattr("mmpmg.command.PACKAGE", package)
    recipe = tmp_path / "mine.py"
    recipe.write_text(f'_base_ = "mmpmg::{TOY}"\n')
    asked = dict(
        _base_=lambda: Config.fromfile(recipe),
        get_config=lambda: get_config(f"mmpmg::{TOY}"),
        pretrained=lambda: get_config(f"mmpmg::{TOY}", pretrained=True),
        command=lambda: _call(monkeypatch, "train"),
    )[ask]
    with pytest.raises((FileNotFoundError, SystemExit)) as error:
        asked()
    assert "type: pip install --force-reinstall --no-deps " in str(error.value)
    assert "\n" not in str(error.value)


def test_a_model_without_weights_in_the_zoo_says_so(installed: Path, tmp_path: Path) -> None:
    entry = f"Models:\n- Name: toy\n  In Collection: PMG\n  Results: []\n  Config: configs/{TOY}\n"
    for content in ("Models: []\n", entry):
        (installed / ".mim" / "configs/pmg/metafile.yml").write_text(content)
        with pytest.raises(
            FileNotFoundError, match=f"no weights for mmpmg::{TOY}: .* mmpmg::{TOY}$"
        ):
            get_model(f"mmpmg::{TOY}", pretrained=True)


def test_recipes_of_other_packages_keep_their_scope(tmp_path: Path) -> None:
    recipe = tmp_path / "theirs.py"
    base = "mmaction::recognition/tsn/tsn_imagenet-pretrained-r50_8xb32-1x1x3-100e_kinetics400-rgb"
    recipe.write_text(f'_base_ = "{base}.py"\n')
    assert Config.fromfile(recipe).model._scope_ == "mmaction"


def test_the_hub_builds_a_model_and_leaves_the_scope_alone(installed: Path) -> None:
    before = DefaultScope.get_current_instance()
    model = get_model(f"mmpmg::{TOY}")
    assert type(model).__module__.startswith("mmpmg.")
    after = DefaultScope.get_current_instance()
    assert (after and after.scope_name) == (before and before.scope_name)


def test_the_hub_loads_the_weights_of_the_metafile(installed: Path, tmp_path: Path) -> None:
    model = get_model(f"mmpmg::{TOY}")
    with torch.no_grad():
        for value in model.parameters():
            value.uniform_()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / "weights.pth")
    (installed / ".mim" / "configs/pmg/metafile.yml").write_text(
        "Models:\n- Name: toy\n  In Collection: PMG\n  Results: []\n"
        f"  Config: configs/{TOY}\n  Weights: {tmp_path / 'weights.pth'}\n"
    )
    loaded = get_model(f"mmpmg::{TOY}", pretrained=True)
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, value in loaded.state_dict().items():
        torch.testing.assert_close(value, model.state_dict()[name], rtol=0, atol=0, msg=name)


def test_the_tools_take_the_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert recipe_file(f"mmpmg::{TOY}") == ROOT / "configs" / TOY
    options = argparse.Namespace(
        config=f"mmpmg::{TOY}", work_dir=None, cfg_options=None, launcher="none", local_rank=0
    )
    assert load_recipe(options).work_dir == "work_dirs/pmg/vit-toy_generated_smoke"
    with pytest.raises(FileNotFoundError, match=r"near it are mmpmg::pmg/vit-toy_generated_smoke"):
        recipe_file("mmpmg::pmg/vit-toy_generated_smok.py")
    with pytest.raises(FileNotFoundError, match=r"near it are mmpmg::pmg/vit-toy_generated_smoke"):
        recipe_file("configs/pmg/vit-toy_generated_smok.py")  # as in a clone, which is not here


@pytest.mark.parametrize("place", ["../setup.py", "pmg/../../setup.py", str(ROOT / "setup.py")])
def test_a_name_does_not_leave_the_recipes(place: str) -> None:
    with pytest.raises(FileNotFoundError, match="no recipe mmpmg::"):
        recipe_file(f"mmpmg::{place}")


@pytest.mark.parametrize("name", ["mmpmg::pmg/metafile.yml", "mmpmg::pmg/vit-toy_generated_smoke",
                                  f"mmpmg::{'a' * 300}.py", f"{'a' * 300}.py"])  # fmt: skip
def test_a_recipe_ends_with_py_and_has_a_name_that_systems_take(name: str, installed: Path) -> None:
    with pytest.raises(FileNotFoundError, match="^no recipe "):
        recipe_file(name)


@pytest.mark.parametrize("name", ["mmpmg::", "mmpmg::linear_probe/", "mmaction::recognition"])
def test_a_folder_of_recipes_is_told_what_is_below(name: str) -> None:
    with pytest.raises(FileNotFoundError, match=f"^no recipe {name}: a folder, with ") as error:
        recipe_file(name)
    told = str(error.value).partition(", with ")[2].split(", ")
    assert told == sorted(told) and "_base_" not in told
    if name.startswith("mmaction"):
        assert "tsn" in told
    else:
        places = (ROOT / "configs" / name.removeprefix("mmpmg::")).iterdir()
        assert {*told, "_base_"} >= {path.name for path in places if path.suffix in ("", ".py")}


def test_enrolling_twice_changes_nothing() -> None:
    before = Config._get_cfg_path, hub.get_config
    mmpmg.hub.enrol()
    assert (Config._get_cfg_path, hub.get_config) == before


def _call(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["mmpmg", *words])
    command.main()


def test_the_command_lists_every_tool(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _call(monkeypatch)
    shown = capsys.readouterr().out
    for tool in (ROOT / "tools").iterdir():
        if tool.suffix in (".py", ".sh"):
            (line,) = [line for line in shown.splitlines() if line.split()[:1] == [tool.stem]]
            assert len(line.split()) > 3, f"{tool.name} says nothing of itself"


def test_the_command_runs_a_tool_with_its_options(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", sys.path[:])
    with pytest.raises(SystemExit) as stopped:
        _call(monkeypatch, "export_encoder", "--help")
    assert stopped.value.code == 0
    assert "checkpoint of a pre-training run" in capsys.readouterr().out


def test_the_command_names_a_tool_that_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="no tool 'tarin'; near it: train"):
        _call(monkeypatch, "tarin")
