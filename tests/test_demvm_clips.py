"""The toys of DEMVM see the clips of the other toys, byte for byte, and where they move."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmpmg.datasets import SampleSeedSampler
from mmpmg.models.maskers import FlowGuidedDenseMasker

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
    config.train_dataloader.dataset.num_images = None
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


def with_maps(recipe, images):
    """The recipe's own masker and what 32 clips tell it."""
    config = Config.fromfile(str(CONFIGS / f"{recipe}.py"), import_custom_modules=False)
    drawn = [sample for epoch in range(8) for sample in samples(recipe, images, epoch)]
    return MODELS.build(config.model.masker), config, [sample["data_samples"] for sample in drawn]


@pytest.mark.parametrize(("name", "side"), [("swin-toy_photographs", 8), ("swin-t_shaders1k", 28)])
def test_what_moves_is_masked_more_in_most_slots_and_nowhere_less(images, name, side):
    masker, config, found = with_maps(f"demvm/{name}", images)
    for masker.spatial_ratio in config.default_hooks.masking_ratio.ratios.spatial_ratio:
        moving, (inside, outside, random) = masker.guide(
            torch.arange(len(found)), (8, side, side), found
        )
        assert 0.4 < moving.float().mean() < 0.75
        assert random.float().mean() < 0.25
        assert (inside > outside)[~random].all()


def test_the_paper_s_rule_guides_nothing_on_these_clips(images):
    """By counts at half a pixel most slots are random; in the others still tokens are denser."""
    masker, config, found = with_maps("demvm/swin-toy_photographs", images)
    masker.ratios, masker.threshold = "counts", FlowGuidedDenseMasker().threshold
    for masker.spatial_ratio in config.default_hooks.masking_ratio.ratios.spatial_ratio:
        _, (inside, outside, random) = masker.guide(torch.arange(len(found)), (8, 8, 8), found)
        assert 0.7 < random.float().mean() < 1
        assert (inside < outside)[~random].float().mean() > 0.8


def test_an_encoder_of_visible_tokens_is_shown_less_of_what_moves(images):
    """Where nearly all moves, moving tokens can hardly be hidden more often than at random."""
    masker, _, found = with_maps("demvm/vit-toy_photographs_vit", images)
    moving = torch.stack([torch.as_tensor(np.asarray(one.motion_map)) for one in found]).flatten(1)
    moving = moving >= masker.threshold
    hidden = masker(torch.arange(len(found)), (4, 8, 8), found)
    assert hidden[moving].float().mean() > masker.mask_ratio + 0.05
    assert hidden[~moving].float().mean() < masker.mask_ratio - 0.05
