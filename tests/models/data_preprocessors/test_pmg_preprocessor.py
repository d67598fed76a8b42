"""Deferred clips: what the worker would have rendered, made on the model's side instead."""

from __future__ import annotations

import pickle

import cv2
import numpy as np
import pytest
import torch
from mmaction.models import ActionDataPreprocessor
from mmaction.registry import DATASETS, MODELS
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmpmg.datasets import SampleSeedSampler
from mmpmg.datasets.transforms.pmg import PMGPipeline
from mmpmg.models.data_preprocessors import PMGDataPreprocessor

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.fixture
def folder(tmp_path):
    init_default_scope("mmaction")
    for number in range(6):
        rng = np.random.default_rng(number)
        image = cv2.GaussianBlur(rng.integers(0, 256, (48, 60, 3), dtype=np.uint8), (5, 5), 0)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    return tmp_path


def batch(folder, ops, deferred, meta=("sample_seed", "deferred_motion"), num_frames=8):
    dataset = DATASETS.build(
        dict(
            type="ImageToPseudoVideo",
            images=dict(type="FolderImages", root=str(folder)),
            pipeline=[
                dict(type="Resize", scale=(32, 40), keep_ratio=False),
                dict(type="Flip", flip_ratio=0.5),
                dict(type="PMGPipeline", ops=ops, num_frames=num_frames, deferred=deferred),
                dict(type="FormatShape", input_format="NCTHW"),
                dict(type="PackActionInputs", meta_keys=meta),
            ],
        )
    )
    SampleSeedSampler(dataset, seed=0)
    return pseudo_collate([dataset[k] for k in range(6)])


def preprocessor(kind="PMGDataPreprocessor", blending=None):
    return MODELS.build(
        dict(type=kind, mean=MEAN, std=STD, format_shape="NCTHW", blending=blending)
    )


def levels(inputs):
    """Undo the normalisation: (B, T, H, W, 3) grey levels."""
    return (inputs.permute(0, 1, 3, 4, 5, 2) * torch.tensor(STD) + torch.tensor(MEAN))[:, 0]


OPS = [
    ["ZoomInOut", "Affine"],
    ["SlidingWindow", "FadeInOut", "Perspective", "ColorJitter", "CutMix", "Identity"],
    ["CutMix"],
    ["Layered", "SmoothDisplacement", "Affine"],
]


@pytest.mark.parametrize("ops", OPS, ids=" ".join)
def test_a_deferred_batch_is_the_rendered_one_within_two_levels(folder, ops):
    deferred, rendered = batch(folder, ops, True), batch(folder, ops, False)
    assert all(clip.shape[2] <= 3 for clip in deferred["inputs"])
    assert all(clip.shape[2] == 8 for clip in rendered["inputs"])
    ours = preprocessor()(deferred)["inputs"]
    theirs = preprocessor("ActionDataPreprocessor")(rendered)["inputs"]
    assert ours.shape == theirs.shape == (6, 1, 3, 8, 40, 32)
    assert (levels(ours) - levels(theirs)).abs().max() < 2.01


@pytest.mark.parametrize("blending", ["ClipMixup", "ClipVideoMix"])
def test_mixing_meets_the_same_clips(folder, blending):
    deferred, rendered = batch(folder, ["Affine"], True), batch(folder, ["Affine"], False)
    blending = dict(type=blending)
    ours = preprocessor(blending=blending)(deferred, training=True)["inputs"]
    plain = preprocessor()(batch(folder, ["Affine"], True), training=True)["inputs"]
    theirs = preprocessor("ActionDataPreprocessor", blending)(rendered, training=True)["inputs"]
    assert (levels(ours) - levels(theirs)).abs().max() < 2.01
    assert (ours - plain).abs().max() > 0.5, "it mixed"


def test_real_clips_may_stand_beside_deferred_ones(folder):
    deferred, rendered = batch(folder, ["Affine"], True), batch(folder, ["Affine"], False)
    for number in (0, 3, 4):
        for key in ("inputs", "data_samples"):
            deferred[key][number] = rendered[key][number]
    ours = preprocessor()(deferred)["inputs"]
    theirs = preprocessor("ActionDataPreprocessor")(rendered)["inputs"]
    assert torch.equal(ours[[0, 3, 4]], theirs[[0, 3, 4]])
    assert (levels(ours) - levels(theirs)).abs().max() < 2.01


def test_the_motion_does_not_travel_on(folder):
    data = preprocessor()(batch(folder, ["Affine"], True))
    assert all("deferred_motion" not in sample for sample in data["data_samples"])
    assert all("sample_seed" in sample for sample in data["data_samples"])


