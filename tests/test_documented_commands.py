"""What the pages tell to type works: every command is resolved, the snippets run as they stand.

Resolved: bash expands the blocks of a page among stand-ins for programs (`page_commands`), and each
call that comes out is read by the parser of the tool that it names. The recipe must be there, its
changes are applied as the tool applies them, and a model that is to be trained is built of them.
What is also run, on small inputs, and where, is the table of CONTRIBUTING.md ("Pages").
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
from argparse import ArgumentParser, Namespace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from mmaction.registry import DATASETS, MODELS, TRANSFORMS
from mmengine.registry import init_default_scope
from PIL import Image
from reference.example_modules import EXAMPLES, FOLDER, forgotten
from reference.page_commands import Call, blocks, calls, clone, inline_commands

from mmpmg.engine.deferred_check import check_deferred
from mmpmg.engine.launch import add_shared_options, load_recipe
from mmpmg.engine.recipe_changes import mistyped_keys_named

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
#: What a page puts in a recipe's place where it does not matter which.
ANY_RECIPE = re.compile(r"[A-Z_]*RECIPE|my_\w+\.py")
MODULES = ("torch.distributed.run", "mmpmg.doctor", "build", "pip", "venv")


@cache
def tool(name: str) -> ModuleType:
    """Load a tool without running it."""
    spec = importlib.util.spec_from_file_location(f"documented_{name}", ROOT / f"tools/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def parse(name: str, words: tuple[str, ...], whole: bool, monkeypatch) -> dict[str, Any]:
    """Read a command line as the tool does; a part of one may lack what is required."""
    monkeypatch.setattr(sys, "argv", [f"tools/{name}.py", *words])
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            options = tool(name).parse_options()
    except SystemExit:
        message = said.getvalue()
        assert not whole and "arguments are required" in message, f"{name} {words}: {message}"
        return {}
    return options if isinstance(options, dict) else vars(options)


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


def check_recipe(options: dict[str, Any], build: bool) -> None:
    """The recipe is there and takes its changes; a model that is trained can be built of them."""
    recipe = options["config"]
    if ANY_RECIPE.fullmatch(recipe):
        return
    shared = dict(work_dir=None, launcher="none", local_rank=0)  # not every tool has these
    shared |= {key: options[key] for key in ("config", "cfg_options", *shared) if key in options}
    config = load_recipe(Namespace(**shared))
    if build and options["cfg_options"] and "configs" in Path(recipe).parts:
        check_deferred(config)
        init_default_scope("mmaction")
        shrink(config.model)
        with mistyped_keys_named(config):
            MODELS.build(config.model)


def resolve(call: Call, whole: bool, monkeypatch) -> None:
    """Find what a call names: a tool and its options, a target of make, a module, an extra."""
    words = call.words
    if call.program in ("python", "srun"):
        scripts = [i for i, word in enumerate(words) if re.fullmatch(r".*tools/\w+\.py", word)]
        if scripts:  # a shell script of ours called it
            name = Path(words[scripts[0]]).stem
            return resolve(Call(f"{name}.py", call.folder, words[scripts[0] + 1 :]), whole,
                           monkeypatch)  # fmt: skip
        assert call.program == "python", words
        if words[0] == "-m":
            assert words[1] in MODULES, f"python -m {words[1]}: unknown; add it where it is known"
            assert importlib.util.find_spec(words[1])
        return None
    if call.program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
        wanted = {word for word in words if "=" not in word}
        assert wanted <= set(targets), words
    elif call.program == "pip":
        extras = re.findall(r"(?:mmpmg|\.)\[([\w,-]+)\]", " ".join(words))
        for extra in ",".join(extras).split(",") if extras else ():
            assert f'"{extra}": [' in (ROOT / "setup.py").read_text(), f"no extra {extra}"
    elif call.program == "mmpmg":
        verb, *rest = words
        if not verb.isupper() and not verb.startswith("-"):
            if (ROOT / f"tools/{verb}.sh").exists():
                return None
            return resolve(Call(f"{verb}.py", call.folder, tuple(rest)), whole, monkeypatch)
    elif call.program == "mim":
        assert words[:2] in (("train", "mmpmg"), ("test", "mmpmg")), words
        assert ANY_RECIPE.fullmatch(words[2]) or (ROOT / "configs" / words[2]).is_file()
    elif call.program.endswith(".py"):
        options = parse(call.program.removesuffix(".py"), words, whole, monkeypatch)
        if "config" in options:
            check_recipe(options, build=call.program == "train.py")
    return None


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_of_a_page_is_one_that_works(page, tmp_path, monkeypatch):
    folder = clone(tmp_path / "clone")
    for path in EXAMPLES:
        monkeypatch.syspath_prepend(str(FOLDER / path))
    with forgotten():
        for texts, whole in ((blocks(page, "bash"), True), (inline_commands(page), False)):
            for text in texts:
                for call in calls(text, folder):
                    monkeypatch.chdir(folder / call.folder)
                    resolve(call, whole, monkeypatch)


def test_blocks_and_loops_are_found(tmp_path):
    folder = clone(tmp_path / "clone")
    found = [call for text in blocks(ROOT / "docs/small_runs.md", "bash")
             for call in calls(text, folder)]  # fmt: skip
    assert len(found) > 40  # two data sets, five protocols, two starts, to train and to test
    (first, *_) = calls("NNODES=2 tools/dist_train.sh configs/a.py 8 --resume", folder)
    assert first.program == "python"
    assert first.words[-5:] == ("tools/train.py", "configs/a.py", "--launcher", "pytorch",
                                "--resume")  # fmt: skip
    assert "--nnodes=2" in first.words
    with pytest.raises(AssertionError, match="wget"):
        calls("wget https://example.org", folder)


@pytest.mark.parametrize(
    "command",
    ["tools/train.py configs/pmg/none.py", "tools/train.py --resum configs/pmg/vit-b_pass.py",
     "make dmeo", 'pip install ".[lite,vidoe]"', "mmpmg tarin x.py", "python -m mmpmg.docter",
     "tools/train.py configs/pmg/vit-b_pass.py --cfg-options model.masker.mask_rato=0.5"],
)  # fmt: skip
def test_a_wrong_command_is_found(command, tmp_path, monkeypatch):
    folder = clone(tmp_path / "clone")
    (call,) = calls(command, folder)
    monkeypatch.chdir(folder)
    with pytest.raises((AssertionError, FileNotFoundError, TypeError, ValueError)):
        resolve(call, True, monkeypatch)


def recipes() -> list[tuple[str, str]]:
    """The recipes that pages show in full, over ours."""
    return [
        (name, text)
        for page, name in zip(PAGES, NAMES, strict=True)
        for text in blocks(page, "python")
        if re.search(r'^_base_ = "(configs/|mmpmg::)', text, re.M)
    ]


@pytest.mark.parametrize(("page", "text"), recipes(), ids=lambda value: value.split("\n")[0][:40])
def test_a_recipe_of_a_page_is_one_that_works(page, text, tmp_path, monkeypatch):
    folder = clone(tmp_path / "clone")
    monkeypatch.chdir(folder)
    Path("my_recipe.py").write_text(text)
    parser = ArgumentParser()
    add_shared_options(parser)
    config = load_recipe(parser.parse_args(["my_recipe.py"]))
    init_default_scope("mmaction")
    shrink(config.model)
    with mistyped_keys_named(config):
        MODELS.build(config.model)
        motion = config.train_dataloader.dataset.pipeline.get("motion")
        if motion:
            TRANSFORMS.build({**motion, "deferred": False} if "deferred" in motion else motion)
    known = DATASETS.get(config.train_dataloader.dataset.type)
    assert known is not None


def test_there_are_recipes():
    assert len(recipes()) >= 8


@pytest.mark.parametrize("page", ["README.md", "docs/motion.md"])
def test_the_snippet_about_motion_runs_as_it_stands(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    for name in ("photo", "another", "a_third"):
        Image.fromarray(noise).save(f"{name}.jpg")
    (snippet,) = [
        text for text in blocks(ROOT / page, "python") if "from mmpmg.motion import" in text
    ]
    names: dict = {}
    exec(compile(snippet, page, "exec"), names)
    assert names["clip"].shape == (16, 224, 224, 3)
    assert names["flow"].shape == (15, 224, 224, 2)


def test_the_snippet_that_lists_videos_parts_them(tmp_path):
    videos = tmp_path / "mine/videos"
    for name in ("wave", "clap"):
        (videos / name).mkdir(parents=True)
        for number in range(5):
            (videos / name / f"{number} a.mp4").touch()
    (snippet,) = [
        text for text in blocks(ROOT / "docs/guides/fine_tune.md", "python") if "iterdir" in text
    ]
    exec(compile(snippet.replace("/data", str(tmp_path)), "fine_tune.md", "exec"), {})
    train, val = ((tmp_path / f"mine/{name}.txt").read_text().splitlines() for name in
                  ("train", "val"))  # fmt: skip
    assert val == ["clap/0 a.mp4 0", "wave/0 a.mp4 1"]
    assert len(train) == 8
    assert not set(train) & set(val)
