import copy

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

import mmpmg  # noqa: F401
from mmpmg.motion import Motion, render

SIZE = (24, 32)


def image(seed=0, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def sample(frames=1, **keys):
    imgs = [image(i) for i in range(frames)]
    return {"imgs": imgs, "img_shape": SIZE, "label": 3, "sample_seed": 11, **keys}


def build(name, **options):
    return TRANSFORMS.build({"type": name, **options})


def test_one_image_becomes_a_clip_that_its_motion_replays():
    results = build("PMGPipeline", num_frames=6)(sample())
    assert len(results["imgs"]) == results["clip_len"] == 6
    assert results["num_clips"] == 1
    assert results["img_shape"] == SIZE
    assert results["label"] == 3
    replay = Motion.from_dict(results["motion"].to_dict())
    np.testing.assert_array_equal(np.stack(results["imgs"]), render(image(), replay))


def test_the_sample_seed_alone_decides():
    transform = build("PMGPipeline", num_frames=3)
    first = transform(sample())
    np.random.seed(99)  # noqa: NPY002
    second = transform(sample())
    np.testing.assert_array_equal(first["imgs"], second["imgs"])
    others = [transform(sample(sample_seed=s))["motion"] for s in range(20)]
    assert len(set(others)) == 20
    assert {m.family for m in others} == {"ZoomInOut", "Affine"}


def test_without_a_sample_seed_the_workers_generator_decides():
    transform = build("PMGPipeline", num_frames=3)
    unseeded = sample()
    del unseeded["sample_seed"]
    motions = []
    for seed in (1, 1, 2):
        np.random.seed(seed)  # noqa: NPY002
        motions.append(transform(copy.deepcopy(unseeded))["motion"])
    assert motions[0] == motions[1] != motions[2]


def test_of_a_clip_any_frame_may_be_taken():
    transform = build("PMGPipeline", ops={"still": {"type": "Identity"}}, num_frames=2)
    taken = set()
    for seed in range(60):
        results = transform(sample(frames=4, sample_seed=seed))
        np.testing.assert_array_equal(results["imgs"][0], results["imgs"][1])
        taken |= {i for i in range(4) if np.array_equal(results["imgs"][0], image(i))}
    assert taken == {0, 1, 2, 3}


def test_flow_comes_on_demand():
    assert "flow" not in build("PMGPipeline", num_frames=4)(sample())
    results = build("PMGPipeline", num_frames=4, with_flow=True)(sample())
    np.testing.assert_array_equal(results["flow"], results["motion"].flow())
    np.testing.assert_array_equal(results["covisible"], results["motion"].covisible())


def test_cutmix_pastes_the_datasets_partner():
    red = np.zeros((50, 90, 3), dtype=np.uint8)
    red[..., 0] = 255
    transform = build("PMGPipeline", ops={"cutmix": {"type": "CutMix"}}, num_frames=3)
    results = transform(sample(load_partner=lambda: red))
    for k, frame in enumerate(results["imgs"]):
        x, y = results["motion"].paste.positions[k]
        assert (frame[y : y + 12, x : x + 16] == (255, 0, 0)).all()
        assert (frame == (255, 0, 0)).all(axis=-1).sum() == 12 * 16


def test_cutmix_takes_another_frame_where_there_is_no_dataset():
    transform = build("PMGPipeline", ops={"cutmix": {"type": "CutMix"}}, num_frames=2)
    for seed in range(10):
        results = transform(sample(frames=2, sample_seed=seed))
        x, y, w, h = results["motion"].paste.source
        left, top = results["motion"].paste.positions[0]
        pasted = results["imgs"][0][top : top + h, left : left + w]
        base = [i for i in range(2) if (results["imgs"][0] == image(i)).all(axis=-1).mean() > 0.7]
        np.testing.assert_array_equal(pasted, image(1 - base[0])[y : y + h, x : x + w])
    with pytest.raises(ValueError, match="drop CutMix from ops"):
        transform(sample())


def test_aug_replaces_the_share_of_clips_asked_for_and_keeps_the_rest():
    transform = build("PMGAug", prob=0.3)
    replaced = 0
    for seed in range(100):
        results = transform(sample(frames=8, clip_len=2, num_clips=4, sample_seed=seed))
        assert len(results["imgs"]) == 8
        assert (results["clip_len"], results["num_clips"], results["label"]) == (2, 4, 3)
        for i, motion in enumerate(results["motions"]):
            clip = results["imgs"][2 * i : 2 * i + 2]
            if motion is None:
                np.testing.assert_array_equal(clip, [image(2 * i), image(2 * i + 1)])
            else:
                replaced += 1
                replays = [render(image(2 * i + j), motion) for j in range(2)]
                assert any(np.array_equal(clip, replay) for replay in replays)
    assert replaced == pytest.approx(120, abs=30)


@pytest.mark.parametrize(("prob", "expected"), [(0.0, 0), (1.0, 20)])
def test_aug_never_or_always(prob, expected):
    transform = build("PMGAug", prob=prob)
    drawn = [transform(sample(frames=4, sample_seed=s))["motions"] for s in range(20)]
    assert sum(m[0] is not None for m in drawn) == expected


def test_aug_drops_into_a_pipeline_of_mmaction2():
    """Without our dataset and seeds: MMAction2's transforms on both sides."""
    from mmengine.dataset import Compose

    pipeline = Compose(
        [
            TRANSFORMS.build(step)
            for step in (
                {"type": "Resize", "scale": (-1, 20)},
                {"type": "RandomResizedCrop"},
                {"type": "Resize", "scale": (16, 16), "keep_ratio": False},
                {"type": "Flip", "flip_ratio": 0.5},
                {"type": "PMGAug", "prob": 1.0},
                {"type": "FormatShape", "input_format": "NCTHW"},
                {"type": "PackActionInputs"},
            )
        ]
    )
    results = sample(frames=8, clip_len=4, num_clips=2, modality="RGB", original_shape=SIZE)
    del results["sample_seed"]
    packed = pipeline(results)
    assert packed["inputs"].shape == (2, 3, 4, 16, 16)
    assert packed["data_samples"].gt_label.item() == 3
    assert not np.array_equal(packed["inputs"][:, :, 0], packed["inputs"][:, :, 3])


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("PMGPipeline", {"num_frames": 0}, "num_frames=0"),
        ("PMGPipeline", {"num_frames": 2.5}, "num_frames=2.5"),
        ("PMGPipeline", {"with_flow": 1}, "with_flow=1"),
        ("PMGPipeline", {"ops": {}}, "no motion to choose from"),
        ("PMGPipeline", {"ops": {"a": {"type": "Warp"}}}, "the motions are Identity"),
        ("PMGPipeline", {"mode": "two"}, "one, compose"),
        ("PMGAug", {"prob": 1.5}, "prob=1.5"),
        ("PMGAug", {"prob": "half"}, "prob='half'"),
    ],
)
def test_wrong_options_are_named(name, options, told):
    with pytest.raises(ValueError, match=told):
        build(name, **options)


