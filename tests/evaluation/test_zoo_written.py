"""What ``tools/model_zoo.py`` writes, and that published weights come back through it."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import torch
from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.config import utils as config_utils
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from zoo_checkout import END, PLACE, change, entry, problems, publish

from mmpmg.engine.publishing import PublishOptions
from mmpmg.engine.publishing import publish as publish_checkpoint
from mmpmg.evaluation.zoo.check import write_zoo, zoo_problems
from mmpmg.evaluation.zoo.methods import METHODS


def test_nothing_is_wrong_with_the_small_one(zoo):
    assert zoo_problems(zoo) == []
    assert write_zoo(zoo) == []


def test_what_is_written_says_what_is_known(zoo):
    model = entry(zoo, "pmg", "pmg_vit-b_shaders1k")
    assert model["Config"] == "configs/pmg/vit-b_shaders1k.py"
    about = model["Metadata"]
    assert about["Training Data"] == "Shaders1k"
    assert (about["Training Resources"], about["Epochs"], about["Batch Size"]) == (
        "8 GPUs",
        2000,
        256,
    )
    assert about["Training Memory"] == "6456 MB (32 clips)"
    of_ucf101 = next(item for item in model["Results"] if item["Dataset"] == "UCF101")
    assert of_ucf101["Ours"] == "not run yet"
    assert list(of_ucf101["Metrics"]) == ["Paper Top 1 Accuracy"]  # MIM compares numbers
    ours = entry(zoo, "pmg", "pmg_vit-toy_generated")["Results"][0]
    assert (ours["Metrics"], ours["Ours"]) == ({"Top 1 Accuracy": 17.5}, "README.md")
    page = (zoo / "docs/zoo.md").read_text()
    assert "[EgoGestAR 17.5](../README.md)" in page
    assert "UCF101 89.6; HMDB51 59.7" in page
    short = (zoo / "README.md").read_text()
    assert "| `pmg/vit-b_shaders1k` | 86.2 | 110 | UCF101 89.6" in short
    assert short.startswith("# Short\n")
    assert short.endswith(f"{END}\nbehind\n")
    assert "smoke" not in page


def test_only_columns_with_a_value_are_drawn(zoo):
    """One recipe has a figure of memory, two have numbers of ours; none has speed or weights."""
    page, short = ((zoo / place).read_text() for place in ("docs/zoo.md", "README.md"))
    of_pmg, of_finetune = (
        page.partition(f"### {title}\n")[2].partition("\n###")[0]
        for title in (METHODS["pmg"].title, METHODS["finetune"].title)
    )
    assert "\n| recipe | parameters, M | GFLOPs | memory | paper | ours |\n" in of_pmg
    assert "| 6456 MB (32 clips) | UCF101 89.6" in of_pmg
    assert "no value yet" not in of_pmg
    head = of_finetune.partition("\n| recipe ")[2].partition("\n")[0]
    assert "memory" not in head
    assert "; no value yet: memory (not run yet)" in of_finetune
    assert "\n| recipe | encoder, M parameters | [GFLOPs](docs/zoo.md) | paper |\n" in short
    assert "No recipe here has a value yet: ours (not run yet), file (none yet).\n" in short


def test_published_weights_come_into_the_entry_and_the_table(zoo):
    page = (zoo / "docs/zoo.md").read_text()
    assert "\n**No weights are published yet.**\n" in page
    assert "a value yet: speed (not run yet), file (none yet), sha256, log.\n" in page
    where = publish(zoo)
    assert all("is stale" in line for line in problems(zoo))
    write_zoo(zoo, ())
    assert problems(zoo) == []
    page = (zoo / "docs/zoo.md").read_text()
    assert "No weights" not in page
    assert "a value yet: speed (not run yet), log.\n" in page
    model = entry(zoo, "finetune", "finetune_vit-toy_gestures")
    assert (model["Weights"], model["Pre-training"]) == (where, PLACE)
    assert model["SHA256"] == hashlib.sha256((zoo / where).read_bytes()).hexdigest()
    assert model["Results"][0]["Metrics"] == {"Top 1 Accuracy": 17.5}
    assert (
        f"[{Path(where).name}](../{where}) | `{model['SHA256']}`"
        in (zoo / "docs/zoo.md").read_text()
    )


def test_what_is_published_comes_back_through_the_metafile(zoo):
    """Trained, published, recorded, and loaded as ``get_model(pretrained=True)`` does."""
    recipe = zoo / "configs/finetune/vit-toy_gestures.py"
    config = Config.fromfile(recipe, import_custom_modules=False)
    init_default_scope("mmaction")
    torch.manual_seed(0)
    trained = MODELS.build(config.model)
    meta = dict(cfg=config.pretty_text, epoch=20, iter=180)
    torch.save(dict(meta=meta, state_dict=trained.state_dict(), optimizer={}), zoo / "epoch_20.pth")
    out = publish_checkpoint(PublishOptions(str(zoo / "epoch_20.pth"), str(zoo / "zoo/files")))
    files = "".join(
        f"\n  - {{Where: {path.relative_to(zoo)}, SHA256: '{digest}'}}"
        for path, _, digest in out.files
    )
    record = f"Published:\n- Recipe: finetune/vit-toy_gestures\n  Files:{files}\n"
    change(zoo / "zoo/records.yml", "Published: []", record)
    write_zoo(zoo, ())
    assert problems(zoo) == []
    model = entry(zoo, "finetune", "finetune_vit-toy_gestures")
    assert [item["Where"][-12:] for item in model["Other Files"]] == [".safetensors"]
    torch.manual_seed(1)
    fresh = MODELS.build(config.model)
    load_checkpoint(fresh, str(zoo / model["Weights"]), strict=True)
    expected = trained.state_dict()
    assert all(torch.equal(value, expected[key]) for key, value in fresh.state_dict().items())


def test_mmengine_finds_recipes_and_their_weights(zoo):
    """What ``mmengine.hub`` looks up, on the files as a wheel has them."""
    where = publish(zoo)
    write_zoo(zoo, ())
    package = zoo.parent / "package"
    package.mkdir()
    shutil.copytree(zoo / "configs", package / ".mim/configs")
    shutil.copy(zoo / "model-index.yml", package / ".mim/model-index.yml")
    found = config_utils._get_cfg_metainfo(str(package), "finetune/vit-toy_gestures.py")
    assert found["Weights"] == where
    plain = config_utils._get_cfg_metainfo(str(package), f"{PLACE}.py")
    assert (package / ".mim" / plain["Config"]).is_file()
    assert "Weights" not in plain


def test_the_command_tells_and_fails_and_mends(zoo, tool, capsys):
    assert tool("--check", "--count", "--root", zoo) == 0
    (zoo / "configs/finetune/vit-b_ucf101.py").unlink()
    capsys.readouterr()
    assert tool("--check", "--count", "--root", zoo) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert "which does not exist" in line
    assert tool("--count", "--root", zoo) == 0
    written = capsys.readouterr().out
    assert "written: configs/finetune/metafile.yml" in written
    assert not [name for name in os.listdir(zoo / "configs/finetune") if name.endswith(".part")]
    assert tool("--check", "--count", "--root", zoo) == 0


def test_only_what_is_built_is_counted(zoo):
    told = []
    assert zoo_problems(zoo, [PLACE], told.append) == []
    (line,) = told
    assert line.startswith("counting 1 of 1, ")
    assert line.endswith(PLACE)
