import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmpmg.datasets import SeededRepeatAugDataset

PIPELINE = [
    dict(type="DecordInit"),
    dict(type="SampleFrames", clip_len=4, frame_interval=1),
    dict(type="DecordDecode"),
    dict(type="ClipRandAugment"),
    dict(type="RandomResizedCrop", area_range=(0.3, 1.0)),
    dict(type="Resize", scale=(16, 16), keep_ratio=False),
    dict(type="RandomErasing", erase_prob=0.5, mode="rand"),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs", meta_keys=("filename",)),
]


@pytest.fixture
def videos(tmp_path):
    init_default_scope("mmaction")
    rng = np.random.default_rng(0)
    lines = []
    for number in range(4):
        name = f"{number}.avi"
        writer = cv2.VideoWriter(
            str(tmp_path / name), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48)
        )
        for _ in range(12):
            writer.write(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        writer.release()
        lines.append(f"{name} {number}")
    (tmp_path / "list.txt").write_text("\n".join(lines))
    return tmp_path


def epoch(videos, number, num_workers):
    loader = Runner.build_dataloader(
        dict(
            batch_size=2, num_workers=num_workers,
            sampler=dict(type="SampleSeedSampler", shuffle=True),
            collate_fn=dict(type="repeat_pseudo_collate"),
            dataset=dict(
                type="SeededRepeatAugDataset", ann_file=str(videos / "list.txt"),
                data_prefix=dict(video=str(videos)), pipeline=PIPELINE,
            ),
        ),
        seed=0,
    )  # fmt: skip
    loader.sampler.set_epoch(number)
    return torch.stack([clip for batch in loader for clip in batch["inputs"]])


def test_an_epoch_follows_from_its_number_on_any_number_of_workers(videos):
    """So a run resumed at epoch 3 sees what an uninterrupted one sees."""
    third = epoch(videos, 3, 0)
    assert third.shape == (8, 1, 3, 4, 16, 16)  # two draws of four videos
    assert torch.equal(third, epoch(videos, 3, 1))
    assert torch.equal(third, epoch(videos, 3, 2))
    assert not torch.equal(third, epoch(videos, 4, 0))


def test_the_two_draws_of_a_video_differ(videos):
    clips = epoch(videos, 0, 0)
    assert all(not torch.equal(clips[i], clips[i + 1]) for i in range(0, 8, 2))


def test_a_mistyped_key_raises():
    with pytest.raises(TypeError, match="num_repeat"):
        SeededRepeatAugDataset("list.txt", [], num_repeat=3)
