"""MMAction2's inference functions on our recipes and checkpoints: the scores of tools/test.py."""

from __future__ import annotations

import re
import shutil
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from integration.tiny_runs import ROOT, TINY_BACKBONE, finetuning, options_of
from mmaction.apis import (
    ActionRecogInferencer,
    MMAction2Inferencer,
    inference_recognizer,
    init_recognizer,
)
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmpmg.datasets.named_pipeline import in_order
from mmpmg.datasets.video_reading import VideoReadError
from mmpmg.engine.feature_extraction import ExtractionOptions, extract_features
from mmpmg.engine.inference import accept_our_recipes, inference_recipe
from mmpmg.engine.launch import load_recipe
from mmpmg.engine.ordered_config import OrderedConfig

PIPELINE = "test_dataloader.dataset.pipeline"


def changes(name, videos):
    """What makes a recipe tiny: a list of steps, steps with names, and a Swin."""
    if "toy" in name:
        return finetuning(videos, None)
    common = {
        "model.cls_head.num_classes": 2,
        "test_dataloader.dataset.ann_file": str(videos),
        "test_dataloader.dataset.data_prefix.video": str(videos.parent),
        f"{PIPELINE}.frames.clip_len": 4,
        f"{PIPELINE}.frames.frame_interval": 2,
        f"{PIPELINE}.frames.num_clips": 2,
        f"{PIPELINE}.short_side.scale": (-1, 32),
        f"{PIPELINE}.crop.crop_size": 32,
    }
    if "swin" in name:
        arch = dict(_delete_=True, embed_dims=12, depths=(1, 1, 1, 1), num_heads=(1, 1, 2, 2))
        return common | {
            "model.backbone.arch": arch,
            "model.backbone.img_size": 32,
            "model.backbone.num_frames": 4,
            "model.backbone.window_size": (2, 4, 4),
            "model.cls_head.in_channels": 96,
        }
    return common | TINY_BACKBONE | {"model.cls_head.in_channels": 24}


