"""PMGPipeline and PMGAug with motions that need several other images."""

import numpy as np
import pytest
from mmaction.registry import TRANSFORMS

import mmpmg  # noqa: F401
from mmpmg.motion import render

SIZE = (32, 40)
LAYERED = {"layered": {"type": "Layered", "parts": (4, 4), "images": 3}}


def image(seed, size=SIZE):
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


class Partners:
    """Other images in a row, of another size than the clip."""

    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1
        return image(100 + self.calls, (64, 80))


def build(name, **options):
    return TRANSFORMS.build({"type": name, "ops": LAYERED, **options})


def test_parts_are_cut_from_images_that_the_dataset_loads():
    partners = Partners()
    results = build("PMGPipeline", num_frames=3)(
        {"imgs": [image(0)], "sample_seed": 1, "load_partner": partners}
    )
    motion = results["motion"]
    assert partners.calls == motion.num_images - 1 == 3
    colours = [np.full((*SIZE, 3), level, np.uint8) for level in (0, 80, 160, 240)]
    assert set(np.unique(render(colours[0], motion, colours[1:]))) >= {0, 80, 160, 240}
    assert np.abs(np.stack(results["imgs"]).astype(int) - image(0)).mean() > 5


def test_deferred_clips_carry_the_images_they_are_made_of():
    partners = Partners()
    packed = build("PMGPipeline", num_frames=3, deferred=True)(
        {"imgs": [image(0)], "sample_seed": 1, "load_partner": partners}
    )
    now = build("PMGPipeline", num_frames=3)(
        {"imgs": [image(0)], "sample_seed": 1, "load_partner": Partners()}
    )
    assert packed["clip_len"] == len(packed["imgs"]) == 4
    assert all(still.shape == (*SIZE, 3) for still in packed["imgs"])
    np.testing.assert_array_equal(packed["imgs"][0], image(0))
    later = render(packed["imgs"][0], packed["deferred_motion"], packed["imgs"][1:])
    np.testing.assert_array_equal(later, np.stack(now["imgs"]))


def test_a_real_clip_gives_the_parts_from_its_other_frames():
    frames = [np.full((*SIZE, 3), 10 * k, np.uint8) for k in range(1, 9)]
    results = build("PMGAug", prob=1.0)({"imgs": list(frames), "clip_len": 8, "sample_seed": 5})
    background = results["imgs"][0][0, 0, 0]
    seen = set(np.unique(np.stack(results["imgs"])))
    assert len(results["imgs"]) == 8
    assert background in range(10, 90, 10)
    assert len(seen & set(range(10, 90, 10))) >= 2


def test_one_image_without_others_is_refused_by_name():
    with pytest.raises(ValueError, match="Layered needs other images.*drop Layered from ops"):
        build("PMGPipeline", num_frames=3)({"imgs": [image(0)], "sample_seed": 1})
