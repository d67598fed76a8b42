"""Images -> pre-training -> encoder file -> recognizer -> predictions, all parts real."""

from __future__ import annotations

import contextlib
import io
import pickle
import re

import pytest
import torch
from integration.forked_tools import fork_tool
from integration.tiny_runs import finetuning, options_of, pretraining, run_tool
from mmaction.registry import HOOKS, MODELS
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint

from mmpmg.engine.launch import build_runner, load_recipe
from mmpmg.engine.training import train

CLASSIFIER = {"cls_head.fc_cls.weight", "cls_head.fc_cls.bias"}


@HOOKS.register_module()
class KeepFirstWeights(Hook):
    """Keeps the weights as they are when training begins, checkpoint loaded, no step taken."""

    kept: dict[str, torch.Tensor] = {}

    def before_train(self, runner):
        state = runner.model.state_dict()
        type(self).kept = {key: value.clone() for key, value in state.items()}


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory, pictures):
    """Return the work_dir of a pre-training by tools/train.py."""
    work_dir = tmp_path_factory.mktemp("pre")
    run = run_tool(
        "train.py", "pmg/vit-toy_photographs.py", "--work-dir", work_dir,
        changes=pretraining(pictures),
    )  # fmt: skip
    assert run.status == 0, run.output[-3000:]
    assert len(run.iterations) == 4
    assert f"load_from={work_dir / 'encoder.pth'}" in run.last_line
    return work_dir


@pytest.fixture(scope="module")
def finetuned(tmp_path_factory, pretrained, videos):
    """Return the work_dir of a fine-tuning from that encoder, its first weights, its output."""
    work_dir = tmp_path_factory.mktemp("fine")
    changes = finetuning(videos, pretrained / "encoder.pth")
    changes["custom_hooks"] = [dict(type="KeepFirstWeights")]
    with contextlib.redirect_stdout(io.StringIO()) as output:
        train(options_of("finetune/vit-toy_gestures.py", work_dir, changes))
    return work_dir, KeepFirstWeights.kept, output.getvalue()


def test_the_encoder_file_holds_the_encoder_and_nothing_else(pretrained):
    encoder = torch.load(pretrained / "encoder.pth", weights_only=True)["state_dict"]
    trained = torch.load(pretrained / "epoch_1.pth", weights_only=False)["state_dict"]
    expected = {key for key in trained if key.startswith("backbone.")}
    expected -= {"backbone.norm.weight", "backbone.norm.bias"}
    assert set(encoder) == expected | {"backbone.fc_norm.weight", "backbone.fc_norm.bias"}
    assert all(torch.equal(encoder[key], trained[key]) for key in expected)


def test_finetuning_begins_with_the_encoder_bit_by_bit(pretrained, finetuned):
    work_dir, first, _ = finetuned
    encoder = torch.load(pretrained / "encoder.pth", weights_only=True)["state_dict"]
    assert set(first) - set(encoder) == CLASSIFIER
    for key, value in encoder.items():
        assert torch.equal(first[key], value), key
    # ... and trains it.
    last = torch.load(work_dir / "epoch_2.pth", weights_only=False)["state_dict"]
    assert not torch.equal(last["backbone.blocks.0.mlp.layers.1.weight"],
                           first["backbone.blocks.0.mlp.layers.1.weight"])  # fmt: skip


def test_finetuning_says_what_did_not_come_from_the_encoder_and_how_good_it_is(finetuned):
    work_dir, _, printed = finetuned
    assert "unexpected key" not in printed
    missing = re.search(r"missing keys in source state_dict: (.*)", printed)
    assert missing is not None and set(missing[1].split(", ")) == CLASSIFIER
    (log,) = work_dir.glob("*/*.log")
    text = log.read_text()
    accuracies = [float(value) for value in re.findall(r"Epoch\(val\).*acc/top1: ([\d.]+)", text)]
    assert len(accuracies) == 2
    assert all(accuracy * 8 == round(accuracy * 8) for accuracy in accuracies), "8 videos"


