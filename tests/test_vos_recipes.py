"""The recipes of video object segmentation: they build, segment, and state the protocol."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from mmaction.models.backbones.vit_mae import VisionTransformer
from mmaction.registry import MODELS
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner.checkpoint import save_checkpoint
from PIL import Image

from mmpmg.engine.launch import build_runner
from mmpmg.engine.training import test as run_test
from mmpmg.models.backbones import MaskedVisionTransformer
from mmpmg.models.conversion import recognizer_state

ROOT = Path(__file__).parents[1]
RECIPES = sorted((ROOT / "configs/vos").glob("*.py"))
TOY = ROOT / "configs/vos/vit-toy_davis-mini.py"


@pytest.fixture(autouse=True)
def mmaction_scope():
    init_default_scope("mmaction")


def load(path):
    return Config.fromfile(str(path), import_custom_modules=False)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_segments_a_sequence_and_trains_nothing(path):
    config = load(path)
    assert "train_dataloader" not in config
    assert "optim_wrapper" not in config
    config.model.backbone.update(embed_dims=24, depth=2, num_heads=2)
    model = MODELS.build(config.model)
    model.init_weights()
    frames = torch.randint(0, 256, (1, 3, 1, 64, 96)).byte().repeat(1, 1, 3, 1, 1)
    masks = torch.zeros(3, 64, 96, dtype=torch.uint8)
    masks[0, 16:48, 16:48] = 1
    sample = ActionDataSample()
    sample.gt_masks = masks
    sample.set_metainfo(dict(sequence="film", object_ids=(1,)))
    found = model.test_step(dict(inputs=[frames], data_samples=[sample]))[0].pred_masks
    assert found[0].equal(masks[0])
    assert (found == masks[0]).float().mean() > 0.9, "nothing moves"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipe_has_the_settings_of_jabri_and_others(path):
    """Jabri et al., App. F and the authors' evaluation: 20 frames and the first, 10 of 12 cells."""
    config = load(path)
    config.model.backbone.update(embed_dims=24, num_heads=2)  # of any width, in no time
    model = MODELS.build(config.model)
    propagation = model.propagation
    assert (propagation.context_frames, propagation.top_k) == (20, 10)
    assert (propagation.radius, propagation.temperature) == (12.0, 0.07)
    assert not propagation.restrict_first
    assert not model.rescale
    assert model.encoder.layer == len(model.backbone.blocks) - 1


def test_the_encoders_are_those_of_the_other_recipes():
    for arch in ("vit-b", "vit-l"):
        ours = load(ROOT / f"configs/vos/{arch}_davis2017.py").model.backbone
        pretraining = load(ROOT / f"configs/pmg/{arch}_shaders1k.py").model.backbone
        for key in ("arch", "img_size", "num_frames"):
            assert ours[key] == pretraining[key]
    toy = load(TOY).model.backbone
    pretraining = load(ROOT / "configs/pmg/vit-toy_generated.py").model.backbone
    for key in ("arch", "depth", "img_size", "patch_size", "tubelet_size"):
        assert toy[key] == pretraining[key]


def test_mmaction2_s_encoder_takes_the_place_of_ours(tmp_path):
    """As docs/vos.md has it."""
    recipe = tmp_path / "recipe.py"
    page = (ROOT / "docs/vos.md").read_text()
    (snippet,) = [part for part in page.split("```python") if "VisionTransformer" in part]
    base = str(ROOT / "configs/vos/vit-b_davis2017.py")
    recipe.write_text(snippet.split("```")[0].replace("./vit-b_davis2017.py", base))
    config = load(recipe)
    config.model.backbone.depth = 1
    model, ours = MODELS.build(config.model), load(ROOT / "configs/vos/vit-b_davis2017.py").model
    assert type(model.backbone) is VisionTransformer
    ours.backbone.depth = 1
    state = MODELS.build(ours).state_dict()
    assert {key: value.shape for key, value in model.state_dict().items()} == {
        key: value.shape for key, value in state.items()
    }