def test_a_plain_batch_is_the_parents(folder):
    rendered = batch(folder, ["Affine"], False)
    ours = preprocessor()(rendered)["inputs"]
    assert torch.equal(ours, preprocessor("ActionDataPreprocessor")(rendered)["inputs"])
    assert isinstance(preprocessor(), ActionDataPreprocessor)


def test_a_transform_that_touched_the_image_is_found(folder):
    data = batch(folder, ["Affine"], True)
    data["inputs"][2] = data["inputs"][2][..., :-1]
    with pytest.raises(ValueError, match=r"\(1, 3, 1, 40, 31\).*nothing but FormatShape"):
        preprocessor()(data)


def test_deferred_is_decided_by_the_machine_or_by_the_recipe(monkeypatch):
    for gpu in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda gpu=gpu: gpu)
        assert PMGPipeline(deferred="auto").deferred is gpu
        assert PMGPipeline(deferred=True).deferred is True
        assert PMGPipeline().deferred is False
    with pytest.raises(ValueError, match=r"deferred='later'.*True, False or 'auto'"):
        PMGPipeline(deferred="later")


def test_samples_without_metainfo_pass(folder):
    data = batch(folder, ["Affine"], False)
    data["data_samples"] = [ActionDataSample() for _ in data["inputs"]]
    assert preprocessor()(data)["inputs"].shape[0] == 6


def test_a_deferred_clip_whose_motion_was_not_packed_is_found(folder):
    data = batch(folder, ["Affine"], False)
    lost = batch(folder, ["CutMix"], True, meta=("sample_seed",))
    data["inputs"][1], data["data_samples"][1] = lost["inputs"][1], lost["data_samples"][1]
    with pytest.raises(ValueError, match=r"differ in shape.*\(1, 3, 2, 40, 32\).*meta_keys"):
        preprocessor()(data)


def test_a_batch_of_deferred_clips_without_their_motions_is_found(folder):
    lost = batch(folder, ["Affine"], True, meta=("sample_seed",))
    told = r"shape .* \(1, 3, 1, 40, 32\).*'deferred_motion' in PackActionInputs.meta_keys"
    with pytest.raises(ValueError, match=told):
        preprocessor()(lost)


def test_clips_of_several_lengths_are_not_taken_for_deferred_ones(folder):
    data = batch(folder, ["Affine"], False)
    data["inputs"][1] = data["inputs"][1][:, :, :7]
    with pytest.raises(ValueError, match=r"8, 40.*7, 40.*one clip length and one size$"):
        preprocessor()(data)


@pytest.mark.parametrize("deferred", [True, False])
def test_clips_are_no_images(folder, deferred):
    layout = PMGDataPreprocessor(MEAN, STD, format_shape="NCHW")
    with pytest.raises(ValueError, match=r"data_preprocessor\.format_shape='NCTHW'"):
        layout(batch(folder, ["Affine"], deferred))


@pytest.mark.parametrize("ops", OPS, ids=" ".join)
def test_autocast_does_not_touch_what_is_rendered(folder, ops):
    """MMEngine calls the data preprocessor within autocast."""
    plain = preprocessor()(batch(folder, ops, True))["inputs"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(preprocessor()(batch(folder, ops, True))["inputs"], plain)


@pytest.mark.parametrize(
    ("ops", "fraction"), [(None, 15), (["SmoothDisplacement"], 15), (["Layered"], 5)]
)
def test_a_deferred_clip_crosses_in_a_fraction_of_the_bytes(ops, fraction):
    """16 x 224 x 224: what a data worker sends to the training process."""
    image = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    sent = {}
    for deferred in (True, False):
        results = PMGPipeline(ops, deferred=deferred)(
            {"imgs": [image], "sample_seed": 1, "load_partner": lambda: image}
        )
        frames = sum(frame.nbytes for frame in results["imgs"])
        motion = pickle.dumps(results["motion"], pickle.HIGHEST_PROTOCOL)
        sent[deferred] = frames + (len(motion) if deferred else 0)
        assert 1000 < len(motion) < (20000 if ops else 4000)
    assert sent[False] == 16 * 224 * 224 * 3
    assert sent[True] < sent[False] / fraction


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (dict(with_flow=True, blending=dict(type="ClipMixup")), "no single flow"),
        (dict(flip_ratio=1.5), r"flip_ratio=1\.5 is not a number in \[0, 1\]"),
        (dict(flip_ratio="0.5"), r"data_preprocessor: flip_ratio='0\.5' is not a number"),
        (dict(flip_ratio=True), "flip_ratio=True is not a number"),
        (dict(format_shape="NTCHW"), "format_shape='NTCHW' is unknown; choose one of NCTHW"),
        (dict(mean=MEAN), "mean and std belong together"),
    ],
)
def test_options_that_cannot_be_are_named(options, told):
    with pytest.raises(ValueError, match=told):
        PMGDataPreprocessor(**options)
