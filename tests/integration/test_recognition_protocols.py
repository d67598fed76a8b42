"""Recipes of recognition on real videos: linear probing, uniform sampling, wrong class counts."""

from __future__ import annotations

import math

import pytest
import torch
from integration.tiny_runs import SHORT, TINY_BACKBONE, options_of
from mmaction.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope

from mmpmg.engine.launch import load_recipe
from mmpmg.engine.training import train
from mmpmg.models.conversion import recognizer_state


@HOOKS.register_module()
class Witness(Hook):
    """Keeps the weights before and after training, and the losses."""

    def before_train(self, runner):
        type(self).losses = []
        type(self).first = {k: v.clone() for k, v in runner.model.state_dict().items()}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        type(self).clips = data_batch["inputs"]
        type(self).losses.append(outputs["loss"].item())
        type(self).gradients = {k: p.grad for k, p in runner.model.named_parameters()}

    def after_train(self, runner):
        type(self).last = {k: v.clone() for k, v in runner.model.state_dict().items()}
        type(self).model = runner.model


def changes(videos, classes=2, **more):
    """A recipe of recognition made tiny, on eight videos of two classes."""
    given = {
        **TINY_BACKBONE,
        **SHORT,
        "model.cls_head.in_channels": 24,
        "model.cls_head.num_classes": classes,
        "train_cfg.max_epochs": 3,
        "train_cfg.val_interval": 3,
        "train_dataloader.pin_memory": False,
        "train_dataloader.dataset.pipeline.short_side.scale": (-1, 40),
        "train_dataloader.dataset.pipeline.resize.scale": (32, 32),
    }
    for part in ("train", "val", "test"):
        loader = f"{part}_dataloader"
        given |= {
            f"{loader}.dataset.ann_file": str(videos),
            f"{loader}.dataset.data_prefix.video": str(videos.parent),
            f"{loader}.dataset.pipeline.frames.clip_len": 4,
            f"{loader}.num_workers": 0,
            f"{loader}.persistent_workers": False,
        }
        if part != "train":
            given[f"{loader}.dataset.pipeline.short_side.scale"] = (-1, 32)
            given[f"{loader}.dataset.pipeline.crop.crop_size"] = 32
    return {**given, **more}


def encoder(videos, file):
    """An encoder.pth of random weights, norms and biases included, from no training at all."""
    init_default_scope("mmaction")
    backbone = {key.rpartition(".")[2]: value for key, value in TINY_BACKBONE.items()}
    torch.manual_seed(5)
    model = MODELS.build(dict(type="MaskedVisionTransformer", use_mean_pooling=False, **backbone))
    model.init_weights()
    state = {f"backbone.{k}": v + 0.05 * torch.randn_like(v) for k, v in model.state_dict().items()}
    state["backbone.pos_embed"] = model.pos_embed
    torch.save(dict(state_dict=recognizer_state(state)), file)
    return file


def test_linear_probing_moves_the_linear_layer_and_nothing_else(videos, tmp_path):
    file = encoder(videos, tmp_path / "encoder.pth")
    options = changes(videos, load_from=str(file))
    options["custom_hooks"] = [
        dict(type="ClassCountHook"), dict(type="FeatureStatisticsHook"), dict(type="Witness")
    ]  # fmt: skip
    options["optim_wrapper.optimizer.weight_decay"] = 0.1  # would move what has a zero gradient
    train(options_of("linear_probe/vit-b_ucf101.py", tmp_path / "run", options))
    assert len(Witness.losses) == 6 and all(map(math.isfinite, Witness.losses))
    moved = {
        key for key, value in Witness.last.items() if not torch.equal(value, Witness.first[key])
    }
    assert moved == {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}
    assert Witness.model.cls_head.measured
    kept = torch.load(file, weights_only=True)["state_dict"]
    assert {key for key in Witness.last if key.startswith("backbone.")} == set(kept)
    for key, value in kept.items():
        assert torch.equal(Witness.last[key], value), key
    assert not any(p.requires_grad for p in Witness.model.backbone.parameters())
    assert not any(module.training for module in Witness.model.backbone.modules())
    assert {key for key, grad in Witness.gradients.items() if grad is not None} <= moved


def test_uniform_sampling_goes_through_repeated_augmentation(videos, tmp_path):
    """MiniSSv2's recipe: 4 videos a step are 8 clips, which differ."""
    options = changes(videos)
    options |= {
        "model.data_preprocessor.blending.num_classes": 2,
        "custom_hooks": [dict(type="Witness")],
    }
    train(options_of("finetune/vit-b_ssv2-mini.py", tmp_path / "run", options))
    assert Witness.losses[0] == pytest.approx(math.log(2), rel=0.01)
    assert len(Witness.clips) == 8
    assert all(clip.shape == (1, 3, 4, 32, 32) for clip in Witness.clips)
    pairs = zip(Witness.clips[::2], Witness.clips[1::2])
    assert not any(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"classes": 1, "model.data_preprocessor.blending.num_classes": 1},
            ["label 1", "model.cls_head.num_classes=1", "num_classes=2"],
        ),
        (
            {"model.data_preprocessor.blending.num_classes": 101},
            ["blending.num_classes=101", "model.cls_head.num_classes=2"],
        ),
        (
            {"classes": 101, "model.data_preprocessor.blending.num_classes": 101},
            ["no video of 99 of the 101 classes", "num_classes=2"],
        ),
    ],
)
def test_a_wrong_class_count_stops_before_the_first_step(given, words, videos, tmp_path):
    options = changes(videos, **given)
    Witness.losses = []
    options["custom_hooks"] = [dict(type="ClassCountHook"), dict(type="Witness")]
    with pytest.raises(ValueError, match=r"num_classes") as error:
        train(options_of("finetune/vit-b_ucf101.py", tmp_path / "run", options))
    assert all(word in str(error.value) for word in words), error.value
    assert Witness.losses == []


def test_every_recipe_of_recognition_brings_the_check(tmp_path):
    for name in (
        "finetune/vit-b_hmdb51",
        "linear_probe/vit-b_diving48",
        "finetune/vit-toy_gestures",
    ):
        recipe: Config = load_recipe(options_of(f"{name}.py", tmp_path, None))
        assert recipe.custom_hooks[0].type == "ClassCountHook"
