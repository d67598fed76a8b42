"""What hints tell a user to type works where the user stands."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mmpmg import command, typed
from mmpmg.engine.hooks.encoder_export import EncoderExportHook
from mmpmg.engine.launch import recipe_file

ROOT = Path(__file__).parents[1]


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
