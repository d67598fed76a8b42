"""Frames of videos as images: which ones, the same always, and what bad videos do."""

from __future__ import annotations

import os
from collections import Counter

import cv2
import numpy as np
import pytest
from mmaction.registry import DATASETS

from mmpmg.datasets import ImageReadError, ImageToPseudoVideo, SampleSeedSampler, VideoFrames

FRAMES = 30


def write_video(path, number, frames=FRAMES):
    """Write a video whose frame k is grey 8 k, with the video's number in a bright corner."""
    codec = "MJPG" if path.suffix == ".avi" else "mp4v"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 12, (64, 48))
    for k in range(frames):
        frame = np.full((48, 64, 3), 8 * k, np.uint8)
        frame[:16, :32] = (0, 0, 40 * number)  # BGR: red
        writer.write(frame)
    writer.release()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    (folder / "some videos").mkdir()
    lines = []
    for number in range(6):
        name = f"some videos/v_{number}{'.avi' if number % 2 else '.mp4'}"
        write_video(folder / name, number)
        lines.append(f"{name} {number // 2}")
    (folder / "list.txt").write_text("\n".join(lines) + "\n\n")
    return folder


def frames(folder, **options):
    return VideoFrames(str(folder / "list.txt"), root=str(folder), **options)


def shown(image):
    """Return (number of the video, number of the frame) that an image shows."""
    red = image[4:12, 8:24, 0].mean()
    return round(red / 40), round(image[24:, 40:].mean() / 8)


def test_one_frame_of_each_video_is_the_one_that_its_position_says(folder):
    source = frames(folder)
    assert len(source) == 6
    for index in range(6):
        image = source.load(index)
        assert image.shape == (48, 64, 3) and image.dtype == np.uint8
        assert shown(image) == (index, int(source.position(index) * FRAMES))
        assert source.name(index).endswith(f"v_{index}{'.avi' if index % 2 else '.mp4'}")
    assert len({shown(source.load(i))[1] for i in range(6)}) > 2


def test_a_frame_equals_that_of_sequential_decoding(folder):
    decord = pytest.importorskip("decord")
    source = frames(folder, frames_per_video=5)
    for index in range(len(source)):
        video, _ = source.address(index)
        path = os.path.join(
            folder, "some videos", sorted(os.listdir(folder / "some videos"))[video]
        )
        every = [frame.asnumpy() for frame in decord.VideoReader(path, num_threads=1)]
        expected = every[int(source.position(index) * FRAMES)]
        np.testing.assert_array_equal(source.load(index), expected)


def test_the_frame_follows_from_seed_and_path_not_from_the_place_in_the_list(folder, tmp_path):
    lines = (folder / "list.txt").read_text().split("\n")
    (tmp_path / "other.txt").write_text("\n".join([lines[4], lines[2]]))
    other = VideoFrames(str(tmp_path / "other.txt"), root=str(folder))
    source = frames(folder)
    assert [other.position(0), other.position(1)] == [source.position(4), source.position(2)]
    assert frames(folder, seed=1).position(2) != source.position(2)
    np.testing.assert_array_equal(other.load(0), source.load(4))


def test_positions_are_uniform_and_fixed(tmp_path):
    names = [f"{i}.mp4" for i in range(4000)]
    (tmp_path / "list.txt").write_text("\n".join(names))
    source = VideoFrames(str(tmp_path / "list.txt"), check="none")
    positions = np.array([source.position(i) for i in range(4000)])
    assert positions.min() >= 0 and positions.max() < 1
    assert np.abs(np.histogram(positions, 8, (0, 1))[0] - 500).max() < 90, "four deviations"
    # The same on every machine: these are fixed.
    assert positions[:3].tolist() == [0.5813196604643959, 0.856633860005286, 0.4050906159090697]


def test_several_frames_of_a_video_come_from_equal_parts_of_it(folder):
    source = frames(folder, frames_per_video=3)
    assert len(source) == 18
    seen = [shown(source.load(i)) for i in range(18)]
    assert [video for video, _ in seen] == [*range(6)] * 3
    for draw in range(3):
        assert all(
            10 * draw <= frame < 10 * draw + 10 for _, frame in seen[6 * draw : 6 * draw + 6]
        )
    assert source.name(7) != source.name(1)


