from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from reference.tiny_davis import squares, tiny_davis, write_mask

from mmpmg.datasets import AnnotationError, DAVISDataset
from mmpmg.datasets.transforms import LoadSequence


@pytest.fixture
def dataset(tmp_path):
    return DAVISDataset(str(tiny_davis(tmp_path)), pipeline=[])


def load(dataset, number=0, **options):
    return LoadSequence(**options)(dataset.get_data_info(number))


def test_frames_and_masks_stay_as_they_are(dataset):
    results = load(dataset)
    assert results["imgs"].shape == (4, 24, 36, 3)
    assert results["img_shape"] == results["original_shape"] == (24, 36)
    assert (results["clip_len"], results["num_clips"]) == (4, 1)
    assert np.array_equal(results["gt_masks"].numpy(), squares(4, 2))


@pytest.mark.parametrize(("short_side", "size"), [(12, (12, 18)), (48, (48, 72)), (10, (10, 15))])
def test_the_short_side_is_as_stated_and_no_new_ids_arise(dataset, short_side, size):
    results = load(dataset, short_side=short_side)
    assert results["imgs"].shape == (4, *size, 3)
    assert results["gt_masks"].shape == (4, *size)
    assert (results["img_shape"], results["original_shape"]) == (size, (24, 36))
    assert set(results["gt_masks"].unique().tolist()) == {0, 1, 2}


def test_twice_the_size_repeats_every_id(dataset):
    doubled = load(dataset, short_side=48)["gt_masks"].numpy()
    assert np.array_equal(doubled, squares(4, 2).repeat(2, axis=1).repeat(2, axis=2))


def test_frames_and_masks_are_reduced_about_the_same_centres(tmp_path):
    """A white square is where its mask is at a third of the size, to the pixel."""
    root = tiny_davis(tmp_path)
    ids = np.zeros((24, 36), dtype=np.uint8)
    ids[3:12, 6:18] = 1  # whole cells of 3 x 3
    for k in range(4):
        white = np.repeat((ids * 255)[..., None], 3, axis=2)
        Image.fromarray(white).save(root / f"JPEGImages/480p/two/{k:05d}.jpg", quality=100)
        write_mask(root / f"Annotations/480p/two/{k:05d}.png", ids)
    results = load(DAVISDataset(str(root), pipeline=[]), short_side=8)
    assert np.array_equal(results["imgs"][..., 1] > 127, results["gt_masks"].numpy() == 1)


def test_an_object_too_small_for_the_size_is_named(tmp_path):
    root = tiny_davis(tmp_path)
    ids = squares(4, 1)[0]
    ids[20, 30] = 2
    write_mask(root / "Annotations/480p/two/00000.png", ids)
    dataset = DAVISDataset(str(root), pipeline=[])
    assert load(dataset)["object_ids"] == (1, 2)
    with pytest.raises(AnnotationError, match=r"00000.png.*objects \[2\].*6 pixels.*short_side"):
        load(dataset, short_side=6)


def test_an_illegal_size_is_named():
    with pytest.raises(ValueError, match=r"LoadSequence.short_side=0"):
        LoadSequence(short_side=0)


def test_the_first_frames_alone_are_those_of_the_whole(dataset):
    whole, first = load(dataset), load(dataset, max_frames=3)
    assert first["clip_len"] == 3
    assert np.array_equal(first["imgs"], whole["imgs"][:3])
    assert np.array_equal(first["gt_masks"], whole["gt_masks"][:3])
    assert load(dataset, max_frames=99)["clip_len"] == 4


def test_fewer_frames_than_can_be_evaluated_are_refused():
    with pytest.raises(ValueError, match=r"LoadSequence.max_frames=2: must be None or 3 or more"):
        LoadSequence(max_frames=2)
