from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import RepeatDataset
from mmengine.registry import init_default_scope

from mmpmg.datasets import ImageToPseudoVideo, SampleSeedSampler, SeededRepeatAugDataset
from mmpmg.visualization.training_samples import (
    isolated_randomness,
    private_copy,
    read_samples,
    spread_indices,
)


class FlatImages:
    """A source of six noisy images."""

    def __len__(self) -> int:
        return 6

    def name(self, index: int) -> str:
        return f"image {index}"

    def load(self, index: int) -> np.ndarray:
        return np.random.default_rng(index).integers(0, 256, (40, 48, 3), dtype=np.uint8)


def pipeline(*between: dict) -> list[dict]:
    return [
        dict(type="RandomResizedCrop"),
        dict(type="Resize", scale=(32, 32), keep_ratio=False),
        dict(type="Flip", flip_ratio=0.5),
        dict(type="PMGPipeline", num_frames=4),
        *between,
        dict(type="FormatShape", input_format="NCTHW"),
        dict(type="PackActionInputs", meta_keys=("sample_seed", "filename")),
    ]


@pytest.fixture
def dataset() -> ImageToPseudoVideo:
    init_default_scope("mmaction")
    return ImageToPseudoVideo(images=FlatImages(), pipeline=pipeline())


def global_draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002


def test_samples_are_those_that_training_sees(dataset: ImageToPseudoVideo) -> None:
    samples = read_samples(dataset, [1, 4], seed=3)
    SampleSeedSampler(dataset, seed=3)
    for index, sample in zip((1, 4), samples, strict=True):
        trained = dataset[index]
        assert torch.equal(sample.packed["inputs"], trained["inputs"])
        seeds = [x["data_samples"].metainfo["sample_seed"] for x in (sample.packed, trained)]
        assert seeds[0] == seeds[1]
        assert sample.name == f"image {index}"
        # [V, C, T, H, W] against [T, H, W, C]
        np.testing.assert_array_equal(sample.clip, trained["inputs"][0].permute(1, 2, 3, 0))


def test_reading_leaves_dataset_and_generators_alone(dataset: ImageToPseudoVideo) -> None:
    sampler = SampleSeedSampler(dataset, seed=3)
    sampler.set_epoch(5)
    expected = dataset[2]["inputs"]
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    undisturbed = global_draws()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    first = read_samples(dataset, [2], seed=3)[0]
    assert global_draws() == undisturbed
    assert torch.equal(dataset[2]["inputs"], expected)  # still epoch 5, still packed plainly
    assert not torch.equal(first.packed["inputs"], expected)  # that was epoch 0
    sampler.set_epoch(0)
    assert torch.equal(first.packed["inputs"], dataset[2]["inputs"])


def test_a_repeating_wrapper_is_copied_with_its_seeds(dataset: ImageToPseudoVideo) -> None:
    wrapper = RepeatDataset(dataset, times=2)
    SampleSeedSampler(wrapper, seed=3).set_epoch(5)
    expected = [wrapper[index]["inputs"] for index in (2, 8)]
    samples = read_samples(wrapper, [2, 8], seed=3)
    assert not torch.equal(samples[0].packed["inputs"], samples[1].packed["inputs"])
    for index, before in zip((2, 8), expected, strict=True):
        assert torch.equal(wrapper[index]["inputs"], before)


def test_a_copy_shares_the_source_only(dataset: ImageToPseudoVideo) -> None:
    other = private_copy(dataset)
    assert other.source is dataset.source
    assert other.seed_sample is not dataset.seed_sample
    assert other.pipeline.transforms[0] is not dataset.pipeline.transforms[0]


def test_the_flow_belongs_to_the_clip(dataset: ImageToPseudoVideo) -> None:
    sample = read_samples(dataset, [0])[0]
    assert sample.motion is not None
    assert sample.family == sample.motion.family
    assert (sample.motion.num_frames, *sample.motion.size) == sample.clip.shape[:3]


