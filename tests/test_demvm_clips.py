"""The toys of DEMVM see the clips of the other toys, byte for byte, and where they move."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.config import Config
from mmengine.registry import init_default_scope

import mmpmg  # noqa: F401
from mmpmg.datasets import SampleSeedSampler

CONFIGS = Path(__file__).parent.parent / "configs"
PLAIN = "pmg/vit-toy_photographs_unmixed"
COUNT = 4


@pytest.fixture
def images(tmp_path):
    init_default_scope("mmaction")
    for number in range(COUNT):
        coarse = np.random.default_rng(number).integers(0, 256, (8, 12, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{number}.png"), cv2.resize(coarse, (120, 80)))
    return str(tmp_path)


def samples(recipe, images, epoch):
    config = Config.fromfile(str(CONFIGS / f"{recipe}.py"), import_custom_modules=False)
    config.train_dataloader.dataset.images.root = images
    config.train_dataloader.dataset.pipeline.motion.deferred = False
    dataset = DATASETS.build(config.train_dataloader.dataset)
    sampler = SampleSeedSampler(dataset, seed=config.randomness.seed)
    sampler.set_epoch(epoch)
    return [dataset[k] for k in sampler]


def pixels(found):
    return b"".join(sample["inputs"].numpy().tobytes() for sample in found)


@pytest.mark.parametrize("epoch", [0, 7])
def test_the_same_seed_gives_the_same_clips_by_bytes(images, epoch):
    plain = pixels(samples(PLAIN, images, epoch))
    assert plain != pixels(samples(PLAIN, images, epoch + 1)), "another epoch has other clips"
    shapes = {
        "demvm/swin-toy_photographs": (8, 8, 8),
        "demvm/swin-toy_photographs_random": None,
        "demvm/vit-toy_photographs_vit": (4, 8, 8),
    }
    for recipe, shape in shapes.items():
        found = samples(recipe, images, epoch)
        assert pixels(found) == plain, recipe
        for sample in found:
            motion = sample["data_samples"].get("motion_map")
            assert shape == (None if motion is None else tuple(motion.shape))
            assert motion is None or float(motion.max()) > 0.1, "affine motions and zooms move"
