from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from integration.tiny_runs import TINY_BACKBONE, write_videos
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from PIL import Image

from mmpmg.visualization import model_comparison
from mmpmg.visualization.model_comparison import (
    ClipChoice,
    ModelChoice,
    _motion_steps,
    _videos,
    compare_reconstructions,
)
from mmpmg.visualization.recipe_models import change_recipes

ROOT = Path(__file__).resolve().parents[2]


def tiny_model(folder: Path, name: str, **more: object) -> ModelChoice:
    """A recipe of 4 frames of 32 x 32, and fresh weights of it, other ones for each name."""
    config = Config.fromfile(ROOT / "configs" / "pmg" / "vit-toy_generated.py")
    config.merge_from_dict({**TINY_BACKBONE, "model.branches.pixel.neck.embed_dims": 12,
                            "model.branches.pixel.neck.depth": 1, **more})  # fmt: skip
    recipe = folder / f"{name}.py"
    recipe.write_text("".join(f"{k} = {v!r}\n" for k, v in config.to_dict().items()))
    torch.manual_seed(sum(map(ord, name)))
    model = MODELS.build(config.model)
    model.init_weights()
    with torch.no_grad():
        # Fresh heads predict almost nothing, whatever their seed.
        model.heads["pixel"].projection.bias.normal_()
    torch.save(dict(state_dict=model.state_dict()), folder / f"{name}.pth")
    return ModelChoice(name, str(recipe), str(folder / f"{name}.pth"))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """What each picture of the test is drawn from, as it is drawn: model -> its clips."""
    told: list[dict] = []
    draw = model_comparison.reconstruction_picture

    def spy(models: dict, *options: Any) -> Any:
        told.append(models)
        return draw(models, *options)

    monkeypatch.setattr(model_comparison, "reconstruction_picture", spy)
    return told


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> ClipChoice:
    listing, _ = write_videos(tmp_path_factory.mktemp("videos") / "files")
    return ClipChoice(str(listing), str(listing.parent), num_clips=2, interval=2)


def rows(path: Path) -> int:
    """Count rows of 128 pixels and a gap of 4, below some 90 of heading."""
    return round((Image.open(path).height - 90) / 132)


def test_models_stand_below_one_another_on_the_same_clips(
    tmp_path: Path, videos: ClipChoice
) -> None:
    models = [tiny_model(tmp_path, name) for name in ("real", "pmg")]
    alone = compare_reconstructions(models[:1], videos, tmp_path / "one.png")
    both = compare_reconstructions(models, videos, tmp_path / "both.png")
    # For each clip: frames, masked input; then reconstruction and loss of each model.
    assert rows(alone) == 2 * 4 and rows(both) == 2 * 6
    again = compare_reconstructions(models, videos, tmp_path / "again.png")
    assert both.read_bytes() == again.read_bytes()
    leaking = compare_reconstructions(models, videos, tmp_path / "truth.png", "truth")
    first, second = (np.array(Image.open(path)) for path in (both, leaking))
    assert first.shape != second.shape or (first != second).any()


def test_a_mask_of_its_own_is_drawn_for_its_model(tmp_path: Path, videos: ClipChoice) -> None:
    models = [
        tiny_model(tmp_path, "a"),
        tiny_model(tmp_path, "b", **{"model.masker.mask_ratio": 0.5}),
    ]
    out = compare_reconstructions(models, videos, tmp_path / "both.png")
    assert rows(out) == 2 * 7


FLOW = {
    "model.data_preprocessor.with_flow": True,
    "model.data_preprocessor.blending": None,
    "model.branches.motion": dict(
        neck="pixel", head=dict(type="MaskedRegressionHead", target=dict(type="FlowTarget"))
    ),
}
PIPELINE = "train_dataloader.dataset.pipeline"
SMALL = {
    f"{PIPELINE}.motion.num_frames": 4,
    f"{PIPELINE}.crop.input_size": 32,
    f"{PIPELINE}.resize.scale": (32, 32),
}


@pytest.mark.parametrize("order", [("flow", "plain"), ("plain", "flow")])
def test_a_model_that_predicts_flow_stands_beside_one_that_does_not(
    tmp_path: Path, videos: ClipChoice, order: tuple[str, str], drawn: list[dict]
) -> None:
    """Of videos the flow is estimated; a training set is that of the recipe that knows it."""
    without = {f"{PIPELINE}.pack.meta_keys": ("sample_seed", "filename")}
    changes = dict(flow=FLOW | SMALL, plain=without | SMALL)
    models = [tiny_model(tmp_path, name, **changes[name]) for name in order]
    for clips in (videos, replace(videos, ann_file=None)):
        compare_reconstructions(models, clips, tmp_path / "out.png")
        both = drawn.pop()
        for flow, plain in zip(both["flow"], both["plain"], strict=True):
            assert list(flow) == ["pixel", "motion"] and list(plain) == ["pixel"]
            assert np.nan_to_num(flow["motion"].truth).any()
            np.testing.assert_array_equal(flow["pixel"].clip, plain["pixel"].clip)


def test_the_flow_of_a_video_is_estimated_behind_its_crop(videos: ClipChoice) -> None:
    packed = DATASETS.build(_videos(videos, 4, 32, True))[0]
    assert packed["data_samples"].flow.shape == (3, 32, 32, 2)
    assert "flow" not in DATASETS.build(_videos(videos, 4, 32))[0]["data_samples"]