def test_no_flow_where_a_later_transform_moves_the_pixels() -> None:
    init_default_scope("mmaction")
    flipped = pipeline(dict(type="Flip", flip_ratio=1.0))
    sample = read_samples(ImageToPseudoVideo(images=FlatImages(), pipeline=flipped), [0])[0]
    assert sample.motion is None
    assert sample.family in ("ZoomInOut", "Affine")


def test_prepare_sees_the_transforms_of_the_copy_alone(dataset: ImageToPseudoVideo) -> None:
    def slow_down(transform: Any) -> None:
        if hasattr(transform, "num_frames"):
            transform.num_frames = 2

    assert len(read_samples(dataset, [0], prepare=slow_down)[0].clip) == 2
    assert len(read_samples(dataset, [0])[0].clip) == 4


def test_what_cannot_be_drawn_is_refused() -> None:
    init_default_scope("mmaction")
    steps = [step for step in pipeline() if step["type"] != "FormatShape"]
    with pytest.raises(ValueError, match="FormatShape"):
        read_samples(ImageToPseudoVideo(images=FlatImages(), pipeline=steps[:-1]), [0])
    with pytest.raises(ValueError, match="must be 1 or more"):
        spread_indices(10, 0)


def test_generators_come_back_after_an_error() -> None:
    state = copy.deepcopy(np.random.get_state()[1])  # noqa: NPY002
    torch_state = torch.get_rng_state()
    with pytest.raises(KeyError), isolated_randomness(0):  # noqa: PT012
        global_draws()
        raise KeyError
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize(("size", "count"), [(10, 3), (10, 10), (3, 8), (1, 1)])
def test_indices_are_spread_and_repeatable(size: int, count: int) -> None:
    chosen = spread_indices(size, count)
    assert len(set(chosen)) == len(chosen) == min(size, count)
    assert chosen[0] == 0
    assert chosen[-1] < size
    assert size - chosen[-1] <= -(-size // len(chosen))


@pytest.mark.parametrize(
    "motion", [dict(type="PMGPipeline", num_frames=4), dict(type="PMGAug", prob=1.0)], ids=str
)
def test_a_deferred_clip_is_drawn_as_it_will_be_rendered(motion: dict) -> None:
    init_default_scope("mmaction")
    datasets = []
    for where in (True, False):
        steps = pipeline()
        steps[3] = dict(motion, deferred=where)
        steps[-1] = dict(steps[-1], meta_keys=("sample_seed", "deferred_motion"))
        datasets.append(ImageToPseudoVideo(images=FlatImages(), pipeline=steps))
    deferred, plain = datasets
    (drawn,) = read_samples(deferred, [2], seed=3)
    (rendered,) = read_samples(plain, [2], seed=3)
    assert "deferred_motion" not in drawn.packed["data_samples"]
    np.testing.assert_array_equal(drawn.clip, rendered.clip)
    assert deferred.pipeline.transforms[3].deferred, "the training's own transform is left alone"


def test_of_repeated_augmentation_the_first_draw_is_shown(tmp_path: Path) -> None:
    init_default_scope("mmaction")
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for number in range(12):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    (tmp_path / "list.txt").write_text("a.avi 0")
    steps = [
        dict(type="DecordInit"),
        dict(type="SampleFrames", clip_len=4, frame_interval=1),
        dict(type="DecordDecode"),
        *pipeline()[1:3],
        *pipeline()[4:],
    ]
    videos = SeededRepeatAugDataset(str(tmp_path / "list.txt"), steps, dict(video=str(tmp_path)))
    (sample,) = read_samples(videos, [0], seed=3)
    SampleSeedSampler(videos, seed=3)
    drawn = videos[0][0]["inputs"][0].permute(1, 2, 3, 0).numpy()
    np.testing.assert_array_equal(sample.clip, drawn)
