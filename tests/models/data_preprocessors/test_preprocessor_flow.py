"""Flow and flip on the model's side: one interface, whoever rendered the clip."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from integration.tiny_runs import write_videos
from mmaction.registry import DATASETS
from mmaction.structures import ActionDataSample
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmpmg.datasets import SampleSeedSampler
from mmpmg.models.data_preprocessors import PMGDataPreprocessor
from mmpmg.models.data_preprocessors.clip_flow import attach_flow, batch_flow

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


def real_clips(tmp_path, **pack):
    """The eight small videos, four frames of 32 x 32, with their estimated flow."""
    listing, _ = write_videos(tmp_path / "videos")
    dataset = DATASETS.build(
        dict(
            type="CheckedVideoDataset",
            ann_file=str(listing),
            data_prefix=dict(video=str(listing.parent)),
            pipeline=[
                dict(type="SeedSample"),
                dict(type="DecordInit"),
                dict(type="SampleFrames", clip_len=4, frame_interval=2),
                dict(type="DecordDecode"),
                dict(type="Resize", scale=(32, 32), keep_ratio=False),
                dict(type="DenseFlow"),
                dict(type="FormatShape", input_format="NCTHW"),
                dict(type="PackActionInputs", meta_keys=SEED_KEYS, **pack),
            ],
        )
    )
    sampler = SampleSeedSampler(dataset, shuffle=False, seed=0)
    cv2.setNumThreads(1)  # as a run does: threads that `folder` started are not in a forked worker
    return DataLoader(dataset, 4, sampler=sampler, num_workers=1, collate_fn=pseudo_collate)


@pytest.mark.parametrize("flip_ratio", [0.0, 1.0])
def test_estimated_flow_comes_through_a_loader_and_is_mirrored_with_its_clip(folder, flip_ratio):
    preprocessor = PMGDataPreprocessor(with_flow=True, flip_ratio=flip_ratio)
    for data in real_clips(folder, algorithm_keys=("flow", "covisible")):
        packed = [torch.as_tensor(sample.flow).float() for sample in data["data_samples"]]
        data = preprocessor(data, training=True)
        flow, seen = batch_flow(data["data_samples"])
        assert flow.shape == (4, 3, 32, 32, 2) and flow.dtype == torch.float32
        assert seen.shape == (4, 3, 32, 32) and seen.dtype == torch.bool
        assert seen.float().mean() > 0.5
        for clip, found, before in zip(data["inputs"], flow, packed, strict=True):
            mirrored = before.flip(2) * torch.tensor([-1.0, 1.0])
            assert torch.equal(found, mirrored if flip_ratio else before)
            # What is seen along the flow is the frame before: flow and clip are of one mind.
            frames = clip[0].permute(1, 2, 3, 0).numpy()
            y, x = np.mgrid[:32, :32].astype(np.float32)
            at = found[0].numpy() + np.stack([x, y], axis=-1)
            along = cv2.remap(frames[1], at[..., 0], at[..., 1], cv2.INTER_LINEAR)
            inner = np.s_[4:-4, 8:-8]
            off, still = (np.abs(f - frames[0])[inner].mean() for f in (along, frames[1]))
            assert off < 0.5 * still


def test_real_clips_without_the_keys_are_told_what_to_name(folder):
    data = next(iter(real_clips(folder)))
    data = PMGDataPreprocessor(with_flow=True)(data)
    with pytest.raises(ValueError, match=r"DenseFlow.*algorithm_keys=\('flow', 'covisible'\)"):
        batch_flow(data["data_samples"])


def views_with_flow(count=2, shape=(4, 16, 24)):
    """One sample of so many clips, each with a flow of its own."""
    frames, height, width = shape
    rng = np.random.default_rng(0)
    flow = rng.normal(size=(count, frames - 1, height, width, 2)).astype(np.float32)
    sample = ActionDataSample(metainfo=dict(sample_seed=1))
    sample.set_field(flow if count > 1 else flow[0], "flow")
    seen = flow[..., 0] > 0
    sample.set_field(seen if count > 1 else seen[0], "covisible")
    clip = torch.zeros((count, 3, *shape), dtype=torch.uint8)
    return dict(inputs=[clip], data_samples=[sample]), torch.from_numpy(flow)


@pytest.mark.parametrize("count", [1, 2])
def test_every_view_has_its_flow_and_a_second_pass_changes_nothing(count):
    data, expected = views_with_flow(count)
    samples = PMGDataPreprocessor(with_flow=True, flip_ratio=1.0)(data, True)["data_samples"]
    flow, seen = batch_flow(samples)
    assert torch.equal(flow, expected.flip(-2) * torch.tensor([-1.0, 1.0]))
    assert torch.equal(seen, (expected[..., 0] > 0).flip(-1))
    attach_flow(samples, torch.device("cpu"))
    again, _ = batch_flow(samples)
    assert torch.equal(again, flow)


@pytest.mark.parametrize("cut", [np.s_[:, :, :, :8], np.s_[:, :, :3], np.s_[:1]])
def test_a_flow_of_another_size_than_its_clip_is_an_error(cut):
    data, _ = views_with_flow()
    data["inputs"] = [data["inputs"][0][cut]]
    with pytest.raises(ValueError, match=r"flow of \(views, T-1, H, W\) = \(2, 3, 16, 24\).*crop"):
        PMGDataPreprocessor(with_flow=True)(data)
