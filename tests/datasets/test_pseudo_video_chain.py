"""Images → MMAction2's crops → pseudo motion → packed clips: the whole data side, for real."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from PIL import Image
from torch.utils.data import DataLoader

from mmpmg.datasets import SampleSeedSampler

FAMILIES = [
    "Identity",
    "SlidingWindow",
    "ZoomInOut",
    "FadeInOut",
    "Affine",
    "Perspective",
    "ColorJitter",
    "CutMix",
]
# The paper's .05 moves no corner of so small an image.
PERSPECTIVE = {"type": "Perspective", "distortion": 0.4}


def _dataset(images: dict):
    init_default_scope("mmaction")
    pipeline = {
        "crop": {"type": "MultiScaleCrop", "input_size": 32, "scales": (1, 0.8)},
        "resize": {"type": "Resize", "scale": (32, 32), "keep_ratio": False},
        "flip": {"type": "Flip", "flip_ratio": 0.5},
        "motion": {
            "type": "PMGPipeline",
            "num_frames": 4,
            "ops": {**{f.lower(): {"type": f} for f in FAMILIES}, "perspective": PERSPECTIVE},
        },
        "layout": {"type": "FormatShape", "input_format": "NCTHW"},
        "pack": {"type": "PackActionInputs", "meta_keys": ("sample_seed", "filename")},
    }
    return DATASETS.build({"type": "ImageToPseudoVideo", "images": images, "pipeline": pipeline})


def _clips(images: dict, epochs: int, workers: int = 0, persistent: bool = False) -> list[str]:
    dataset = _dataset(images)
    sampler = SampleSeedSampler(dataset, seed=4)
    loader = DataLoader(
        dataset,
        3,
        sampler=sampler,
        num_workers=workers,
        persistent_workers=persistent,
        multiprocessing_context="fork" if workers else None,
        collate_fn=pseudo_collate,
    )
    digests = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        for batch in loader:
            for clip, sample in zip(batch["inputs"], batch["data_samples"], strict=True):
                assert tuple(clip.shape) == (1, 3, 4, 32, 32)
                assert clip.dtype == torch.uint8
                name = f"{sample.metainfo['filename']} {sample.metainfo['sample_seed']} "
                digests.append(name + hashlib.sha256(clip.numpy().tobytes()).hexdigest())
    return digests


@pytest.fixture
def folder(tmp_path):
    """A folder of twelve images of all kinds and sizes, one of them broken."""
    rng = np.random.default_rng(0)
    for i in range(11):
        picture = rng.integers(0, 256, (40 + 7 * i, 90 - 4 * i, 3), dtype=np.uint8)
        mode = ("RGB", "L", "RGBA", "P")[i % 4]
        Image.fromarray(picture).convert(mode).save(tmp_path / f"{i}.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:400])
    return {"type": "FolderImages", "root": str(tmp_path), "cache": False}


@pytest.mark.parametrize("source", ["folder", "shaders"])
def test_clips_do_not_depend_on_workers_and_differ_between_epochs(source, folder):
    images = {"type": "ShaderImages", "num_categories": 12, "images_per_category": 1, "size": 40}
    images = folder if source == "folder" else images
    alone = _clips(images, 2)
    assert len(alone) == 24
    assert len(set(alone)) == 24
    assert _clips(images, 2, workers=1) == alone
    assert _clips(images, 2, workers=2, persistent=True) == alone