@pytest.fixture
def mini(tmp_path):
    """Two sequences of four frames, in DAVIS's folders: a textured square that moves."""
    root = tmp_path / "davis"
    random = np.random.default_rng(0)
    (root / "ImageSets/240p").mkdir(parents=True)
    (root / "ImageSets/240p/mini.txt").write_text("one\ntwo\n")
    for name in ("one", "two"):
        texture = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
        background = random.integers(0, 60, (64, 96, 3), dtype=np.uint8)
        for kind in ("JPEGImages", "Annotations"):
            (root / kind / "240p" / name).mkdir(parents=True)
        for t in range(4):
            frame, mask = background.copy(), np.zeros((64, 96), np.uint8)
            frame[16:48, 8 * t : 8 * t + 32], mask[16:48, 8 * t : 8 * t + 32] = texture, 255
            frames = root / "JPEGImages/240p" / name / f"{t:05d}.jpg"
            Image.fromarray(frame).save(frames, quality=95)
            Image.fromarray(mask).save(root / "Annotations/240p" / name / f"{t:05d}.png")
    return root


def options(root, tmp_path, checkpoint, **changes):
    return argparse.Namespace(
        config=str(TOY), work_dir=str(tmp_path / "run"), launcher="none", local_rank=0,
        checkpoint=str(checkpoint), dump=None,
        cfg_options={"test_dataloader.dataset.data_root": str(root),
                     "test_dataloader.num_workers": 0, **changes},
    )  # fmt: skip


@pytest.fixture
def scores(monkeypatch):
    """What a run's evaluator gave."""
    given = []

    def build(config):
        runner = build_runner(config)
        test = runner.test
        monkeypatch.setattr(runner, "test", lambda: given.append(test()))
        return runner

    monkeypatch.setattr("mmpmg.engine.training.build_runner", build)
    return given


def test_tools_test_scores_an_encoder_and_a_fresh_one(mini, tmp_path, scores):
    torch.manual_seed(7)
    backbone = load(TOY).model.backbone.to_dict()
    del backbone["type"]
    encoder = MaskedVisionTransformer(**backbone, use_mean_pooling=False)
    encoder.init_weights()
    state = {f"backbone.{key}": value for key, value in encoder.state_dict().items()}
    save_checkpoint(dict(state_dict=recognizer_state(state)), str(tmp_path / "encoder.pth"))
    # Labels blur where few frames are seen, so that the score tells weights apart.
    blurred = {"model.fill_context": False}
    run_test(options(mini, tmp_path, "none", **blurred))
    run_test(options(mini, tmp_path, "none", **blurred))
    run_test(options(mini, tmp_path, tmp_path / "encoder.pth", **blurred))
    fresh, again, loaded = scores
    assert fresh == again, "drawn from the recipe's seed"
    assert loaded != fresh
    for found in scores:
        assert 0.5 < found["vos/J&F-Mean"] <= 1
    save_checkpoint(dict(state_dict=state), str(tmp_path / "epoch_1.pth"))
    run_test(options(mini, tmp_path, tmp_path / "epoch_1.pth", **blurred))
    assert scores[-1] == loaded, "whatever closes it"


def test_tools_test_refuses_another_encoder(mini, tmp_path, scores):
    state = MODELS.build(load(TOY).model).state_dict()
    save_checkpoint(dict(state_dict=state), str(tmp_path / "encoder.pth"))
    given = options(mini, tmp_path, tmp_path / "encoder.pth")
    given.cfg_options["model.backbone.depth"] = 4
    with pytest.raises(ValueError, match=r"left over.*model\.backbone"):
        run_test(given)
    given.checkpoint = str(tmp_path / "nowhere.pth")
    with pytest.raises(FileNotFoundError, match="'none' in its place to test a model that nobody"):
        run_test(given)
    assert not scores