@pytest.fixture(
    scope="module",
    params=["finetune/vit-toy_gestures", "finetune/vit-b_ucf101", "finetune/swin-t_ucf101"],
)
def trained(request, videos, tmp_path_factory):
    """Return a recipe file as a run leaves it in its work_dir, and a checkpoint."""
    folder = tmp_path_factory.mktemp("trained")
    init_default_scope("mmaction")
    options = options_of(f"{request.param}.py", folder, changes(request.param, videos))
    recipe = load_recipe(options)
    torch.manual_seed(3)
    model = MODELS.build(recipe.model)
    state = {
        key: value + 0.3 * torch.randn_like(value) if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    ordered = OrderedConfig.of(recipe)
    meta = dict(cfg=ordered.pretty_text)  # as MMEngine's runner writes it
    torch.save(dict(state_dict=state, meta=meta), folder / "epoch_1.pth")
    ordered.dump(folder / "recipe.py")
    return folder / "recipe.py", folder / "epoch_1.pth"


def loop_scores(file, checkpoint, change=lambda steps: None):
    """Scores of every video, as the test loop computes them: data set, collation, test_step."""
    recipe = Config.fromfile(file)
    dataset = deepcopy(recipe.test_dataloader.dataset)
    dataset.pipeline = in_order(dataset.pipeline)
    change(dataset.pipeline)
    dataset = DATASETS.build(dataset)
    model = MODELS.build(recipe.model)
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    model.eval()
    with torch.no_grad():
        scores = [model.test_step(pseudo_collate([item]))[0].pred_score for item in dataset]
    files = [dataset.get_data_info(number)["filename"] for number in range(len(dataset))]
    return files, torch.stack(scores)


def one_view(steps):
    """MMAction2's inferencer tests one clip of the centre, whatever the recipe says."""
    for step in steps:
        if step["type"] == "ThreeCrop":
            step["type"] = "CenterCrop"
        if step["type"] == "SampleFrames":
            step["num_clips"] = 1


def test_inference_recognizer_scores_all_views_as_the_test_loop_does(trained):
    files, scores = loop_scores(*trained)
    assert (scores[:, 0] - scores[0, 0]).abs().max() > 1e-3, "the videos score alike"
    model = init_recognizer(str(trained[0]), str(trained[1]), device="cpu")
    for file, score in zip(files, scores, strict=True):
        torch.testing.assert_close(inference_recognizer(model, file).pred_score, score)


def test_the_inferencers_score_one_clip_of_the_centre(trained, tmp_path):
    files, scores = loop_scores(*trained, one_view)
    labels = tmp_path / "labels.txt"
    labels.write_text("left\nright\n")
    inferencer = ActionRecogInferencer(
        str(trained[0]), str(trained[1]), device="cpu", label_file=str(labels)
    )
    found = inferencer(files, batch_size=3)["predictions"]
    torch.testing.assert_close(torch.tensor([one["pred_scores"] for one in found]), scores)
    assert [one["pred_labels"][0] for one in found] == scores.argmax(1).tolist()
    assert inferencer.visualizer.dataset_meta == dict(classes=["left", "right"])
    alone = ActionRecogInferencer(None, str(trained[1]), device="cpu")
    (one,) = alone(files[1])["predictions"]
    torch.testing.assert_close(torch.tensor(one["pred_scores"]), scores[1])
    both = MMAction2Inferencer(str(trained[0]), str(trained[1]), device="cpu")
    (one,) = both(files[0])["predictions"]
    torch.testing.assert_close(torch.tensor(one["rec_scores"]), scores[:1])


TOY = "finetune/vit-toy_gestures.py"


def test_a_video_that_cannot_be_read_is_named(tmp_path):
    torch.manual_seed(0)
    model = init_recognizer(f"mmpmg::{TOY}", device="cpu")
    inferencer = ActionRecogInferencer(f"mmpmg::{TOY}", device="cpu")
    empty, page = tmp_path / "empty.mp4", tmp_path / "page.mp4"
    empty.touch()
    page.write_text("<html>404 not found</html>")
    for classify in (lambda file: inference_recognizer(model, file), inferencer):
        with pytest.raises(VideoReadError, match=r"empty\.mp4: the file is empty"):
            classify(str(empty))
        with pytest.raises(VideoReadError, match=r"page\.mp4: cannot be decoded .*b'<html>404"):
            classify(str(page))
    for gone in (tmp_path / "gone.mp4", str(tmp_path / "gone.mp4")):
        with pytest.raises(FileNotFoundError, match=rf"there is no video {gone}"):
            inference_recognizer(model, gone)


@pytest.mark.parametrize("of", ["init_recognizer", "inferencer", "both"])
def test_recipes_are_found_by_name(of, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    make = dict(
        init_recognizer=lambda name: init_recognizer(name, device="cpu"),
        inferencer=lambda name: ActionRecogInferencer(name, device="cpu").model,
        both=lambda name: MMAction2Inferencer(name, device="cpu").actionrecog_inferencer.model,
    )[of]
    named, written = make(f"mmpmg::{TOY}"), make(str(ROOT / "configs" / TOY))
    assert repr(named) == repr(written)
    with pytest.raises(FileNotFoundError, match=f"near it are mmpmg::{TOY}"):
        make(f"mmpmg::{TOY.replace('gestures', 'gesture')}")


def test_an_inferencer_of_a_pretraining_is_refused():
    with pytest.raises(ValueError, match="no test_dataloader.*finetune"):
        ActionRecogInferencer("mmpmg::pmg/vit-toy_generated_smoke.py", device="cpu")


def test_the_pages_snippets_run_as_they_stand(trained, tmp_path, monkeypatch, capsys):
    """docs/inference.md: classifying videos, and nearest neighbours of extracted features."""
    classify, neighbours = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/inference.md").read_text(), re.S
    )
    monkeypatch.chdir(tmp_path)
    recipe = Config.fromfile(trained[0])
    place = tmp_path / "configs/finetune/vit-b_ucf101.py"
    place.parent.mkdir(parents=True)
    shutil.copy(trained[0], place)
    shutil.copy(trained[1], "epoch_100.pth")
    folder = Path(recipe.test_dataloader.dataset.data_prefix.video)
    shutil.copy(folder / "clip0.mp4", "video.mp4")
    Path("labels.txt").write_text("left\nright\n")
    exec(compile(classify, "docs/inference.md", "exec"), {})
    assert len(re.findall(r"^\S+ \S+$", capsys.readouterr().out, re.M)) >= 3
    for out in ("train.npz", "test.npz"):
        extract_features(
            ExtractionOptions(
                str(place), "epoch_100.pth", recipe.test_dataloader.dataset.ann_file, out,
                root=str(folder), workers=0, device="cpu",
            )
        )  # fmt: skip
    names: dict = {}
    exec(compile(neighbours.replace(":20]", ":1]"), "docs/inference.md", "exec"), names)
    assert "100.0% of 8 videos" in capsys.readouterr().out, "each is its own nearest neighbour"


def test_a_recipe_that_tests_nothing_or_has_its_own_pipeline_stays_as_it_is():
    for content in (
        dict(model=dict(type="X")),
        dict(test_dataloader=None),
        dict(test_pipeline=[1], test_dataloader=dict(dataset=dict(pipeline=[dict(type="A")]))),
    ):
        assert inference_recipe(Config(content)).to_dict() == content


def test_named_steps_become_a_list_and_the_recipe_is_not_changed():
    named = dict(open=dict(type="A"), free=None, pack=dict(type="B"))
    recipe = Config(dict(test_dataloader=dict(dataset=dict(pipeline=named))))
    ready = inference_recipe(recipe)
    assert ready.test_pipeline == [dict(type="A"), dict(type="B")]
    assert ready.test_dataloader.dataset.pipeline == ready.test_pipeline
    assert recipe.to_dict() == dict(test_dataloader=dict(dataset=dict(pipeline=named)))


def test_mmaction_is_taught_once():
    before = init_recognizer, ActionRecogInferencer._init_pipeline
    accept_our_recipes()
    from mmaction import apis

    assert before == (apis.init_recognizer, ActionRecogInferencer._init_pipeline)
