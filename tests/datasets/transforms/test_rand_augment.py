import random

import numpy as np
import pytest

from mmpmg.datasets.transforms.rand_augment import ClipRandAugment


@pytest.fixture
def frame():
    return np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)


def test_equal_frames_stay_equal_and_change(frame):
    changed = 0
    for seed in range(20):
        out = ClipRandAugment()(dict(imgs=[frame] * 6, sample_seed=seed))["imgs"]
        assert all(np.array_equal(out[0], other) for other in out)
        assert out[0].shape == frame.shape
        assert out[0].dtype == np.uint8
        changed += not np.array_equal(out[0], frame)
    assert changed >= 15  # timm applies each of the 4 operations with probability one half


def test_a_clip_follows_from_its_seed(frame):
    transform = ClipRandAugment()
    random.seed(1)
    first = transform(dict(imgs=[frame], sample_seed=3))["imgs"][0]
    random.seed(2)
    assert np.array_equal(transform(dict(imgs=[frame], sample_seed=3))["imgs"][0], first)
    others = [transform(dict(imgs=[frame], sample_seed=s))["imgs"][0] for s in range(4, 9)]
    assert not any(np.array_equal(first, other) for other in others)


def test_the_global_generators_are_left_alone(frame):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = random.random(), np.random.rand()  # noqa: NPY002
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    ClipRandAugment()(dict(imgs=[frame], sample_seed=3))
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002


def test_a_frame_is_what_timm_makes_of_it(frame):
    from PIL import Image
    from timm.data.auto_augment import rand_augment_transform

    from mmpmg.datasets.sample_seed import generator

    sample = dict(imgs=[frame, frame[::-1].copy()], sample_seed=11)
    seed = int(generator(sample, "ClipRandAugment").integers(2**32))
    augment = rand_augment_transform(
        "rand-m9-n4-mstd0.5-inc1", dict(translate_const=18, img_mean=(124, 116, 104))
    )
    expected = []
    for image in sample["imgs"]:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        expected.append(np.asarray(augment(Image.fromarray(image))))
    out = ClipRandAugment()(dict(sample))["imgs"]
    assert all(np.array_equal(a, b) for a, b in zip(out, expected, strict=True))


@pytest.mark.parametrize(
    "settings", [dict(magnitude=11), dict(magnitude=7.5), dict(magnitude_std=-1), dict(num_ops=0)]
)
def test_illegal_settings_name_themselves(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        ClipRandAugment(**settings)
