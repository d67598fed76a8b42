"""The dataset: keys, subsets, bad images, and errors that must not be taken for bad images."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from mmaction.registry import DATASETS
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmpmg.datasets import (
    ImageReadError,
    ImageToPseudoVideo,
    SampleSeedSampler,
    ShaderImages,
    TooManyBadSamplesError,
)


class FakeImages:
    """Images of one colour, their number (mod 256); some cannot be read."""

    def __init__(self, count: int, bad: tuple[int, ...] = ()) -> None:
        self.count = count
        self.bad = bad

    def __len__(self) -> int:
        return self.count

    def name(self, index: int) -> str:
        return f"image-{index}"

    def load(self, index: int) -> np.ndarray:
        if index in self.bad:
            raise ImageReadError(self.name(index), "made to be bad")
        return np.full((4, 6, 3), index % 256, np.uint8)


class Partner:
    """A transform that asks for a partner, as CutMix does."""

    def __call__(self, results: dict) -> dict:
        results["partner"] = int(results["load_partner"]()[0, 0, 0])
        return results


def _numbers(dataset, epochs: int = 1, workers: int = 0) -> list[list[tuple[int, int]]]:
    """Return (image loaded, partner) of all samples, epoch by epoch, in loader order."""
    sampler = SampleSeedSampler(dataset, shuffle=False, seed=2)
    loader = DataLoader(
        dataset,
        4,
        sampler=sampler,
        num_workers=workers,
        collate_fn=pseudo_collate,
        multiprocessing_context="fork" if workers else None,
    )
    seen = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        seen.append(
            [
                (int(image[0, 0, 0]), partner)
                for batch in loader
                for image, partner in zip(batch["imgs"][0], batch["partner"], strict=True)
            ]
        )
    return seen


def test_a_sample_has_the_keys_of_mmaction2():
    dataset = ImageToPseudoVideo(FakeImages(5), [])
    SampleSeedSampler(dataset, seed=1)
    sample = dataset[3]
    (image,) = sample.pop("imgs")
    assert image.shape == (4, 6, 3)
    assert image.dtype == np.uint8
    assert (image == 3).all()
    assert isinstance(sample.pop("sample_seed"), int)
    assert sample == {
        "filename": "image-3",
        "sample_idx": 3,
        "img_shape": (4, 6),
        "original_shape": (4, 6),
        "modality": "RGB",
        "num_clips": 1,
        "clip_len": 1,
    }
    assert dataset.get_data_info(-1)["sample_idx"] == 4
    with pytest.raises(IndexError):
        dataset[5]


def test_transforms_of_mmaction2_accept_a_sample():
    init_default_scope("mmaction")
    pipeline = [
        {"type": "Resize", "scale": (-1, 40)},
        {"type": "MultiScaleCrop", "input_size": 32, "scales": (1, 0.8), "random_crop": True},
        {"type": "RandomResizedCrop"},
        {"type": "Resize", "scale": (32, 32), "keep_ratio": False},
        {"type": "Flip", "flip_ratio": 0.5},
        {"type": "FormatShape", "input_format": "NCTHW"},
        {"type": "PackActionInputs", "meta_keys": ("sample_seed", "filename")},
    ]
    dataset = DATASETS.build(
        {
            "type": "ImageToPseudoVideo",
            "images": {"type": "ShaderImages", "num_categories": 4, "size": 48},
            "pipeline": pipeline,
        }
    )
    SampleSeedSampler(dataset, seed=1)
    packed, again, other = dataset[1], dataset[1], dataset[2]
    assert tuple(packed["inputs"].shape) == (1, 3, 1, 32, 32)
    assert (packed["inputs"] == again["inputs"]).all()
    meta = packed["data_samples"].metainfo
    assert meta["sample_seed"] == again["data_samples"].metainfo["sample_seed"]
    assert meta["sample_seed"] != other["data_samples"].metainfo["sample_seed"]


def test_subsets():
    def chosen(**options) -> list[int]:
        dataset = ImageToPseudoVideo(FakeImages(100), [], **options)
        return [int(dataset[i]["imgs"][0][0, 0, 0]) for i in range(len(dataset))]

    assert chosen(num_images=10) == list(range(10))
    small, large = chosen(num_images=10, subset="random"), chosen(num_images=50, subset="random")
    assert len(set(large)) == 50
    assert set(small) < set(large)
    assert small == chosen(num_images=10, subset="random")
    assert set(small) != set(chosen(num_images=10, subset="random", subset_seed=1))
    assert set(small) != set(range(10))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_images": 101}, r"num_images=101, but the image source holds only 100"),
        ({"num_images": 0}, r"num_images=0"),
        ({"subset": "last"}, r"subset='last'.*first, random"),
        ({"max_bad_share": 1.5}, r"max_bad_share=1.5"),
        ({"max_refetch": -1}, r"max_refetch=-1"),
    ],
)
def test_illegal_options(options, message):
    with pytest.raises(ValueError, match=message):
        ImageToPseudoVideo(FakeImages(100), [], **options)


def test_mistyped_keys_raise_before_training():
    with pytest.raises(TypeError, match="max_bad_shar"):
        DATASETS.build(
            {"type": "ImageToPseudoVideo", "images": None, "pipeline": [], "max_bad_shar": 1}
        )
    with pytest.raises(TypeError, match="num_category"):
        ImageToPseudoVideo({"type": "ShaderImages", "num_category": 3}, [])


def test_partner_is_another_image_and_repeatable():
    (pairs,) = _numbers(ImageToPseudoVideo(FakeImages(12), [Partner()]))
    assert all(image != partner for image, partner in pairs)
    assert len({partner for _, partner in pairs}) > 4
    epochs = _numbers(ImageToPseudoVideo(FakeImages(12), [Partner()]), 2)
    assert epochs[0] == pairs
    assert epochs[1] != pairs
    assert _numbers(ImageToPseudoVideo(FakeImages(1), [Partner()])) == [[(0, 0)]]


def test_bad_images_are_replaced_alike_on_any_number_of_workers():
    def build() -> ImageToPseudoVideo:
        return ImageToPseudoVideo(FakeImages(40, (3, 20)), [Partner()], max_bad_share=1.0)

    alone = _numbers(build(), 2)
    assert _numbers(build(), 2, workers=2) == alone
    for epoch in alone:
        assert [i for i, (image, _) in enumerate(epoch) if image != i] == [3, 20]
        assert {3, 20}.isdisjoint({n for pair in epoch for n in pair})
    assert alone[0][3] != alone[1][3] or alone[0][20] != alone[1][20]


@pytest.fixture
def log(tmp_path):
    """Return the file that MMEngine's current logger writes to."""
    file = tmp_path / "run.log"
    MMLogger.get_instance("bad images", log_file=str(file))
    yield file
    MMLogger._instance_dict.pop("bad images")