def test_the_test_tool_dumps_a_prediction_for_every_video(finetuned, videos, tmp_path):
    dump = tmp_path / "predictions.pkl"
    checkpoint = finetuned[0] / "epoch_2.pth"
    run = fork_tool(
        "test.py", "finetune/vit-toy_gestures.py", checkpoint, "--work-dir", tmp_path,
        "--dump", dump, changes=finetuning(videos, "unused"),
    )  # fmt: skip
    assert run.status == 0, run.output[-3000:]
    predictions = pickle.loads(dump.read_bytes())
    labels = [int(line.split()[-1]) for line in videos.read_text().splitlines()]
    assert [int(one["gt_label"]) for one in predictions] == labels
    scores = torch.stack([one["pred_score"] for one in predictions])
    assert torch.allclose(scores.sum(1), torch.ones(8), atol=1e-4)
    right = (scores.argmax(1) == torch.tensor(labels)).float().mean().item()
    printed = float(re.search(r"Epoch\(test\).*acc/top1: ([\d.]+)", run.output)[1])
    assert printed == pytest.approx(right, abs=1e-4)
    # Training's own validation of these weights on the same videos said the same.
    (log,) = finetuned[0].glob("*/*.log")
    last = re.findall(r"Epoch\(val\).*acc/top1: ([\d.]+)", log.read_text())[-1]
    assert float(last) == pytest.approx(printed, abs=1e-4)


def test_mmaction_s_own_transformer_takes_the_same_file(pretrained, videos, tmp_path):
    """Nothing missing or left over but the classifier, and the same features to 1e-5."""
    recipe = load_recipe(
        options_of("finetune/vit-toy_gestures.py", tmp_path, finetuning(videos, "unused"))
    )
    init_default_scope("mmaction")
    ours = MODELS.build(recipe.model)
    theirs = Config(recipe.model.to_dict())
    theirs.backbone = dict(
        type="VisionTransformer", img_size=32, patch_size=8, num_frames=4, tubelet_size=2,
        embed_dims=24, depth=1, num_heads=3, qkv_bias=True, use_mean_pooling=True,
    )  # fmt: skip
    theirs = MODELS.build(theirs)
    assert type(theirs.backbone) is not type(ours.backbone)
    for model in (ours, theirs):
        file = load_checkpoint(model, str(pretrained / "encoder.pth"), map_location="cpu")
        result = model.load_state_dict(file["state_dict"], strict=False)
        assert set(result.missing_keys) == CLASSIFIER and not result.unexpected_keys
        model.eval()
    clips = torch.randn(3, 1, 3, 4, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        features = [model.extract_feat(clips)[0] for model in (ours, theirs)]
    assert features[0].shape == (3, 24) and features[0].std() > 0.1
    torch.testing.assert_close(features[0], features[1], rtol=1e-5, atol=1e-5)


def test_a_recipe_with_mmaction_s_transformer_loads_the_encoder_by_load_from(
    pretrained, videos, tmp_path
):
    """What a user of MMAction2 does: the file under load_from of a recipe of MMAction2's."""
    changes = finetuning(videos, pretrained / "encoder.pth")
    recipe = load_recipe(options_of("finetune/vit-toy_gestures.py", tmp_path, changes))
    recipe.model.backbone = dict(
        type="mmaction.VisionTransformer", img_size=32, patch_size=8, num_frames=4,
        tubelet_size=2, embed_dims=24, depth=1, num_heads=3,
    )  # fmt: skip
    recipe.experiment_name = "load_from"
    runner = build_runner(recipe)
    runner.load_or_resume()
    encoder = torch.load(pretrained / "encoder.pth", weights_only=True)["state_dict"]
    loaded = runner.model.state_dict()
    assert all(torch.equal(loaded[key], value) for key, value in encoder.items())