def test_beyond_the_length_come_further_frames(folder):
    dataset = ImageToPseudoVideo(frames(folder), [], endless=True)
    sampler = SampleSeedSampler(dataset, seed=0)
    seen = []
    for epoch in range(8):
        sampler.set_epoch(epoch)
        seen.append([shown(dataset[i]["imgs"][0]) for i in range(6)])
    assert all([video for video, _ in epoch] == [*range(6)] for epoch in seen)
    assert min(len({epoch[video][1] for epoch in seen}) for video in range(6)) >= 3
    still = ImageToPseudoVideo(frames(folder), [])
    sampler = SampleSeedSampler(still, seed=0)
    first = [shown(still[i]["imgs"][0]) for i in range(6)]
    sampler.set_epoch(1)
    assert [shown(still[i]["imgs"][0]) for i in range(6)] == first


def test_categories_are_the_labels(folder):
    source = frames(folder, frames_per_video=2)
    assert source.categories().tolist() == [0, 0, 1, 1, 2, 2] * 2
    dataset = ImageToPseudoVideo(source, [], num_images=6, subset="balanced")
    labels = source.categories()[dataset._chosen]
    assert Counter(labels.tolist()) == {0: 2, 1: 2, 2: 2}


def test_lists_without_labels_with_spaces_and_with_other_delimiters(folder, tmp_path):
    names = ["some videos/v_0.mp4", "some videos/v_1.avi"]
    (tmp_path / "plain.txt").write_text("\n".join(names))
    source = VideoFrames(str(tmp_path / "plain.txt"), root=str(folder))
    assert shown(source.load(1))[0] == 1
    with pytest.raises(ValueError, match="2 of the 2 lines .*no label.*subset='random'"):
        ImageToPseudoVideo(source, [], subset="balanced")
    (tmp_path / "synapt.csv").write_text(f"{names[0]};3\n{names[1]};1")
    source = VideoFrames(str(tmp_path / "synapt.csv"), root=str(folder), delimiter=";")
    assert source.categories().tolist() == [3, 1]
    (tmp_path / "tab.txt").write_text(f"{names[0]}\t3\n{names[1]}\t1")
    assert VideoFrames(str(tmp_path / "tab.txt"), root=str(folder)).categories().tolist() == [3, 1]


def test_missing_videos_and_lists_are_named_before_training(folder, tmp_path):
    (tmp_path / "list.txt").write_text("some videos/v_0.mp4 1\nnot/there.avi 2\n")
    with pytest.raises(FileNotFoundError, match=r"1 of the 2 videos.*not/there\.avi.*root.*moon"):
        VideoFrames(str(tmp_path / "list.txt"), root=str(folder), hint="Get it from the moon.")
    with pytest.raises(FileNotFoundError, match=r"images\.ann_file.*does not exist"):
        VideoFrames(str(tmp_path / "no.txt"))
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(FileNotFoundError, match="names no video"):
        VideoFrames(str(tmp_path / "empty.txt"))


@pytest.mark.parametrize("ending", [".mp4", ".avi"])
@pytest.mark.parametrize("how", ["empty", "text", "no head", "half", "zeros", "gone"])
def test_a_corrupt_video_is_a_bad_image(folder, tmp_path, how, ending):
    path = tmp_path / f"bad{ending}"
    write_video(path, 3)
    (tmp_path / "list.txt").write_text(f"{path.name} 0\n")
    source = VideoFrames(str(tmp_path / "list.txt"), root=str(tmp_path), frames_per_video=6)
    data = path.read_bytes()
    half = len(data) // 2
    spoilt = {
        "empty": b"", "text": b"<html>404 not found</html>", "no head": data[half:],
        "half": data[:half], "zeros": bytes(len(data)), "gone": None,
    }[how]  # fmt: skip
    path.unlink() if spoilt is None else path.write_bytes(spoilt)
    for index in range(6):
        with pytest.raises(ImageReadError, match=rf"bad\{ending}.*: \w"):
            source.load(index)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (dict(frames_per_video=0), r"images\.frames_per_video=0"),
        (dict(seed=-1), r"images\.seed=-1"),
        (dict(delimiter=""), r"images\.delimiter"),
        (dict(check="some"), r"images\.check='some'"),
    ],
)
def test_illegal_options(folder, options, words):
    with pytest.raises(ValueError, match=words):
        frames(folder, **options)


def test_registered_and_strict_about_keys(folder):
    recipe = dict(type="VideoFrames", ann_file=str(folder / "list.txt"), root=str(folder))
    assert len(DATASETS.build(recipe)) == 6
    with pytest.raises(TypeError, match="data_prefix"):
        DATASETS.build(dict(recipe, data_prefix=dict(video="x")))