def test_bad_images_are_named_once_and_counted_across_workers(log):
    dataset = ImageToPseudoVideo(FakeImages(40, (3, 20)), [Partner()])
    _numbers(dataset, epochs=3, workers=2)
    out = log.read_text()
    assert out.count("image-3: made to be bad") == 1
    assert out.count("image-20: made to be bad") == 1
    assert dataset.bad_samples.names() == ["image-3", "image-20"]


def test_too_many_bad_images_stop_with_examples():
    bad = tuple(range(0, 300, 10))
    dataset = ImageToPseudoVideo(FakeImages(300, bad), [], max_bad_share=0.05)
    with pytest.raises(TooManyBadSamplesError, match=r"max_bad_share=0.05 .*image-0.*image-10"):
        [dataset[i] for i in range(300)]
    tolerant = ImageToPseudoVideo(FakeImages(300, bad), [], max_bad_share=0.11)
    for i in range(300):
        tolerant[i]
    assert len(tolerant.bad_samples.names()) == 30


def test_share_of_bad_images_is_of_those_tried():
    # 20 bad of 1000 at a share of .03: never too many, in whatever order they come.
    dataset = ImageToPseudoVideo(
        FakeImages(1000, tuple(range(0, 1000, 50))), [], max_bad_share=0.03
    )
    for i in range(1000):
        dataset[i]
    assert len(dataset.bad_samples.names()) == 20


def test_workers_pass_the_stop_on():
    dataset = ImageToPseudoVideo(FakeImages(40, tuple(range(40))), [Partner()])
    with pytest.raises(TooManyBadSamplesError, match="made to be bad"):
        _numbers(dataset, workers=1)


def test_nothing_but_bad_images_ends_in_any_case():
    dataset = ImageToPseudoVideo(FakeImages(3, (0, 1, 2)), [], max_bad_share=1.0, max_refetch=20)
    with pytest.raises(TooManyBadSamplesError, match="max_refetch=20"):
        dataset[0]


def test_a_test_set_is_not_altered():
    dataset = ImageToPseudoVideo(FakeImages(3, (1,)), [], test_mode=True)
    with pytest.raises(ImageReadError, match="image-1"):
        dataset[1]


def test_errors_of_the_pipeline_are_not_swallowed():
    def mistake(results: dict) -> dict:
        return {"value": results["no such key"]}

    dataset = ImageToPseudoVideo(FakeImages(3), [mistake])
    with pytest.raises(KeyError, match="no such key"):
        dataset[0]
    assert dataset.bad_samples.names() == []
    with pytest.raises(RuntimeError, match=r"image-1: .*dataset\.pipeline returned None"):
        ImageToPseudoVideo(FakeImages(3), [lambda results: None])[1]


def test_mmengines_subsets_and_copies_work():
    dataset = ImageToPseudoVideo(FakeImages(10), [], metainfo={"task": "x"})
    part = dataset.get_subset([7, 2])
    SampleSeedSampler(part, seed=1)
    assert [int(part[i]["imgs"][0][0, 0, 0]) for i in range(len(part))] == [7, 2]
    assert len(dataset) == 10
    assert int(dataset.seed_sample._state[0]) == 0  # the copy is seeded by itself
    assert [int(s["imgs"][0][0, 0, 0]) for s in (dataset.get_subset(-3)[0],)] == [7]
    assert copy.deepcopy(dataset)[4]["filename"] == "image-4"
    assert dataset.metainfo == {"task": "x"}


def test_a_hundred_thousand_images_keep_no_list():
    dataset = ImageToPseudoVideo(ShaderImages(100_000, 1), [])
    assert len(dataset) == 100_000
    kept = dataset._chosen.nbytes + dataset.bad_samples._seen.nbytes
    assert kept <= 5 * 100_000
    assert dataset.data_list == []


def test_pipeline_with_names():
    def add(key: str):
        return lambda results: {**results, "order": [*results.get("order", []), key]}

    dataset = ImageToPseudoVideo(FakeImages(2), {"a": add("a"), "b": None, "c": add("c")})
    assert dataset[0]["order"] == ["a", "c"]
