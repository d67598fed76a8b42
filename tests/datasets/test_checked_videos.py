"""Video datasets: repeated draws by seed; corrupt, missing and deadly files."""

import copy
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmaction.datasets import VideoDataset
from mmaction.datasets.transforms import loading
from mmengine.dataset import COLLATE_FUNCTIONS, RepeatDataset, pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from mmpmg.datasets import (
    CheckedVideoDataset,
    SampleSeedSampler,
    SeededRepeatAugDataset,
    TooManyBadSamplesError,
    VideoReadError,
    checked_videos,
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


@pytest.mark.parametrize("how", ["empty", "text", "no head", "an image"])
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
    damage(videos / "2.avi", "text")
    with pytest.raises(
        VideoReadError, match=r"2\.avi: cannot be decoded .*begins with b'<html>404"
    ):
        listed(videos, test_mode=True)[2]


@pytest.mark.parametrize("size", [None, 0, 2**32 - 1], ids=["old size", "no size", "streamed"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_an_avi_cut_short_gives_the_frames_that_are_there_or_an_error(videos, share, size):
    """decord, handed such a file's bytes, would take the process with it."""
    data = bytearray((videos / "2.avi").read_bytes())
    data = data[: int(len(data) * share)]
    if size is not None:
        data[4:8] = size.to_bytes(4, "little")
    (videos / "2.avi").write_bytes(data)
    dataset = listed(videos, test_mode=True)
    opened = dataset.pipeline.transforms[1](dict(filename=str(videos / "2.avi")))
    assert 1 <= opened["total_frames"] <= 12
    try:
        clip = dataset[2]["inputs"]
    except VideoReadError as error:  # the cut went through a frame that was asked for
        assert "2.avi" in str(error)  # noqa: PT017
    else:
        assert clip.shape == (1, 3, 4, 16, 16)


def test_the_reader_is_mmaction2s_in_all_else(videos):
    ours, theirs = (
        listed(videos),
        VideoDataset(str(videos / "list.txt"), CLIPS[1:], dict(video=str(videos))),
    )
    results = [
        d.pipeline.transforms[k](dict(filename=str(videos / "1.avi")))
        for d, k in ((ours, 1), (theirs, 0))
    ]
    assert {**results[0], "video_reader": 0} == {**results[1], "video_reader": 0}
    for index in (0, 7):
        frames = [result["video_reader"][index].asnumpy() for result in results]
        np.testing.assert_array_equal(*frames)


def test_memory_that_runs_out_is_not_the_videos_fault(videos, monkeypatch):
    def full(self, results):
        raise MemoryError

    monkeypatch.setattr(loading.DecordDecode, "transform", full)
    with pytest.raises(MemoryError):
        listed(videos)[0]


def test_repetitions_of_a_replaced_video_differ(videos):
    damage(videos / "2.avi", "text")
    inner = listed(videos)
    wrapper = RepeatDataset(inner, times=3)
    SampleSeedSampler(wrapper, seed=3)
    seeds = [wrapper[k]["data_samples"].metainfo["sample_seed"] for k in range(12)]
    assert len(set(seeds)) == 12


def test_a_subset_keeps_a_record_that_its_workers_share(videos):
    damage(videos / "2.avi", "text")
    part = listed(videos).get_subset([2, 3])
    seen = names(part, num_workers=2)
    assert [name for name, _ in seen] == ["3.avi", "3.avi"]
    assert [Path(name).name for name in part.bad_samples.names()] == ["2.avi"]
    assert copy.deepcopy(part).bad_samples._seen.is_shared()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b.avi 3\n\n", [("a b.avi", 3)]),
        ("\ufeffa b.avi\t3\r\n", [("a b.avi", 3)]),
        ("0.avi ²", None),  # no decimal digit: part of the name, and no such file
        ("a b.avi\n0.avi", [("a b.avi", -1), ("0.avi", -1)]),
    ],
)
@pytest.mark.parametrize("kind", [CheckedVideoDataset, SeededRepeatAugDataset])
def test_lists_with_spaces_tabs_marks_and_blank_lines(videos, kind, text, expected):
    (videos / "0.avi").rename(videos / "a b.avi")
    (videos / "0.avi").write_bytes((videos / "a b.avi").read_bytes())
    (videos / "list.txt").write_text(text, encoding="utf-8", newline="")
    if expected is None:
        with pytest.raises(FileNotFoundError, match="0.avi ²"):
            kind(str(videos / "list.txt"), PIPELINE, dict(video=str(videos)))
        return
    dataset = kind(str(videos / "list.txt"), PIPELINE, dict(video=str(videos)))
    info = [dataset.get_data_info(k) for k in range(len(dataset))]
    assert [(Path(i["filename"]).name, i["label"]) for i in info] == expected


def test_a_video_with_two_labels_is_named_in_the_log(videos, monkeypatch):
    said = []
    monkeypatch.setattr(checked_videos, "print_log", lambda text, **options: said.append(text))
    (videos / "list.txt").write_text("0.avi 1\n1.avi 0\n1.avi 0\n")
    listed(videos)
    assert not said
    (videos / "list.txt").write_text("0.avi 1\n1.avi 0\n0.avi 3\n")
    listed(videos)
    assert len(said) == 1 and "names 1 videos again with another label" in said[0]
    assert f"{videos / '0.avi'} (1 and 3)" in said[0]


def test_several_labels_and_another_delimiter(videos):
    (videos / "list.txt").write_text("0.avi;1;2\n1.avi;0\n")
    options = dict(data_prefix=dict(video=str(videos)), delimiter=";")
    dataset = CheckedVideoDataset(
        str(videos / "list.txt"), CLIPS, multi_class=True, num_classes=4, **options
    )
    assert dataset.get_data_info(0)["label"].tolist() == [0, 1, 1, 0]
    (videos / "list.txt").write_text("0.avi;1;two\n")
    with pytest.raises(ValueError, match=r"list\.txt, line 1: '0\.avi;1;two'"):
        CheckedVideoDataset(
            str(videos / "list.txt"), CLIPS, multi_class=True, num_classes=4, **options
        )


def test_a_negative_number_of_attempts_is_refused(videos):
    with pytest.raises(ValueError, match="max_refetch=-1"):
        listed(videos, max_refetch=-1)


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


def test_labels_are_spoken_of_only_where_one_may_have_been_meant(videos):
    def refusal(*lines):
        (videos / "list.txt").write_text("\n".join(lines))
        with pytest.raises(FileNotFoundError) as error:
            listed(videos)
        return str(error.value)

    for line in ("gone.avi", "gone -1.avi", "my holiday.avi"):
        told = refusal("0.avi", "1.avi", line)
        assert "1 of the 3 videos" in told and "No label" not in told, line
    for line in ("0.avi -1", "0.avi;3", "0.avi,3", "0.avi\t1.5"):
        assert f"No label was found in the line of {videos / line}" in refusal("1.avi 0", line)


def test_a_name_without_an_ending_is_an_mp4_as_mmaction2_reads_it(videos):
    (videos / "0.mp4").write_bytes((videos / "0.avi").read_bytes())
    (videos / "list.txt").write_text("0 7")
    assert listed(videos)[0]["data_samples"].gt_label.item() == 7


def dying_loader(dataset, where):
    """Return a loader whose workers die at 2.avi: while they read it, or after."""

    def die(results):
        if results["filename"].endswith("2.avi") and where == "reading":
            os.kill(os.getpid(), signal.SIGSEGV)
        return results

    def collate(samples):
        names = [sample["data_samples"].metainfo["filename"] for sample in samples]
        if names[0].endswith("2.avi") and where == "collating":
            os.kill(os.getpid(), signal.SIGKILL)
        return pseudo_collate(samples)

    dataset.pipeline.transforms.insert(4, die)
    return DataLoader(dataset, 1, num_workers=2, multiprocessing_context="fork", collate_fn=collate)


@pytest.mark.parametrize("loop", ["train", "val", "test"])
def test_a_worker_that_dies_leaves_the_name_of_its_video(videos, loop):
    loader = dying_loader(listed(videos), "reading")
    runner = SimpleNamespace(**{f"_{loop}_loop": SimpleNamespace(dataloader=loader)})
    with pytest.raises(DataWorkerError, match=r"died while it read \S*/2\.avi: mend"):
        run_naming_dead_workers(lambda: list(loader), runner)


def test_a_worker_that_dies_between_two_samples_blames_none(videos):
    loader = dying_loader(listed(videos), "collating")
    runner = SimpleNamespace(_train_loop=SimpleNamespace(dataloader=loader))
    with pytest.raises(DataWorkerError, match="between two samples.*shared memory") as error:
        run_naming_dead_workers(lambda: list(loader), runner)
    assert ".avi" not in str(error.value)


@pytest.mark.parametrize("error", [RuntimeError("mine"), EOFError("mine")], ids=repr)
def test_other_errors_pass_unchanged(videos, error):
    def fail():
        raise error

    loop = SimpleNamespace(dataloader=DataLoader(listed(videos)))
    with pytest.raises(type(error), match="^mine$"):
        run_naming_dead_workers(fail, SimpleNamespace(_train_loop=loop))
