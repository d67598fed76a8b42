"""The arms of the toy comparison see the same clips and the same masks; only the model differs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

import mmpmg  # noqa: F401
from mmpmg.datasets import SampleSeedSampler

CONFIGS = Path(__file__).parent.parent / "configs"
PLAIN = "pmg/vit-toy_photographs_unmixed"
ARMS = ("motionmae/vit-toy_photographs", "motionmae/vit-toy_photographs_exact-flow")
COUNT = 5


def load(recipe):
    return Config.fromfile(str(CONFIGS / f"{recipe}.py"), import_custom_modules=False)


@pytest.fixture
def images(tmp_path):
    init_default_scope("mmaction")
    for number in range(COUNT):
        rng = np.random.default_rng(number)
        coarse = rng.integers(0, 256, (8, 12, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), cv2.resize(coarse, (120, 80)))
    return str(tmp_path)


def seen(recipe, images, epoch):
    """What the model sees: pixels in grey levels, the mask, the losses of a new model."""
    config = load(recipe)
    config.train_dataloader.dataset.images.root = images
    config.train_dataloader.dataset.pipeline.motion.deferred = False
    dataset = DATASETS.build(config.train_dataloader.dataset)
    sampler = SampleSeedSampler(dataset, seed=config.randomness.seed)
    sampler.set_epoch(epoch)
    packed = pseudo_collate([dataset[k] for k in sampler])
    torch.manual_seed(0)
    model = MODELS.build(config.model)
    model.init_weights()
    data = model.data_preprocessor(packed, training=True)
    clip = data["inputs"].flatten(0, 1)
    mask = model.draw(clip, data["data_samples"]).mask
    with torch.no_grad():
        losses = model(**data, mode="loss")
    raw = b"".join(inputs.numpy().tobytes() for inputs in packed["inputs"])
    return raw, clip, mask, losses


@pytest.mark.parametrize("recipe", ARMS)
@pytest.mark.parametrize("epoch", [0, 7])
def test_the_same_seed_gives_the_same_clips_by_bytes(recipe, epoch, images):
    raw, clip, mask, losses = seen(recipe, images, epoch)
    plain = seen(PLAIN, images, epoch)
    assert raw == plain[0] and len(raw) == COUNT * 3 * 16 * 64 * 64
    assert torch.equal(clip, plain[1]) and torch.equal(mask, plain[2])
    assert set(plain[3]) == {"loss_pixel"} and set(losses) == {"loss_pixel", "loss_motion"}
    assert all(value.isfinite() and value > 0 for value in losses.values())
    assert raw != seen(PLAIN, images, epoch + 1)[0], "another epoch has other clips"


@pytest.mark.parametrize("recipe", ARMS)
def test_the_recipes_differ_in_the_model_alone(recipe):
    ours, plain = load(recipe).to_dict(), load(PLAIN).to_dict()
    motion = ours["model"]["branches"].pop("motion")
    assert motion["neck"] == plain["model"]["branches"]["pixel"]["neck"]
    assert ours["model"]["data_preprocessor"].pop("with_flow", False) == (
        motion["head"]["target"]["type"] == "FlowTarget"
    )
    assert ours == plain
    assert "blending" not in plain["model"]["data_preprocessor"]
