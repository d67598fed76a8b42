"""Generators as sources: balanced, endless, named by the call that makes an image again."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.registry import DefaultScope
from torch.utils.data import DataLoader

import mmpmg.synthesis
from mmpmg.datasets import ImageToPseudoVideo, PerlinClips, SampleSeedSampler
from mmpmg.datasets.image_sources import CategorizedImages
from mmpmg.synthesis import fractal_image, perlin_clip, visual_atom_image

OPTIONS = {
    "FractalImages": dict(points=2000),
    "VisualAtomImages": dict(),
    "PerlinImages": dict(),
}
NAMES = list(OPTIONS)


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope("mmaction"):
        yield


def _source(name: str, **options):
    small = dict(num_categories=3, images_per_category=4, size=(24, 40), seed=5)
    return DATASETS.build(dict(type=name, **{**OPTIONS[name], **small, **options}))


@pytest.mark.parametrize("name", NAMES)
def test_source_is_what_its_name_says(name):
    source = _source(name)
    assert isinstance(source, CategorizedImages)
    assert len(source) == 12
    assert np.bincount(source.categories()).tolist() == [4, 4, 4]
    for index in (0, 1, 11, 500):  # beyond the length too
        image = source.load(index)
        assert image.shape == (24, 40, 3) and image.dtype == np.uint8
        again = eval(source.name(index), vars(mmpmg.synthesis))
        np.testing.assert_array_equal(again, image)
    assert len({source.name(index) for index in range(40)}) == 40


def test_sources_pass_their_options_on():
    size = (24, 40)
    np.testing.assert_array_equal(
        _source("FractalImages", color="map").load(7), fractal_image(5, 1, 2, size, "map", 2000)
    )
    np.testing.assert_array_equal(
        _source("VisualAtomImages").load(7), visual_atom_image(5, 1, 2, size)
    )
    np.testing.assert_array_equal(_source("PerlinImages").load(7), perlin_clip(5, 1, 2, 8, size)[0])


@pytest.mark.parametrize("name", NAMES)
def test_same_images_in_another_process(name):
    source = _source(name)
    here = [source.load(index) for index in range(4)]
    frames = ImageToPseudoVideo(source, [], num_images=4)
    loader = DataLoader(
        frames, num_workers=2, collate_fn=pseudo_collate, multiprocessing_context="spawn",
        sampler=SampleSeedSampler(frames, shuffle=False, seed=0),
    )  # fmt: skip
    for expected, batch in zip(here, loader, strict=True):
        np.testing.assert_array_equal(np.asarray(batch["imgs"][0][0]), expected)
    assert pickle.loads(pickle.dumps(source)).name(3) == source.name(3)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("FractalImages", dict(color="red"), "images.color='red'.*iteration"),
        ("FractalImages", dict(points=0), "images.points=0"),
        *[(name, dict(size=0), "images.size=0") for name in NAMES],
        *[(name, dict(seed=-1), "images.seed=-1") for name in NAMES],
    ],
)
def test_illegal_options_name_the_recipe_key(name, options, message):
    with pytest.raises(ValueError, match=message):
        _source(name, **options)


def _clips(**options) -> PerlinClips:
    recipe = dict(
        type="PerlinClips",
        num_categories=3,
        clips_per_category=2,
        num_frames=4,
        size=16,
        seed=5,
        pipeline=dict(
            motion=None,
            layout=dict(type="FormatShape", input_format="NCTHW"),
            pack=dict(type="PackActionInputs", meta_keys=("sample_seed", "filename")),
        ),
    )
    return DATASETS.build({**recipe, **options})


def test_perlin_clips_enter_a_pipeline():
    dataset = _clips()
    sampler = SampleSeedSampler(dataset, shuffle=True, seed=0)
    assert sorted(sampler) == list(range(6)) and len(dataset) == 6
    seeds = set()
    for index in range(6):
        sample = dataset[index]
        clip = perlin_clip(5, index % 3, index // 3, 4, 16)
        # [T, H, W, C] -> [1, C, T, H, W]
        np.testing.assert_array_equal(sample["inputs"].numpy()[0], clip.transpose(3, 0, 1, 2))
        assert sample["data_samples"].gt_label.item() == index % 3
        again = eval(sample["data_samples"].filename, vars(mmpmg.synthesis))
        np.testing.assert_array_equal(again, clip)
        seeds.add(sample["data_samples"].sample_seed)
    assert len(seeds) == 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(num_frames=0), "dataset.num_frames=0"),
        (dict(clips_per_category=0), "dataset.clips_per_category=0"),
        (dict(num_categories=0), "num_categories=0"),
    ],
)
def test_illegal_options_of_clips(options, message):
    with pytest.raises(ValueError, match=message):
        _clips(**options)
