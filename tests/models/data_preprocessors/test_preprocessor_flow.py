"""Flow and flip on the model's side: one interface, whoever rendered the clip."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmpmg.datasets import SampleSeedSampler
from mmpmg.models.data_preprocessors import PMGDataPreprocessor
from mmpmg.models.data_preprocessors.clip_flow import batch_flow

COUNT, FRAMES, SIZE = 6, 5, (40, 32)
FAMILIES = ["Affine", "Perspective", "SlidingWindow", "CutMix", "FadeInOut"]
SEED_KEYS = ("sample_seed", "filename")


@pytest.fixture
def folder(tmp_path):
    init_default_scope("mmaction")
    for number in range(COUNT):
        rng = np.random.default_rng(number)
        image = cv2.GaussianBlur(rng.integers(0, 256, (48, 60, 3), dtype=np.uint8), (5, 5), 0)
        cv2.imwrite(str(tmp_path / f"{number}.png"), image)
    return tmp_path


def batch(folder, deferred, meta=(), arrays=False):
    dataset = DATASETS.build(
        dict(
            type="ImageToPseudoVideo",
            images=dict(type="FolderImages", root=str(folder)),
            pipeline=[
                dict(type="Resize", scale=SIZE[::-1], keep_ratio=False),
                dict(
                    type="PMGPipeline",
                    ops=FAMILIES,
                    num_frames=FRAMES,
                    deferred=deferred,
                    with_flow=arrays,
                ),
                dict(type="FormatShape", input_format="NCTHW"),
                dict(
                    type="PackActionInputs",
                    meta_keys=(*SEED_KEYS, *meta),
                    algorithm_keys=("flow", "covisible"),
                ),
            ],
        )
    )
    SampleSeedSampler(dataset, seed=0)
    return pseudo_collate([dataset[k] for k in range(COUNT)])


ROUTES = {
    "deferred": dict(deferred=True, meta=("deferred_motion",)),
    "deferred, asked of the worker too": dict(
        deferred=True, meta=("deferred_motion", "motion"), arrays=True
    ),
    "rendered, motion packed": dict(deferred=False, meta=("motion",)),
    "rendered, worker's arrays": dict(deferred=False, arrays=True),
}


@pytest.mark.parametrize("flip_ratio", [0.0, 0.5])
@pytest.mark.parametrize("route", list(ROUTES.values())[1:], ids=list(ROUTES)[1:])
def test_all_routes_give_the_same_flow(folder, route, flip_ratio):
    preprocessor = PMGDataPreprocessor(with_flow=True, flip_ratio=flip_ratio)
    expected = preprocessor(batch(folder, **ROUTES["deferred"]), training=True)
    got = preprocessor(batch(folder, **route), training=True)
    flow, covisible = batch_flow(expected["data_samples"])
    assert flow.shape == (COUNT, FRAMES - 1, *SIZE, 2) and flow.dtype == torch.float32
    ours, seen = batch_flow(got["data_samples"])
    torch.testing.assert_close(ours, flow, atol=1e-4, rtol=0)
    assert torch.equal(seen, covisible) and covisible.dtype == torch.bool
    assert (got["inputs"] - expected["inputs"]).abs().max() <= 2
    assert flow.abs().amax(dim=(1, 2, 3, 4)).gt(0.5).sum() >= 3, "most families move"
    shapes = {sample.flow.shape for sample in got["data_samples"]}
    assert shapes == {(1, FRAMES - 1, *SIZE, 2)}, "the first axis is that of the views"


@pytest.mark.parametrize("flip_ratio", [0.0, 1.0])
def test_a_frame_sampled_along_the_flow_is_the_frame_before(folder, flip_ratio):
    """Whether mirrored or not: flow and clip are of one mind."""
    data = PMGDataPreprocessor(with_flow=True, flip_ratio=flip_ratio)(
        batch(folder, True, ("deferred_motion",)), training=True
    )
    flow, covisible = batch_flow(data["data_samples"])
    for b, sample in enumerate(data["data_samples"]):
        clip = data["inputs"][b, 0].permute(1, 2, 3, 0).numpy()
        if np.ptp(clip.mean(axis=(1, 2, 3))) > 20:
            continue  # a fade: the same points in other colours
        x, y = np.meshgrid(np.arange(SIZE[1], dtype=np.float32), np.arange(SIZE[0]))
        for k in range(FRAMES - 1):
            to = flow[b, k].numpy() + np.stack([x, y], -1).astype(np.float32)
            seen = cv2.remap(clip[k + 1], to[..., 0], to[..., 1], cv2.INTER_LINEAR)
            off = np.abs(seen - clip[k]).mean(-1)[covisible[b, k].numpy()]
            assert off.mean() < 9, (b, k, sample.filename)
            still = np.abs(clip[k + 1] - clip[k]).mean(-1)[covisible[b, k].numpy()]
            assert still.mean() < 1 or off.mean() < still.mean()


def test_flips_depend_on_the_sample_alone_and_come_in_training_only(folder):
    plain = PMGDataPreprocessor()(batch(folder, True, ("deferred_motion",)))["inputs"]
    flipping = PMGDataPreprocessor(flip_ratio=0.5)
    assert torch.equal(flipping(batch(folder, True, ("deferred_motion",)))["inputs"], plain)

    def flips(order):
        data = batch(folder, True, ("deferred_motion",))
        data = {key: [values[k] for k in order] for key, values in data.items()}
        clips = flipping(data, training=True)["inputs"]
        for clip, k in zip(clips, order):
            assert torch.equal(clip, plain[k]) or torch.equal(clip, plain[k].flip(-1))
        return {k: torch.equal(clip, plain[k].flip(-1)) for clip, k in zip(clips, order)}

    together, reversed_half = flips(range(COUNT)), flips([5, 3, 1])
    assert {k: together[k] for k in reversed_half} == reversed_half
    always = PMGDataPreprocessor(flip_ratio=1.0)
    mirrored = always(batch(folder, True, ("deferred_motion",)), training=True)["inputs"]
    assert torch.equal(mirrored, plain.flip(-1))


def test_the_share_of_flips_is_the_one_asked_for():
    clips = [torch.tensor([0, 1], dtype=torch.uint8).expand(1, 3, 2, 1, 2)] * 2000
    samples = [ActionDataSample(metainfo=dict(sample_seed=k)) for k in range(2000)]
    data = dict(inputs=clips, data_samples=samples)
    out = PMGDataPreprocessor(flip_ratio=0.3)(data, training=True)["inputs"]
    share = out[:, 0, 0, 0, 0, 0].mean().item()
    assert share == pytest.approx(0.3, abs=5 * (0.21 / 2000) ** 0.5)


def test_real_clips_have_no_flow_and_who_needs_it_is_told(folder):
    data = batch(folder, True, ("deferred_motion",))
    real = batch(folder, False)
    data["inputs"][2], data["data_samples"][2] = real["inputs"][2], real["data_samples"][2]
    samples = PMGDataPreprocessor(with_flow=True)(data)["data_samples"]
    assert ["flow" in sample for sample in samples] == [k != 2 for k in range(COUNT)]
    with pytest.raises(ValueError, match=r"1 of 6 samples have no flow \(the first: .*2\.png\)"):
        batch_flow(samples)
    with pytest.raises(ValueError, match=r"with_flow=True"):
        batch_flow(None)


def test_without_being_asked_no_flow_is_made(folder):
    samples = PMGDataPreprocessor()(batch(folder, True, ("deferred_motion",)))["data_samples"]
    assert not any("flow" in sample for sample in samples)


@pytest.mark.parametrize("training", [True, False])
def test_flow_that_nobody_asked_for_is_mirrored_with_the_clip(folder, training):
    """Worker's arrays, NumPy's or torch's, without with_flow."""
    kept = PMGDataPreprocessor(with_flow=True, flip_ratio=0.5)
    for convert in (lambda values: values, torch.as_tensor):
        expected = kept(batch(folder, False, arrays=True), training=training)
        data = batch(folder, False, arrays=True)
        for sample in data["data_samples"]:
            for key in ("flow", "covisible"):
                sample.set_field(convert(getattr(sample, key)), key)
        got = PMGDataPreprocessor(flip_ratio=0.5)(data, training=training)
        assert torch.equal(got["inputs"], expected["inputs"])
        for ours, theirs in zip(
            batch_flow(got["data_samples"]), batch_flow(expected["data_samples"])
        ):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("with_flow", [True, False])
def test_a_mirrored_sample_has_no_motion_that_is_not_its_own(folder, with_flow):
    meta = ("motion", "motions")
    plain = PMGDataPreprocessor()(batch(folder, False, meta))["inputs"]
    data = batch(folder, False, meta)
    out = PMGDataPreprocessor(with_flow=with_flow, flip_ratio=0.5)(data, training=True)
    mirrored = [not torch.equal(a, b) for a, b in zip(out["inputs"], plain)]
    assert 0 < sum(mirrored) < COUNT
    assert ["motion" not in sample for sample in out["data_samples"]] == mirrored


def test_half_of_the_workers_arrays_is_an_error(folder):
    data = batch(folder, False, arrays=True)
    del data["data_samples"][0].covisible
    with pytest.raises(ValueError, match=r"algorithm_keys=\('flow', 'covisible'\)"):
        PMGDataPreprocessor(with_flow=True)(data)
