"""PMGAug put into pipelines that are lists, without restating them."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from integration.tiny_runs import write_videos
from mmaction.registry import DATASETS
from mmengine.registry import init_default_scope

from mmpmg.datasets.transforms import PMGAug

FORMAT = dict(type="FormatShape", input_format="NCTHW")
STEPS = [
    dict(type="DecordInit"),
    dict(type="SampleFrames", clip_len=4, frame_interval=2),
    dict(type="DecordDecode"),
    dict(type="Resize", scale=(24, 24), keep_ratio=False),
    FORMAT,
    dict(type="PackActionInputs"),
]


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    init_default_scope("mmaction")
    return write_videos(tmp_path_factory.mktemp("with_pmg_aug") / "videos")[0]


def video_dataset(videos, **more):
    data = dict(ann_file=str(videos), data_prefix=dict(video=str(videos.parent)))
    return dict(type="VideoDataset", pipeline=copy.deepcopy(STEPS), **data) | more


def build(dataset, **options):
    return DATASETS.build(dict(type="WithPMGAug", prob=1.0, dataset=dataset) | options)


def kinds(dataset):
    return [type(step).__name__ for step in dataset.pipeline.transforms]


def test_it_stands_before_the_layout_and_everything_else_is_the_recipe_s(videos):
    recipe = video_dataset(videos)
    dataset = build(recipe, prob=0.25, ops=dict(fade=dict(type="FadeInOut")))
    plain = DATASETS.build(recipe)
    assert recipe["pipeline"] == STEPS, "the recipe itself is untouched"
    assert type(dataset) is type(plain) and len(dataset) == len(plain)
    step = dataset.pipeline.transforms[4]
    assert isinstance(step, PMGAug) and step.prob == 0.25
    assert "FadeInOut" in repr(step.sampler)
    assert kinds(dataset)[:4] + kinds(dataset)[5:] == kinds(plain)


def test_the_clip_is_made_of_one_of_its_frames_and_the_label_stays(videos):
    still = build(video_dataset(videos), ops=dict(still=dict(type="Identity")))
    plain = DATASETS.build(video_dataset(videos))
    for number in range(len(plain)):
        clips = []
        for dataset in (still, plain):
            np.random.seed(number)  # noqa: NPY002
            clips.append(dataset[number])
        frames, real = (clip["inputs"][0].transpose(0, 1) for clip in clips)
        assert clips[0]["data_samples"].gt_label == clips[1]["data_samples"].gt_label
        assert frames.shape == real.shape
        assert all(frame.equal(frames[0]) for frame in frames)
        assert any(frame.equal(frames[0]) for frame in real)
        assert not all(frame.equal(real[0]) for frame in real)


def test_with_probability_0_nothing_changes(videos):
    dataset, plain = build(video_dataset(videos), prob=0.0), DATASETS.build(video_dataset(videos))
    for number in range(len(plain)):
        np.random.seed(number)  # noqa: NPY002
        left = dataset[number]["inputs"]
        np.random.seed(number)  # noqa: NPY002
        assert left.equal(plain[number]["inputs"])


def test_named_steps_and_wrapped_data_sets_work_too(videos):
    named = dict(zip("abcdef", STEPS, strict=True))
    checked = dict(video_dataset(videos, pipeline=named), type="CheckedVideoDataset")
    assert kinds(build(checked))[4] == "PMGAug"
    repeated = build(dict(type="RepeatDataset", times=3, dataset=video_dataset(videos)))
    assert len(repeated) == 24 and kinds(repeated.dataset)[4] == "PMGAug"
    again = build(dict(video_dataset(videos), type="RepeatAugDataset", num_repeats=2))
    assert kinds(again)[4] == "PMGAug"
    assert len(again[0]) == 2


@pytest.mark.parametrize(
    ("pipeline", "message"),
    [
        ([*STEPS[:4], dict(type="PMGAug", prob=1), *STEPS[4:]], "has a PMGAug already"),
        (STEPS[:4], "has no FormatShape"),
        ([*STEPS[:4], dict(FORMAT, input_format="NCHW_Flow")], "makes NCHW_Flow"),
        ([dict(STEPS[1], clip_len=1, num_clips=8), FORMAT], "clips of one frame"),
        ([dict(type="SampleAVAFrames", clip_len=4), FORMAT], "with boxes"),
        ([], "has no pipeline"),
    ],
    ids=["twice", "no place", "flow", "one frame", "boxes", "none"],
)
def test_what_it_cannot_do_is_said(videos, pipeline, message):
    with pytest.raises(ValueError, match=message):
        build(video_dataset(videos, pipeline=pipeline))
