"""On a GPU: the clips and the flow of the data worker, and a host that never waits."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest
import torch
from mmaction.structures import ActionDataSample
from motion.layered_motions import FRAMES, SIZE, layered, path

from mmpmg.models.data_preprocessors import PMGDataPreprocessor
from mmpmg.models.data_preprocessors.clip_flow import batch_flow
from mmpmg.motion import OPS, build_op, render
from mmpmg.motion.flow_torch import flow_batch
from mmpmg.motion.render_torch import render_batch

pytestmark = pytest.mark.gpu
ENTRIES = [
    *OPS,
    {"type": "Affine", "border": (9, 80, 200)},
    {"type": "Affine", "border": "replicate", "rotation": (-40, 40), "resampling": "composed"},
    {"type": "Perspective", "distortion": 0.4, "resampling": "composed"},
    {"type": "ColorJitter", "resampling": "composed"},
]


def all_motions():
    """Every family in both modes, and layers, deformations and pastes together."""
    motions = [
        build_op(entry).sample(np.random.default_rng(k), FRAMES, SIZE)
        for k, entry in enumerate(ENTRIES)
    ]
    motions += [layered(seed, parts, paste=parts == 2) for seed, parts in enumerate((1, 2, 4))]
    return [*motions, path(np.random.default_rng(0), True, tilted=True)]


def stills(count):
    """(count, 4, 3, H, W) uint8: four images for each motion."""
    noise = np.random.default_rng(0).integers(0, 256, (count, 4, *SIZE, 3), dtype=np.uint8)
    smooth = np.array([[cv2.GaussianBlur(image, (3, 3), 0) for image in each] for each in noise])
    return torch.from_numpy(smooth).permute(0, 1, 4, 2, 3).contiguous()


def batch():
    """A deferred sample of every motion, and a real clip."""
    samples, inputs = [], []
    motions = all_motions()
    for k, (motion, images) in enumerate(zip(motions, stills(len(motions)))):
        inputs.append(images[: motion.num_images].transpose(0, 1)[None])
        samples.append(ActionDataSample(metainfo=dict(sample_seed=k, deferred_motion=motion)))
    inputs.append(torch.randint(0, 256, (1, 3, FRAMES, *SIZE), dtype=torch.uint8))
    samples.append(ActionDataSample(metainfo=dict(sample_seed=99)))
    return dict(inputs=inputs, data_samples=samples)


@pytest.fixture
def host_must_not_wait():
    """Raise where the host waits for the device, and prove that it would be noticed."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="synchronizing"):
            torch.ones(1, device="cuda").item()
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_clips_are_those_of_the_data_worker() -> None:
    motions = all_motions()
    images = stills(len(motions))
    ours = render_batch(images[:, 0].cuda(), motions, images[:, 1:].cuda()).cpu()
    for k, motion in enumerate(motions):
        source, *partners = images[k].permute(0, 2, 3, 1).contiguous().numpy()
        theirs = render(source, motion, partners).astype(int)
        difference = np.abs(ours[k].permute(1, 2, 3, 0).numpy().astype(int) - theirs)
        assert difference.max() <= 2 and difference.mean() <= 0.1, motion.family


def test_flow_is_the_motions_own() -> None:
    motions = all_motions()
    flow, covisible = (each.cpu().numpy() for each in flow_batch(motions, "cuda"))
    for k, motion in enumerate(motions):
        off = np.abs(flow[k] - motion.flow()) > 1e-4 * (1 + np.abs(motion.flow()))
        share = 1e-3 if motion.layers else 0
        assert off.mean() <= share, motion.family
        assert (covisible[k] != motion.covisible()).mean() <= share, motion.family


@pytest.mark.parametrize("options", [dict(with_flow=True), dict(blending=dict(type="ClipMixup"))])
def test_the_whole_preprocessor_does_there_what_it_does_here(options) -> None:
    options = dict(mean=[120.0] * 3, std=[60.0] * 3, flip_ratio=0.5, **options)
    data = batch()
    here = PMGDataPreprocessor(**options)(copy.deepcopy(data), training=True)
    there = PMGDataPreprocessor(**options).cuda()(data, training=True)
    assert there["inputs"].is_cuda
    assert ((there["inputs"].cpu() - here["inputs"]).abs() * 60).max() < 2.01
    if options.get("with_flow"):
        ours, theirs = (batch_flow(each["data_samples"][:-1]) for each in (there, here))
        assert ours[0].is_cuda and "flow" not in there["data_samples"][-1]
        assert ((ours[0].cpu() - theirs[0]).abs() > 1e-3).float().mean() < 1e-3


@pytest.mark.parametrize("kind", [None, "ClipMixup", "ClipVideoMix"])
def test_the_host_never_waits(host_must_not_wait, kind) -> None:
    blending = None if kind is None else dict(type=kind)
    preprocessor = PMGDataPreprocessor(
        [120.0] * 3, [60.0] * 3, blending=blending, with_flow=kind is None, flip_ratio=0.5
    ).cuda()
    data = batch()
    data["inputs"] = [clip.pin_memory() for clip in data["inputs"]]
    with torch.autocast("cuda", dtype=torch.bfloat16):
        assert preprocessor(data, training=True)["inputs"].dtype == torch.float32
