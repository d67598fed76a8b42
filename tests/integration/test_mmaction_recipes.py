"""Recipes that the mmaction2 wheel ships, with PMG mixed in by three lines, on small videos."""

from __future__ import annotations

import argparse
import json
import math
import re
import shlex
from pathlib import Path

import pytest
from integration.tiny_runs import ROOT, options_of
from mmaction.registry import HOOKS
from mmengine.config import Config
from mmengine.hooks import Hook

from mmpmg.datasets.transforms import PMGAug
from mmpmg.engine.launch import add_shared_options, load_recipe
from mmpmg.engine.training import train

SWIN = (
    "recognition/swin/swin-tiny-p244-w877_in1k-pre_8xb8-amp-32x2x1-30e_kinetics400-rgb.py",
    {
        "model.backbone.pretrained": None,
        "model.backbone.pretrained2d": False,
        "model.backbone.arch": dict(
            _delete_=True, embed_dims=12, depths=[1] * 4, num_heads=[1] * 4
        ),
        "model.cls_head.in_channels": 96,
    },
)
SLOWONLY = (
    "recognition/slowonly/slowonly_r50_8xb16-4x16x1-256e_kinetics400-rgb.py",
    {
        "model.backbone.depth": 18,
        "model.backbone.base_channels": 4,
        "model.cls_head.in_channels": 32,
    },
)
VIDEOMAE = (
    "recognition/videomae/vit-base-p16_videomae-k400-pre_16x4x1_kinetics-400.py",
    {
        "model.backbone.img_size": 32,
        "model.backbone.num_frames": 4,
        "model.backbone.embed_dims": 24,
        "model.backbone.depth": 1,
        "model.backbone.num_heads": 3,
        "model.cls_head.in_channels": 24,
    },
)
PAGE = (ROOT / "docs/mixing_in.md").read_text()
#: MMAction2 ships VideoMAE for testing only; this is what the page adds to train it, as a list.
VIDEOMAE_TRAINING = re.search(r"trains this block.*?```python\n_base_.*?\n(.*?)```", PAGE, re.S)[1]


def documented_lines() -> list[str]:
    """The three lines of docs/mixing_in.md."""
    text = (ROOT / "docs/mixing_in.md").read_text()
    block = re.search(r"test_mmaction_recipes.*?```python\n(.*?)```", text, re.S)
    return block[1].strip().splitlines()


def mixed(name: str, folder: Path, training: str = "") -> Path:
    """Write a user's recipe: the documented lines over a recipe of the wheel."""
    base = f"mmaction::{name}"
    if training:
        (folder / "trained.py").write_text(f"_base_ = {base!r}\n{training}")
        base = "trained.py"
    first, *rest = documented_lines()
    recipe = folder / "mixed.py"
    recipe.write_text("\n".join([re.sub(r'"mmaction::.*"', repr(base), first), *rest]))
    return recipe


def on_small_videos(videos: Path) -> dict:
    inner = "train_dataloader.dataset.dataset"
    return {
        "model.cls_head.num_classes": 2,
        f"{inner}.ann_file": str(videos),
        f"{inner}.data_prefix.video": str(videos.parent),
        f"{inner}.pipeline.1.clip_len": 4,
        f"{inner}.pipeline.1.frame_interval": 2,
        f"{inner}.pipeline.3.scale": (-1, 40),
        f"{inner}.pipeline.5.scale": (32, 32),
        "train_dataloader.batch_size": 4,
        "train_dataloader.num_workers": 1,
        "train_cfg.max_epochs": 2,
        "optim_wrapper.type": "OptimWrapper",  # MMEngine's AmpOptimWrapper refuses a CPU
        "default_hooks.logger.interval": 1,
        "default_hooks.checkpoint.save_best": None,
    }


@HOOKS.register_module()
class NoteTransforms(Hook):
    """Notes the steps of the pipeline that is trained on, and how many weights moved."""

    def before_train(self, runner):
        type(self).steps = runner.train_dataloader.dataset.pipeline.transforms
        self.before = {key: value.clone() for key, value in runner.model.named_parameters()}

    def after_train(self, runner):
        now = dict(runner.model.named_parameters())
        type(self).still = [key for key, value in self.before.items() if value.equal(now[key])]


def test_three_lines_are_three_lines():
    assert len(documented_lines()) == 3


@pytest.mark.parametrize(
    ("recipe", "training"),
    [(SWIN, ""), (SLOWONLY, ""), (VIDEOMAE, VIDEOMAE_TRAINING)],
    ids=["swin", "slowonly", "videomae"],
)
def test_a_recipe_of_the_wheel_trains_with_pmg_mixed_in(recipe, training, videos, tmp_path):
    name, tiny = recipe
    path = mixed(name, tmp_path, training)
    options = options_of(path, tmp_path / "run", {**on_small_videos(videos), **tiny})
    options.cfg_options["custom_hooks"] = [dict(type="NoteTransforms")]
    options.cfg_options["experiment_name"] = f"mixed-{Path(name).stem}"
    options.no_validate = True
    train(options)
    kinds = [type(step).__name__ for step in NoteTransforms.steps]
    assert kinds[-3:] == ["PMGAug", "FormatShape", "PackActionInputs"]
    (aug,) = [step for step in NoteTransforms.steps if isinstance(step, PMGAug)]
    assert aug.prob == 0.3
    # VideoMAE's q_bias etc. all learn; a weight that stands still would be a part left out.
    assert not NoteTransforms.still
    (log,) = (tmp_path / "run").glob("*/vis_data/scalars.json")
    losses = [json.loads(line)["loss"] for line in log.read_text().splitlines()]
    assert len(losses) == 4 and all(map(math.isfinite, losses))


