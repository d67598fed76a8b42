"""Generators as sources: balanced, endless, named by the call that makes an image again."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.registry import DefaultScope

import mmpmg.synthesis
from mmpmg.datasets import PerlinClips, SampleSeedSampler
from mmpmg.datasets.image_sources import CategorizedImages
from mmpmg.synthesis import fractal_image, perlin_clip, visual_atom_image

OPTIONS = {
    "FractalImages": dict(points=2000),
    "VisualAtomImages": dict(),
    "PerlinImages": dict(),
}
NAMES = list(OPTIONS)
OPTIONS["ShaderImages"] = dict()


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


def test_same_images_in_another_process_whatever_was_made_before():
    calls = [_source(name).name(index) for name in NAMES for index in (4, 2, 7)]
    code = (
        "import hashlib, sys; import mmpmg.synthesis as s; "
        "[print(hashlib.sha256(eval(c, vars(s)).tobytes()).hexdigest()) for c in sys.argv[:0:-1]]"
    )
    environment = dict(os.environ, PYTHONHASHSEED="7", PYTHONPATH=os.pathsep.join(sys.path))
    there = subprocess.run(
        [sys.executable, "-c", code, *calls],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    here = [hashlib.sha256(eval(c, vars(mmpmg.synthesis)).tobytes()).hexdigest() for c in calls]
    assert there.stdout.split()[-len(calls) :] == here[::-1]


def test_sources_can_be_sent_to_a_worker():
    for name in NAMES:
        source = pickle.loads(pickle.dumps(_source(name)))
        np.testing.assert_array_equal(source.load(5), _source(name).load(5))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("FractalImages", dict(color="red"), "images.color='red'.*iteration"),
        ("FractalImages", dict(points=0), "images.points=0"),
        ("FractalImages", dict(points=1), "images.points=1: must be 100"),
        *[(name, dict(size=0), "images.size=0") for name in NAMES],
        *[
            ("ShaderImages", {key: value}, f"images.{key}={re.escape(repr(value))}: ")
            for key, values in (
                ("seed", (1.5, True, "1", 2**32, 2**64)),
                ("size", ("64", 64.0, True, (1, 2, 3))),
            )
            for value in values
        ],
        *[(name, dict(seed=-1), "images.seed=-1") for name in NAMES],
    ],
)
def test_illegal_options_name_the_recipe_key(name, options, message):
    with pytest.raises(ValueError, match=message):
        _source(name, **options)


@pytest.mark.parametrize("size", [np.int64(24), (np.int32(24), 24), [24, 24]])
def test_numbers_of_numpy_are_whole_numbers(size):
    source = _source("ShaderImages", size=size, seed=np.uint32(5))
    assert source.name(1) == "shader_image(5, 1, 0, (24, 24))"


def test_long_seeds_do_not_stand_for_two_numbers():
    for call in (
        lambda: visual_atom_image(5 + (7 << 32), 0, 0, 16),
        lambda: fractal_image(2**32, 0, 0, 16, points=200),
        lambda: perlin_clip(0, 2**32, 0, 1, 16),
        lambda: mmpmg.synthesis.shader_image(2**64, 0, 0, 16),
    ):
        with pytest.raises(ValueError, match="2\\^32"):
            call()


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
