"""Motion maps on their way from the data workers to a masker."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmaction.models import ActionDataPreprocessor
from mmaction.registry import TRANSFORMS
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope

import mmpmg  # noqa: F401
from mmpmg.models.data_preprocessors import PMGDataPreprocessor
from mmpmg.models.data_preprocessors.batch_motion_map import batch_motion_map
from mmpmg.motion.motion_map import motion_map

SIZE, FRAMES, COUNT = (32, 48), 4, 6
PACK = dict(
    type="PackActionInputs",
    meta_keys=("sample_seed", "filename", "deferred_motion", "motion"),
    algorithm_keys=("motion_map",),
)


def samples(*steps, clips=1, pack=PACK, frames=FRAMES):
    init_default_scope("mmaction")
    layout = dict(type="FormatShape", input_format="NCTHW")
    pipeline = Compose([TRANSFORMS.build(dict(step)) for step in (*steps, layout, pack)])
    made = []
    for seed in range(COUNT):
        rng = np.random.default_rng(seed)
        imgs = [rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8) for _ in range(clips * frames)]
        made.append(
            pipeline(
                dict(
                    imgs=imgs, clip_len=frames, num_clips=clips, sample_seed=seed, filename="a.mp4"
                )
            )
        )
    return made


MAKE = dict(type="PMGPipeline", num_frames=FRAMES)
MAP = dict(type="MotionMap")


@pytest.mark.parametrize("deferred", [False, True])
def test_maps_arrive_as_they_were_made(deferred):
    made = samples(dict(MAKE, deferred=deferred), MAP)
    key = "deferred_motion" if deferred else "motion"
    expected = [motion_map(s["data_samples"].metainfo[key]) for s in made]
    expected = torch.from_numpy(np.stack(expected).astype(np.float16)).float()
    for training in (False, True):
        data = PMGDataPreprocessor()(pseudo_collate(samples(dict(MAKE, deferred=deferred), MAP)),
                                     training=training)  # fmt: skip
        found = batch_motion_map(data["data_samples"])
        assert found.dtype == torch.float32 and torch.equal(found, expected)
        assert data["inputs"].shape == (COUNT, 1, 3, FRAMES, *SIZE)
    assert expected.any()


def test_a_mirrored_clip_has_the_mirrored_map():
    def run(ratio, training=True):
        data = pseudo_collate(samples(dict(MAKE, deferred=True), MAP))
        data = PMGDataPreprocessor(flip_ratio=ratio)(data, training=training)
        return data["inputs"], batch_motion_map(data["data_samples"])

    plain_clips, plain = run(0.0)
    clips, found = run(0.5)
    flipped = [not torch.equal(a, b) for a, b in zip(clips, plain_clips, strict=True)]
    assert 0 < sum(flipped) < COUNT
    for yes, before, after in zip(flipped, plain, found, strict=True):
        assert torch.equal(after, before.flip(-1) if yes else before)
    assert not torch.equal(plain, plain.flip(-1))
    assert torch.equal(run(1.0)[1], plain.flip(-1))
    assert torch.equal(run(1.0, training=False)[1], plain), "in training only"


def test_views_are_numbered_as_clips_are():
    made = samples(MAP, clips=2)
    arrays = np.concatenate([s["data_samples"].motion_map for s in made])
    data = PMGDataPreprocessor()(pseudo_collate(made))
    found = batch_motion_map(data["data_samples"])
    assert found.shape == (2 * COUNT, 2, 4, 6)
    np.testing.assert_array_equal(found.numpy(), arrays.astype(np.float32))


def test_mmactions_own_preprocessor_will_do():
    made = samples(MAP)
    arrays = np.stack([s["data_samples"].motion_map for s in made])
    data = ActionDataPreprocessor()(pseudo_collate(made))
    for device in (None, torch.device("cpu")):
        found = batch_motion_map(data["data_samples"], device)
        assert found.dtype == torch.float32 and found.device.type == "cpu"
        np.testing.assert_array_equal(found.numpy(), arrays.astype(np.float32))


def test_a_missing_map_names_the_transform_the_key_and_the_file():
    no_step, no_key = samples(), samples(MAP, pack=dict(PACK, algorithm_keys=()))
    told = (
        r"6 of 6 samples have no motion_map \(the first: a\.mp4\)\. Add dict\(type='MotionMap'\) "
        r".*PackActionInputs\.algorithm_keys=\('motion_map',\)"
    )
    for made in (no_step, no_key):
        data = PMGDataPreprocessor()(pseudo_collate(made))
        with pytest.raises(ValueError, match=told):
            batch_motion_map(data["data_samples"])
    mixed = [*samples(MAP)[:4], *no_step[4:]]
    with pytest.raises(ValueError, match="2 of 6 samples"):
        batch_motion_map([made["data_samples"] for made in mixed])
    for nothing in (None, []):
        with pytest.raises(ValueError, match="0 of 0 samples have no motion_map"):
            batch_motion_map(nothing)


@pytest.mark.parametrize("preprocessor", [PMGDataPreprocessor, ActionDataPreprocessor])
def test_a_map_with_nan_is_refused(preprocessor):
    made = samples(MAP)
    broken = made[2]["data_samples"].motion_map.copy()
    broken[0, 1, 1] = np.nan
    made[2]["data_samples"].set_field(broken, "motion_map")
    with pytest.raises(ValueError, match=r"motion_map of a\.mp4 holds NaN"):
        batch_motion_map(preprocessor()(pseudo_collate(made))["data_samples"])


def test_maps_of_several_grids_are_no_batch():
    coarse = samples(dict(MAP, cell=16))
    made = [*samples(MAP)[:3], *coarse[3:]]
    data = PMGDataPreprocessor()(pseudo_collate(made))
    told = r"differ in shape \(t, h, w\): \(2, 4, 6\), \(2, 2, 3\).*same frames and cell"
    with pytest.raises(ValueError, match=told):
        batch_motion_map(data["data_samples"])


def test_a_map_of_another_clip_is_refused():
    late = dict(type="Resize", scale=(48, 64), keep_ratio=False)
    with pytest.raises(ValueError, match=r"\(1, 2, 4, 6\) for a clip .*put MotionMap behind every"):
        PMGDataPreprocessor()(pseudo_collate(samples(MAP, late)))
    made = samples(MAP)
    for sample in made:
        sample["inputs"] = sample["inputs"].repeat(2, 1, 1, 1, 1)
    with pytest.raises(ValueError, match=r"\(views, t, h, w\) = \(1, 2, 4, 6\)"):
        PMGDataPreprocessor()(pseudo_collate(made))


def test_mixed_clips_have_no_single_map():
    preprocessor = PMGDataPreprocessor(blending=dict(type="ClipMixup"))
    told = r"model\.data_preprocessor\.blending: .*drop 'motion_map' from PackActionInputs"
    with pytest.raises(ValueError, match=told):
        preprocessor(pseudo_collate(samples(MAP)), training=True)
    assert preprocessor(pseudo_collate(samples(MAP)))["inputs"].shape[0] == COUNT
    without = pseudo_collate(samples(MAP, pack=dict(PACK, algorithm_keys=())))
    assert preprocessor(without, training=True)["inputs"].shape[0] == COUNT


@pytest.mark.gpu
def test_maps_follow_the_model_to_its_device():
    preprocessor = PMGDataPreprocessor(flip_ratio=0.5).cuda()
    data = preprocessor(pseudo_collate(samples(dict(MAKE, deferred=True), MAP)), training=True)
    found = batch_motion_map(data["data_samples"])
    assert found.is_cuda
    cpu = PMGDataPreprocessor(flip_ratio=0.5)(
        pseudo_collate(samples(dict(MAKE, deferred=True), MAP)), training=True
    )
    assert torch.equal(found.cpu(), batch_motion_map(cpu["data_samples"]))
