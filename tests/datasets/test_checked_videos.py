"""Video datasets: repeated draws by seed; corrupt, missing and deadly files."""

import os
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import COLLATE_FUNCTIONS, pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmpmg.datasets import (
    CheckedVideoDataset,
    SampleSeedSampler,
    SeededRepeatAugDataset,
    TooManyBadSamplesError,
    VideoReadError,
)
from mmpmg.engine.dead_workers import DataWorkerError, run_naming_dead_workers

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


CLIPS = [
    dict(type="SeedSample"),
    dict(type="DecordInit"),
    dict(type="SampleFrames", clip_len=4, frame_interval=1),
    dict(type="DecordDecode"),
    dict(type="Resize", scale=(16, 16), keep_ratio=False),
    dict(type="FormatShape", input_format="NCTHW"),
    dict(type="PackActionInputs", meta_keys=("filename", "sample_seed")),
]


def listed(videos, **options):
    """Build the dataset of plain clips on a folder's list."""
    return CheckedVideoDataset(str(videos / "list.txt"), CLIPS, dict(video=str(videos)), **options)


def damage(video, how):
    """Spoil a video file in one of the ways in which files are spoilt."""
    data = video.read_bytes()
    if how == "empty":
        data = b""
    elif how == "text":
        data = b"<html>404 not found</html>"
    elif how == "cut short":
        data = data[: len(data) // 2]
    elif how == "no head":
        data = data[len(data) // 2 :]
    elif how == "an image":
        data = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    video.write_bytes(data)


def names(dataset, num_workers=0, collate=pseudo_collate):
    """Return (file, clip) of every sample in loader order."""
    loader = DataLoader(
        dataset, 1, sampler=SampleSeedSampler(dataset, shuffle=False, seed=3),
        num_workers=num_workers, collate_fn=collate,
        multiprocessing_context="fork" if num_workers else None,
    )  # fmt: skip
    return [
        (Path(sample.metainfo["filename"]).name, clip)
        for batch in loader
        for clip, sample in zip(batch["inputs"], batch["data_samples"])
    ]


@pytest.mark.parametrize("how", ["empty", "text", "cut short", "no head", "an image"])
def test_a_bad_video_is_named_and_replaced_alike_on_any_number_of_workers(videos, how):
    damage(videos / "2.avi", how)
    dataset = listed(videos)
    seen = names(dataset)
    assert [seen[k][0] for k in (0, 1, 3)] == ["0.avi", "1.avi", "3.avi"]
    assert seen[2][0] != "2.avi"
    assert [Path(name).name for name in dataset.bad_samples.names()] == ["2.avi"]
    for workers in (1, 2):
        again = names(listed(videos), workers)
        assert all(a == b and torch.equal(x, y) for (a, x), (b, y) in zip(seen, again))
    # Drawn by the seed of the place it fills: not the clip that the other video gives anyway.
    (other,) = [clip for name, clip in seen[:2] + seen[3:] if name == seen[2][0]]
    assert not torch.equal(other, seen[2][1])


def test_repeated_augmentation_replaces_a_bad_video_too(videos):
    damage(videos / "1.avi", "text")
    dataset = SeededRepeatAugDataset(str(videos / "list.txt"), PIPELINE, dict(video=str(videos)))
    collate = COLLATE_FUNCTIONS.get("repeat_pseudo_collate")
    seen = names(dataset, collate=collate)
    assert len(seen) == 8 and "1.avi" not in dict(seen)
    again = names(
        SeededRepeatAugDataset(str(videos / "list.txt"), PIPELINE, dict(video=str(videos))), 2,
        collate,
    )  # fmt: skip
    assert all(a == b and torch.equal(x, y) for (a, x), (b, y) in zip(seen, again))


def test_a_test_set_is_not_altered(videos):
    damage(videos / "2.avi", "cut short")
    with pytest.raises(VideoReadError, match=r"2\.avi: the AVI file is shorter than its header"):
        listed(videos, test_mode=True)[2]


def test_too_many_bad_videos_stop(videos):
    for number in range(3):
        damage(videos / f"{number}.avi", "empty")
    with pytest.raises(TooManyBadSamplesError, match=r"3 of the [34] videos tried .*max_bad_share"):
        names(listed(videos))


def test_errors_of_other_transforms_are_not_the_videos_fault(videos):
    dataset = listed(videos)
    dataset.pipeline.transforms.insert(4, lambda results: results["no such key"])
    with pytest.raises(KeyError, match="no such key"):
        dataset[0]


def test_missing_files_are_named_before_training_with_where_to_get_them(videos):
    with pytest.raises(FileNotFoundError, match=r"no\.txt \(ann_file\) does not exist\. Ask Bob"):
        CheckedVideoDataset(str(videos / "no.txt"), CLIPS, hint="Ask Bob.")
    (videos / "3.avi").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 of the 4 videos .*3\.avi.*data_prefix\.video"):
        listed(videos)
    (videos / "list.txt").write_text("")
    with pytest.raises(FileNotFoundError, match="names no video"):
        listed(videos)


def test_a_name_without_an_ending_is_an_mp4_as_mmaction2_reads_it(videos):
    (videos / "0.mp4").write_bytes((videos / "0.avi").read_bytes())
    (videos / "list.txt").write_text("0 7")
    assert listed(videos)[0]["data_samples"].gt_label.item() == 7


def test_a_worker_that_dies_leaves_the_name_of_its_video(videos):
    dataset = listed(videos)

    def die(results):
        if results["filename"].endswith("2.avi"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return results

    dataset.pipeline.transforms.insert(4, die)
    loader = DataLoader(
        dataset, 1, num_workers=2, multiprocessing_context="fork", collate_fn=pseudo_collate
    )
    with pytest.raises(DataWorkerError, match=r"died while it read \S*/2\.avi: mend"):
        run_naming_dead_workers(lambda: list(loader), loader)


@pytest.mark.parametrize("error", [RuntimeError("mine"), EOFError("mine")], ids=repr)
def test_other_errors_pass_unchanged(videos, error):
    def fail():
        raise error

    with pytest.raises(type(error), match="^mine$"):
        run_naming_dead_workers(fail, DataLoader(listed(videos)))
