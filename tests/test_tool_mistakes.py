"""A mistake on a tool's command line ends with a line that names it, and not with a traceback."""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

import pytest
import torch
from reference.converted_models import pretrainer

from mmpmg.engine.command_line import run_command

ROOT = Path(__file__).parents[1]
TOOLS = sorted(ROOT.glob("tools/*.py"))
NAME = "pmg/vit-toy_generated_smoke.py"
RECIPE = str(ROOT / "configs" / NAME)
# What they refuse are exceptions of their own, with an exit status for a run that was stopped.
CATCH_THEIR_OWN = ("extract_features", "generate_images", "prepare_data", "study")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of another architecture, of another size, and one cut short."""
    folder = tmp_path_factory.mktemp("files")
    torch.save(dict(state_dict={"layers.0.weight": torch.ones(1)}), folder / "other.pth")
    torch.save(dict(state_dict=pretrainer().state_dict()), folder / "small.pth")
    (folder / "cut.pth").write_bytes((folder / "small.pth").read_bytes()[:9000])
    torch.save({"backbone.conv1.weight": torch.ones(1)}, folder / "resnet.pth")
    (folder / "file").touch()
    return folder


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.stem)
def test_every_tool_ends_through_the_same_door(tool: Path) -> None:
    names = {
        node.id for node in ast.walk(ast.parse(tool.read_text())) if isinstance(node, ast.Name)
    }
    caught = tool.stem in CATCH_THEIR_OWN and any(name.endswith("Error") for name in names)
    assert run_command.__name__ in names or caught


def compare(recipe: str, checkpoint: str, *more: str) -> tuple[str, ...]:
    return ("compare_reconstructions", "--model", "a", recipe, checkpoint, *more)


MISSPELT = ("--cfg-options", "model.backbone.dephts=2")
DEPTH = r"model\.backbone\.dephts in the recipe: .* \(did you mean 'depth'\?\)"
IS_A_FILE = r"file is a file, and a folder is wanted"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("export_encoder", "{}/none.pth", "{}/out.pth"), r"no checkpoint at .*none\.pth"),
        (("export_encoder", "{}/cut.pth", "{}/out.pth"), r"cut\.pth .* is no complete checkpoint"),
        (("export_encoder", "{}/other.pth", "{}/out.pth"), r"other\.pth: no key starts with"),
        (("export_encoder", "{}/resnet.pth", "{}/out.pth"), r"resnet\.pth has no patch_embed"),
        (("export_encoder", "{}/small.pth", "{}/out.txt"), r"out\.txt ends in '\.txt'; weights"),
        (("export_encoder", "{}/small.pth", "{}/file/x/out.pth"), IS_A_FILE),
        (("visualize", "no.py"), r"no recipe at no\.py; ours are named"),
        (("visualize", RECIPE, "--cfg-options", "models.x=2"), r"models\.x: no 'models' .*'model'"),
        (("visualize", RECIPE, "--mask", *MISSPELT), DEPTH),
        (("visualize", RECIPE, "--checkpoint", "{}/none.pth"), r"no checkpoint at .*none\.pth"),
        (("visualize", RECIPE, "--out", "{}/file/x"), IS_A_FILE),
        (compare("no.py", "{}/small.pth"), r"no recipe at no\.py; ours are named"),
        (compare(f"mmpmg::{NAME}", "{}/none.pth"), r"no file at .*none\.pth"),
        (compare(RECIPE, "{}/cut.pth"), r"cut\.pth .* is no complete checkpoint"),
        (compare(RECIPE, "{}/other.pth"), r"other\.pth has no weight of this model"),
        (compare(RECIPE, "{}/small.pth"), r"small\.pth does not fit .* in 62 of 62"),
        (compare(RECIPE, "{}/small.pth", *MISSPELT), DEPTH),
        (compare(RECIPE, "{}/small.pth", "--out", "{}/file/x.png"), IS_A_FILE),
        (("compare_classes", *2 * ("--run", "a", "{}/none.pkl")), "must be all different"),
        (("compare_classes", "--run", "a", "{}/none.pkl", "--run", "b", "x"), "no predictions at"),
        (("report", "{}", "--out", "{}/file/x.html"), IS_A_FILE),
        (("report", "{}", "--classes", "{}/none.txt"), r"no class names at .*none\.txt"),
        (("plot_accuracy", "{}", "--axis", "epochs", "--value", "x"), "--value"),
        (("publish_checkpoint", "{}/none.pth", "--out", "{}/out"), r"no file or folder .*none\.pt"),
        (("publish_checkpoint", "{}/small.pth", "--out", "{}/file"), IS_A_FILE),
        (("convert_checkpoint", "{}/cut.pth", "{}/out.pth"), r"cut\.pth .* is no complete"),
        (("demo", "--out", "{}/file/demo"), IS_A_FILE),
        (("model_zoo", "--root", "{}"), r"zoo/records\.yml is not below"),
    ],
    ids=lambda value: "-".join(map(str, value[:1])) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_mistake_is_told_in_a_line(
    files: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], told: str
) -> None:
    before = sorted(files.iterdir())
    monkeypatch.chdir(files)
    tool, *rest = (text.replace("{}", str(files)) for text in arguments)
    monkeypatch.setattr(sys, "argv", [f"{tool}.py", *rest])
    with pytest.raises(SystemExit, match=rf"^error: [^\n]*{told}[^\n]*$"):
        runpy.run_path(str(ROOT / f"tools/{tool}.py"), run_name="__main__")
    assert sorted(files.iterdir()) == before