@pytest.mark.parametrize("name", ["PMGPipeline", "PMGAug"])
def test_a_mistyped_key_raises(name):
    with pytest.raises(TypeError, match="num_frame_"):
        build(name, prob=0.5, num_frame_=3) if name == "PMGAug" else build(name, num_frame_=3)


@pytest.mark.parametrize(
    ("imgs", "told"),
    [
        (None, "after decoding"),
        ([], "at least one"),
        (np.zeros((2, 8, 8, 3), np.uint8), "before FormatShape"),
        ([np.zeros((8, 8, 3), np.float32)], "float32"),
        ([np.zeros((8, 8), np.uint8)], r"\(8, 8\)"),
        ([np.zeros((0, 8, 3), np.uint8)], r"\(0, 8, 3\)"),
    ],
)
@pytest.mark.parametrize("name", ["PMGPipeline", "PMGAug"])
def test_frames_that_are_no_images_are_refused(name, imgs, told):
    transform = build(name, prob=1.0) if name == "PMGAug" else build(name)
    with pytest.raises(ValueError, match=told):
        transform({"imgs": imgs, "sample_seed": 0})


def test_aug_refuses_half_clips():
    with pytest.raises(ValueError, match="7 frames are no whole number of clips of clip_len=2"):
        build("PMGAug", prob=0.5)(sample(frames=7, clip_len=2))
