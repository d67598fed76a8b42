"""PMGAug that leaves its clips to the device: batches of real and deferred clips."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose, pseudo_collate

from mmpmg.models.data_preprocessors import PMGDataPreprocessor

FRAMES, SIZE, COUNT = 6, (24, 20), 12
META = ("sample_seed", "deferred_motion", "motion")


def video(seed, frames=FRAMES):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (30, 40, 3), dtype=np.uint8) for _ in range(frames)]


def pipeline(deferred, prob=0.5, ops=None):
    """MMAction2's own transforms on both sides."""
    steps = (
        dict(type="Resize", scale=SIZE[::-1], keep_ratio=False),
        dict(type="PMGAug", prob=prob, deferred=deferred, ops=ops),
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs", meta_keys=META),
    )
    return Compose([TRANSFORMS.build(step) for step in steps])


def batch(deferred, clips=1, **options):
    packed = []
    for seed in range(COUNT):
        imgs = video(seed, clips * FRAMES)
        results = dict(
            imgs=imgs, img_shape=(30, 40), clip_len=FRAMES, num_clips=clips, label=seed,
            modality="RGB", sample_seed=seed,
        )  # fmt: skip
        packed.append(pipeline(deferred, **options)(results))
    return pseudo_collate(packed)


@pytest.mark.parametrize("ops", [None, ["CutMix"], ["SlidingWindow", "ColorJitter"]], ids=str)
def test_real_and_deferred_clips_make_the_batch_that_the_worker_would_have_made(ops):
    deferred, rendered = batch(True, ops=ops), batch(False, ops=ops)
    lengths = [clip.shape[2] for clip in deferred["inputs"]]
    assert FRAMES in lengths and min(lengths) <= 2, "both kinds of clips are there"
    waiting = ["deferred_motion" in sample for sample in deferred["data_samples"]]
    assert waiting == [length != FRAMES for length in lengths]
    ours = PMGDataPreprocessor()(deferred)
    theirs = PMGDataPreprocessor()(rendered)
    assert ours["inputs"].shape == (COUNT, 1, 3, FRAMES, *SIZE)
    assert (ours["inputs"] - theirs["inputs"]).abs().max() <= 2
    real = torch.tensor([not waits for waits in waiting])
    assert torch.equal(ours["inputs"][real], theirs["inputs"][real])
    assert [s.gt_label.item() for s in ours["data_samples"]] == list(range(COUNT))


def test_deferred_beside_rendered_beside_real_clips():
    """Two data sets in one batch: whose worker rendered, and whose did not."""
    deferred, rendered = batch(True), batch(False)
    for k in range(0, COUNT, 2):
        for key in deferred:
            deferred[key][k] = rendered[key][k]
    ours = PMGDataPreprocessor(with_flow=True)(deferred)
    theirs = PMGDataPreprocessor(with_flow=True)(batch(False))
    assert (ours["inputs"] - theirs["inputs"]).abs().max() <= 2
    replaced = ["motion" in s for s in theirs["data_samples"]]
    assert 0 < sum(replaced) < COUNT
    for a, b, moved in zip(ours["data_samples"], theirs["data_samples"], replaced):
        assert ("flow" in a) is ("flow" in b) is moved
        if moved:
            assert torch.equal(a.flow, b.flow) and torch.equal(a.covisible, b.covisible)


def test_samples_of_several_clips_are_rendered_by_the_worker():
    deferred, rendered = batch(True, clips=3, prob=1.0), batch(False, clips=3, prob=1.0)
    for ours, theirs in zip(deferred["inputs"], rendered["inputs"]):
        assert ours.shape == (3, 3, FRAMES, *SIZE)
        assert torch.equal(ours, theirs)
    assert not any("deferred_motion" in sample for sample in deferred["data_samples"])


def test_where_to_render_is_decided_by_the_machine_or_by_the_recipe(monkeypatch):
    def build(**options):
        return TRANSFORMS.build(dict(type="PMGAug", prob=0.5, **options))

    for gpu in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda gpu=gpu: gpu)
        assert build(deferred="auto").deferred is gpu
        assert build(deferred=True).deferred is True
        assert build().deferred is False, "it must fit any pipeline, also without our preprocessor"
    with pytest.raises(ValueError, match=r"PMGAug: deferred=1 must be True, False or 'auto'"):
        build(deferred=1)
