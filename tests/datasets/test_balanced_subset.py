from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmpmg.datasets import FolderImages, ImageToPseudoVideo, ShaderImages

SIZES = {"ant": 3, "bee": 20, "cat": 7}


@pytest.fixture
def folder(tmp_path):
    for name, count in SIZES.items():
        (tmp_path / name).mkdir()
        for i in range(count):
            cv2.imwrite(str(tmp_path / name / f"{i:02d}.png"), np.zeros((4, 4, 3), np.uint8))
    return tmp_path


def chosen(folder, num_images, **settings):
    dataset = ImageToPseudoVideo(
        images=FolderImages(str(folder), cache=False), pipeline=[], num_images=num_images,
        subset="balanced", **settings,
    )  # fmt: skip
    return [dataset.get_data_info(i)["filename"] for i in range(len(dataset))]


@pytest.mark.parametrize("count", [3, 6, 9])
def test_as_many_of_every_category(folder, count):
    names = chosen(folder, count)
    assert Counter(Path(name).parent.name for name in names) == dict.fromkeys(SIZES, count // 3)
    assert len(set(names)) == count


def test_a_category_that_runs_out_leaves_its_share_to_the_others(folder):
    counts = Counter(Path(name).parent.name for name in chosen(folder, 18))
    assert counts == {"ant": 3, "bee": 8, "cat": 7}
    assert len(set(chosen(folder, 30))) == 30


def test_smaller_draws_are_part_of_larger_ones_and_seeds_differ(folder):
    assert set(chosen(folder, 6)) < set(chosen(folder, 12))
    draws = {tuple(sorted(chosen(folder, 6, subset_seed=seed))) for seed in range(5)}
    assert len(draws) > 1


class Uncategorised:
    """A source of four images that says nothing of categories."""

    def __len__(self):
        return 4

    def name(self, index):
        return str(index)

    def load(self, index):
        return np.zeros((4, 4, 3), np.uint8)


def test_sources_without_categories_are_refused():
    with pytest.raises(ValueError, match=r"balanced.*Uncategorised.*random"):
        ImageToPseudoVideo(images=Uncategorised(), pipeline=[], subset="balanced")


def test_generated_images_are_balanced_over_their_programs():
    source = ShaderImages(num_categories=5, images_per_category=4, size=8)
    dataset = ImageToPseudoVideo(images=source, pipeline=[], subset="balanced", num_images=10)
    programs = [source.address(int(number))[0] for number in dataset._chosen]
    assert sorted(programs) == sorted([*range(5)] * 2)
