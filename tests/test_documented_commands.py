"""What the pages tell to type works: the keys of every command, the snippets as they stand."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope
from PIL import Image

from mmpmg.engine.deferred_check import check_deferred
from mmpmg.engine.launch import add_shared_options, load_recipe
from mmpmg.engine.recipe_changes import mistyped_keys_named

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "docs/switches.md",
    "docs/mixing_in.md",
    "docs/motion.md",
    "docs/motionmae.md",
    "docs/demvm.md",
)


def commands() -> list[str]:
    """Each command that trains a recipe of ours with changes, its continued lines joined."""
    found = []
    for page in PAGES:
        text = (ROOT / page).read_text().replace("\\\n", " ")
        found += re.findall(r"^tools/(?:dist_)?train\S* configs/.*--cfg-options .*", text, re.M)
    return found


def shrink(model) -> None:
    """Make a model that is built in no time, of files that need not be there."""
    if "backbone" not in model:  # a tokenizer
        return
    if "Swin" not in model.backbone.type:
        model.backbone.depth = 1
        return
    model.backbone.arch = dict(embed_dims=12, depths=(1, 1, 1, 1), num_heads=(1, 1, 1, 1))
    for branch in (model.get("branches") or {}).values():
        if branch.head.target.type == "CodebookTarget":
            branch.head.target.update(checkpoint=None, random=True)


@pytest.mark.parametrize("command", commands())
def test_every_change_in_a_documented_command_is_taken(command, monkeypatch):
    monkeypatch.chdir(ROOT)
    parser = argparse.ArgumentParser()
    add_shared_options(parser)
    words = shlex.split(command, comments=True)[1:]
    if words[1].isdigit():
        del words[1]  # processes
    config = load_recipe(parser.parse_args(words))
    check_deferred(config)
    init_default_scope("mmaction")
    shrink(config.model)
    with mistyped_keys_named(config):
        MODELS.build(config.model)


def test_there_are_commands():
    assert len(commands()) >= 8


@pytest.mark.parametrize("page", ["README.md", "docs/motion.md"])
def test_the_snippet_about_motion_runs_as_it_stands(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    for name in ("photo", "another", "a_third"):
        Image.fromarray(noise).save(f"{name}.jpg")
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)
    (snippet,) = [block for block in blocks if "from mmpmg.motion import" in block]
    names: dict = {}
    exec(compile(snippet, page, "exec"), names)
    assert names["clip"].shape == (16, 224, 224, 3)
    assert names["flow"].shape == (15, 224, 224, 2)
