"""Real videos and still images in one dataloader, through the recipe of the paper's Table 9."""

from __future__ import annotations

import json
import math

import pytest
from integration.tiny_runs import SHORT, TINY_BACKBONE, options_of
from mmaction.registry import HOOKS
from mmengine.hooks import Hook

from mmpmg.engine.training import train

RECIPE = "pmg/vit-b_hmdb51-videos_aug_pass-shaders1k.py"
PARTS = "train_dataloader.dataset.parts"


@HOOKS.register_module()
class NoteBatches(Hook):
    """Notes what each batch is made of, before the model takes it over."""

    batches: list[list[tuple[str, bool, tuple[int, ...]]]] = []

    def before_run(self, runner):
        type(self).batches = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        samples = zip(data_batch["inputs"], data_batch["data_samples"], strict=True)
        self.batches.append([
            (sample.metainfo["filename"], "deferred_motion" in sample.metainfo, tuple(clip.shape))
            for clip, sample in samples
        ])  # fmt: skip


@pytest.mark.parametrize("deferred", [True, False])
def test_the_mixture_of_table_9_trains_with_stated_shares(deferred, videos, pictures, tmp_path):
    """The videos' own pseudo-motion clips are rendered by the worker in both cases."""
    images = f"{PARTS}.images.images.sources"
    changes = {
        **TINY_BACKBONE,
        **SHORT,
        "model.branches.pixel.neck.embed_dims": 12,
        "model.branches.pixel.neck.depth": 1,
        "model.branches.pixel.neck.num_heads": 3,
        "train_cfg.max_epochs": 3,
        "train_dataloader.num_workers": 1,
        "train_dataloader.persistent_workers": True,
        f"{PARTS}.videos.ann_file": str(videos),
        f"{PARTS}.videos.data_prefix.video": str(videos.parent),
        f"{PARTS}.videos.pipeline.frames.clip_len": 4,
        f"{PARTS}.videos.pipeline.frames.frame_interval": 2,
        f"{PARTS}.videos.pipeline.motion.prob": 0.5,
        f"{images}.people_free.root": str(pictures),
        f"{images}.shaders.root": str(pictures),
        f"{PARTS}.images.images.num_images": 32,
        f"{PARTS}.images.pipeline.motion.num_frames": 4,
        f"{PARTS}.images.pipeline.motion.deferred": deferred,
        "train_dataloader.dataset.weights": dict(videos=1, images=3),
        "train_dataloader.dataset.num_samples": 24,
        "custom_hooks": [dict(type="NoteBatches")],
        "experiment_name": f"mixture-{deferred}",
    }
    for part in ("videos", "images"):
        changes[f"{PARTS}.{part}.pipeline.crop.input_size"] = 32
        changes[f"{PARTS}.{part}.pipeline.resize.scale"] = (32, 32)
    train(options_of(RECIPE, tmp_path, changes))
    epochs = [NoteBatches.batches[first : first + 6] for first in (0, 6, 12)]
    assert len(NoteBatches.batches) == 18
    seen_images, seen_videos = [], []
    for epoch in epochs:
        samples = [sample for batch in epoch for sample in batch]
        films = [name for name, _, _ in samples if "picture" not in name]
        assert len(films) == 6 and len(samples) == 24
        seen_videos += films
        seen_images += [name for name, _, _ in samples if "picture" in name]
        for name, is_deferred, shape in samples:
            assert is_deferred == (deferred and "picture" in name)
            assert shape == (1, 3, 1 if is_deferred else 4, 32, 32)
    assert (
        any(len({shape for _, _, shape in batch}) == 2 for batch in NoteBatches.batches) is deferred
    )
    # 18 turns of 8 videos: two or three of each; 54 of 32 images: one or two.
    assert {seen_videos.count(name) for name in seen_videos} == {2, 3}
    assert len(set(seen_videos)) == 8 and len(set(seen_images)) == 32
    assert {seen_images.count(name) for name in seen_images} == {1, 2}
    (log,) = tmp_path.glob("*/vis_data/scalars.json")
    losses = [json.loads(line)["loss"] for line in log.read_text().splitlines()]
    assert len(losses) == 18 and all(0.3 < loss < 10 for loss in losses)
    assert all(map(math.isfinite, losses))