def test_videos_get_the_motion_map_that_a_masker_asks_for(
    tmp_path: Path, videos: ClipChoice, drawn: list[dict]
) -> None:
    """Beside a model that asks for none; of two maps it is the finer one, which serves both."""

    def guided(cell: int) -> dict:
        return {
            "model.masker": dict(_delete_=True, type="FlowGuidedMasker", mask_ratio=0.5),
            "model.data_preprocessor.blending": None,
            f"{PIPELINE}.motion_map": dict(_delete_=True, type="MotionMap", cell=cell),
        }

    models = [
        tiny_model(tmp_path, "plain"),
        tiny_model(tmp_path, "coarse", **guided(16)),
        tiny_model(tmp_path, "fine", **guided(8)),
    ]
    compare_reconstructions(models, videos, tmp_path / "out.png")
    for item in drawn[0]["fine"]:
        assert item["pixel"].mask.mean() == 0.5
    steps = [
        step
        for one in models[1:]
        for step in _motion_steps(Config.fromfile(one.recipe).train_dataloader)
    ]
    assert [step["cell"] for step in steps] == [16, 8]
    sample = DATASETS.build(_videos(videos, 4, 32, motion_map=steps[1]))[0]["data_samples"]
    assert sample.motion_map.shape == (2, 4, 4)


def test_mistakes_are_named(tmp_path: Path, videos: ClipChoice) -> None:
    one = tiny_model(tmp_path, "one")
    other = tiny_model(tmp_path, "other", **{"model.backbone.img_size": 48})
    out = tmp_path / "out.png"
    with pytest.raises(ValueError, match=r"unlike \(num_frames, img_size\).*'other': \(4, 48\)"):
        compare_reconstructions([one, other], videos, out)
    with pytest.raises(ValueError, match="all different"):
        compare_reconstructions([one, one], videos, out)
    with pytest.raises(FileNotFoundError, match="nowhere.pth, which --model names"):
        compare_reconstructions([ModelChoice("a", one.recipe, "nowhere.pth")], videos, out)
    with pytest.raises(FileNotFoundError, match="--videos"):
        compare_reconstructions([one], ClipChoice("nowhere.txt"), out)
    recipe = str(ROOT / "configs" / "finetune" / "vit-toy_gestures.py")
    with pytest.raises(ValueError, match=r"--model a.*masks and reconstructs nothing.*epoch_N.pth"):
        compare_reconstructions([ModelChoice("a", recipe, one.checkpoint)], videos, out)
    with pytest.raises(FileNotFoundError, match="--video-root"):
        compare_reconstructions([one], ClipChoice(videos.ann_file), out)
    assert not out.exists()


def test_a_video_shorter_than_the_clip_ends_in_its_last_frame(videos: ClipChoice) -> None:
    """As in training; MMAction2's default would begin it again."""
    videos = replace(videos, interval=20)
    recipe = _videos(videos, 4, 32)
    recipe["pipeline"][-1]["meta_keys"] += ("frame_inds", "total_frames")
    sample = DATASETS.build(recipe)[0]["data_samples"]
    frames = sample.frame_inds.ravel().tolist()
    assert frames == [0, 20, 20, 20] and sample.total_frames == 24


def test_the_tool_draws(
    tmp_path: Path, videos: ClipChoice, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    model = tiny_model(tmp_path, "pmg")
    out = tmp_path / "out.png"
    command = ["compare_reconstructions.py", "--model", "PMG", model.recipe, model.checkpoint,
               "--videos", str(videos.ann_file), "--video-root", videos.root,
               "--num-clips", "1", "--out", str(out),
               "--cfg-options", "model.masker.mask_ratio=0.5"]  # fmt: skip
    monkeypatch.setattr(sys, "argv", command)
    source = (ROOT / "tools" / "compare_reconstructions.py").read_text()
    exec(compile(source, "compare_reconstructions.py", "exec"), {"__name__": "__main__"})
    assert f"wrote {out}" in capsys.readouterr().out
    assert rows(out) == 4


def test_changes_go_to_the_recipes_that_have_their_place(
    tmp_path: Path, videos: ClipChoice
) -> None:
    recipes = [Config.fromfile(ROOT / "configs" / f"{name}.py")
               for name in ("demvm/swin-toy_photographs", "pmg/vit-toy_photographs")]  # fmt: skip
    demvm, pmg = recipes
    before = pmg.to_dict()
    key = "model.branches.token.head.target.checkpoint"
    change_recipes(recipes, {key: "other.pth"})
    assert demvm.model.branches.token.head.target.checkpoint == "other.pth"
    assert pmg.to_dict() == before
    change_recipes(recipes, {"randomness.seed": 7, "param_scheduler.0.end": 3})
    for recipe in recipes:
        assert recipe.randomness.seed == 7 and recipe.param_scheduler[0].end == 3
    for wrong in ("model.branches.tokn.head", "modl", "param_scheduler.9.end"):
        with pytest.raises(ValueError, match=rf"--cfg-options {wrong}=1: none of the recipes"):
            change_recipes(recipes, {wrong: 1})

    model = tiny_model(tmp_path, "pmg")
    drawn = [
        compare_reconstructions([model], videos, tmp_path / f"{ratio}.png",
                                changes={"model.masker.mask_ratio": ratio}).read_bytes()
        for ratio in (0.9, 0.5)
    ]  # fmt: skip
    assert drawn[0] != drawn[1]