def test_only_the_training_set_differs_from_the_recipe_of_the_wheel(tmp_path):
    plain = tmp_path / "plain.py"
    plain.write_text(f'_base_ = "mmaction::{SWIN[0]}"')
    before = Config.fromfile(plain).to_dict()
    after = Config.fromfile(mixed(SWIN[0], tmp_path)).to_dict()
    inner = after["train_dataloader"]["dataset"]
    assert (inner.pop("type"), inner.pop("prob")) == ("WithPMGAug", 0.3)
    after["train_dataloader"]["dataset"] = inner["dataset"]
    assert after.pop("custom_imports")["imports"] == ["mmpmg"]
    assert after == before


def test_the_command_line_names_a_recipe_of_the_wheel(videos, tmp_path):
    options = options_of("", tmp_path, {})
    name, tiny = SLOWONLY
    options.config = f"mmaction::{name}"
    changes = {key.replace("dataset.dataset", "dataset"): value
               for key, value in on_small_videos(videos).items()}  # fmt: skip
    options.cfg_options = {**changes, **tiny, "train_cfg.max_epochs": 1,
                           "experiment_name": "wheel"}  # fmt: skip
    options.no_validate = True
    train(options)
    assert (tmp_path / "last_checkpoint").is_file()
    assert (tmp_path / f"{Path(name).stem}.py").is_file(), "MMEngine keeps the recipe"


def test_a_recipe_that_the_wheel_lacks_is_named(tmp_path):
    options = options_of("", tmp_path, {})
    options.config = "mmaction::recognition/swin/swin-tiny.py"
    with pytest.raises(FileNotFoundError, match=r"mmaction::recognition/swin/swin-tiny\.py"):
        train(options)


@pytest.mark.parametrize(
    ("lines", "error", "words"),
    [
        (["clip0.mp4 0", "gone.mp4 1"], FileNotFoundError, r"9 of the 18 videos .*gone\.mp4"),
        (["clip0.mp4 0", "clip1.mp4 7"], ValueError, "label 7.*num_classes=2 allows 0 to 1"),
    ],
    ids=["missing", "label"],
)
def test_bad_lists_are_refused_in_recipes_of_the_wheel_too(lines, error, words, videos, tmp_path):
    """MMAction2's VideoDataset looks at neither until a data worker stumbles over it."""
    (tmp_path / "list.txt").write_text("\n".join(lines * 9))
    name, tiny = SLOWONLY
    options = options_of(mixed(name, tmp_path), tmp_path, {**on_small_videos(videos), **tiny})
    options.cfg_options["train_dataloader.dataset.dataset.ann_file"] = str(tmp_path / "list.txt")
    options.cfg_options["experiment_name"] = f"bad-{error.__name__}"
    options.no_validate = True
    with pytest.raises(error, match=words):
        train(options)


COMMANDS = re.findall(
    r"^tools/train\.py my_(\w+)\.py (.*)", PAGE.replace("\\\n", " "), re.MULTILINE
)


@pytest.mark.parametrize(("name", "words"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_the_documented_commands_reach_the_lists_and_download_nothing(name, words, tmp_path):
    recipe, training = dict(
        swin=(SWIN, ""), slowonly=(SLOWONLY, ""), videomae=(VIDEOMAE, VIDEOMAE_TRAINING)
    )[name]
    parser = argparse.ArgumentParser()
    add_shared_options(parser)
    parser.add_argument("--no-validate", action="store_true")
    path = str(mixed(recipe[0], tmp_path, training))
    options = parser.parse_args([path, *shlex.split(words, comments=True)])
    config = load_recipe(options)
    inner = config.train_dataloader.dataset.dataset
    assert inner.type == "VideoDataset" and set(config.train_dataloader.dataset) == {
        "type", "prob", "dataset"
    }  # fmt: skip
    assert inner.ann_file.startswith("data/hmdb51/hmdb51_train")
    if not options.no_validate:
        assert config.val_dataloader.dataset.ann_file.startswith("data/hmdb51/hmdb51_val")
    assert config.model.cls_head.num_classes == 51
    assert config.model.backbone.get("pretrained") is None
    assert len(COMMANDS) == 3


def test_a_recipe_for_testing_only_is_called_that(tmp_path):
    options = options_of(mixed(VIDEOMAE[0], tmp_path), tmp_path / "run", {})
    with pytest.raises(ValueError, match="takes train_dataloader from a recipe that has none"):
        load_recipe(options)
    options.config = f"mmaction::{VIDEOMAE[0]}"
    with pytest.raises(ValueError, match=r"has no train_dataloader.*docs/mixing_in\.md"):
        train(options)


def test_a_list_that_is_missing_is_named_with_its_key_before_anything_is_built(tmp_path):
    options = options_of(mixed(SLOWONLY[0], tmp_path), tmp_path / "run", {})
    with pytest.raises(FileNotFoundError, match="kinetics400_train_list_videos.txt") as error:
        train(options)
    assert "train_dataloader.dataset.dataset.ann_file=" in str(error.value)
    assert "tools/prepare_data.py" in str(error.value)
    assert not (tmp_path / "run").exists()
