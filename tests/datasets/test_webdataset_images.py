"""Sharded tars in the WebDataset layout: keys, fields, labels, patterns, broken shards."""

from __future__ import annotations

import os
import tarfile
from collections import Counter
from io import BytesIO

import numpy as np
import pytest
from mmaction.registry import DATASETS
from PIL import Image

from mmpmg.datasets import ArchiveError, ImageToPseudoVideo, WebDatasetImages
from mmpmg.datasets.webdataset_images import expand_braces


def picture(number: int) -> bytes:
    out = BytesIO()
    Image.fromarray(np.full((4, 6, 3), number, np.uint8)).save(out, "PNG")
    return out.getvalue()


def write_shard(path, members):
    with tarfile.open(path, "w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    return str(path)


@pytest.fixture
def shards(tmp_path):
    """Write three shards of four samples; sample n is of category n % 5 + 100."""
    for shard in range(3):
        members = []
        for number in range(4 * shard, 4 * shard + 4):
            key = f"train/{number:04d}"
            members += [(f"{key}.cls", b"%d\n" % (number % 5 + 100)), (f"{key}.json", b"{}"),
                        (f"{key}.png", picture(number))]  # fmt: skip
        write_shard(tmp_path / f"set-{shard:03d}.tar", members)
    return str(tmp_path / "set-{000..002}.tar")


def test_images_and_categories_of_all_shards(shards, tmp_path):
    for cache in (False, str(tmp_path / "cache"), str(tmp_path / "cache")):
        source = WebDatasetImages(shards, cache=cache)
        assert [int(source.load(i)[0, 0, 0]) for i in range(len(source))] == list(range(12))
        assert source.categories().tolist() == [n % 5 + 100 for n in range(12)]
        assert source.categories().dtype == np.int32
        assert source.name(5).endswith("set-001.tar/train/0005.png")


def test_categories_with_gaps_can_be_balanced_and_chosen(shards):
    dataset = ImageToPseudoVideo(
        WebDatasetImages(shards, cache=False), [], num_images=6, subset="balanced",
        num_categories=3,
    )  # fmt: skip
    numbers = [int(dataset.get_data_info(i)["filename"][-8:-4]) for i in range(6)]
    assert sorted(Counter(n % 5 for n in numbers).values()) == [2, 2, 2]


def test_one_image_of_a_key_counts_and_a_field_is_all_behind_the_first_dot(tmp_path):
    members = [
        ("a.b/x.seg.png", picture(1)), ("a.b/x.png", picture(2)), ("a.b/x.PNG", picture(3)),
        ("a.b/x.0.cls", b"7"), ("a.b/x.cls", b"4"), ("a.b/y.seg.png", picture(5)),
        ("a.b/y.jpg", picture(6)), ("a.b/y.cls", b"0"),
    ]  # fmt: skip
    path = write_shard(tmp_path / "a.tar", members)
    source = WebDatasetImages(path, cache=False)
    assert [int(source.load(i)[0, 0, 0]) for i in range(len(source))] == [3, 6]
    assert source.categories().tolist() == [4, 0]
    segments = WebDatasetImages(path, extensions=["seg.png"], cache=False)
    assert [int(segments.load(i)[0, 0, 0]) for i in range(len(segments))] == [1, 5]


@pytest.mark.parametrize(
    "label",
    [None, b"", b"cat", b"-1", b"1" * 100, b"1.5", b"2147483648", b"3000000000", b"4294967297",
     b"9" * 20],
)  # fmt: skip
def test_without_a_whole_number_there_are_images_but_no_categories(tmp_path, label):
    members = [("a.png", picture(1)), ("a.cls", b"3"), ("b.png", picture(2))]
    members += [] if label is None else [("b.cls", label)]
    source = WebDatasetImages(write_shard(tmp_path / "a.tar", members), cache=False)
    assert len(source) == 2
    with pytest.raises(ValueError, match=r"1 of the 2 images.*no category.*subset='random'"):
        ImageToPseudoVideo(source, [], subset="balanced")
    if label is not None:
        assert "no whole number below 2^31 (b.png)" in str(source.passed_over)


def test_the_label_is_the_field_cls_itself_in_any_case(tmp_path):
    members = [("1.png", picture(1)), ("1.cls", b"4"), ("1.seg.cls", b"9"),
               ("2.png", picture(2)), ("2.CLS", b"2147483647")]  # fmt: skip
    source = WebDatasetImages(write_shard(tmp_path / "a.tar", members), cache=False)
    assert source.categories().tolist() == [4, 2**31 - 1]


def test_a_missing_shard_is_named(shards, tmp_path):
    os.unlink(tmp_path / "set-001.tar")
    with pytest.raises(FileNotFoundError, match=r"1 of the 3 .*images\.shards.*set-001\.tar.*moon"):
        WebDatasetImages(shards, cache=False, hint="Get it from the moon.")
    assert len(WebDatasetImages(str(tmp_path / "set-*.tar"), cache=False)) == 8


def test_a_truncated_shard_is_an_error_or_used_up_to_there(shards, tmp_path):
    path = tmp_path / "set-001.tar"
    path.write_bytes(path.read_bytes()[: 6 * 1024 + 3 * 512])
    with pytest.raises(ArchiveError, match=r"1 of 3 .*set-001\.tar: cut short.*truncated='use'"):
        WebDatasetImages(shards, cache=False)
    source = WebDatasetImages(shards, truncated="use", cache=False)
    assert [int(source.load(i)[0, 0, 0]) for i in range(len(source))] == [
        0,
        1,
        2,
        3,
        4,
        5,
        *range(8, 12),
    ]
    # The third sample of that shard lost its image, not its category.
    assert source.categories().tolist() == [n % 5 + 100 for n in (0, 1, 2, 3, 4, 5, *range(8, 12))]


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("a.tar", ["a.tar"]),
        ("a-{000..002}.tar", ["a-000.tar", "a-001.tar", "a-002.tar"]),
        ("{8..11}", ["8", "9", "10", "11"]),
        ("{08..11}", ["08", "09", "10", "11"]),
        ("{train,val}/{0..1}.tar", ["train/0.tar", "train/1.tar", "val/0.tar", "val/1.tar"]),
        ("{a,}b", ["ab", "b"]),
    ],
)
def test_braces(pattern, paths):
    assert list(expand_braces(pattern)) == paths


@pytest.mark.parametrize("pattern", ["{3..1}", "{a..c}", "{}", "x{one}"])
def test_braces_that_mean_nothing(pattern):
    with pytest.raises(ValueError, match="images.shards="):
        list(expand_braces(pattern))


@pytest.mark.parametrize(
    "url", ["pipe:cat a.tar", "https://example.org/{0..3}.tar", "s3://b/a.tar"]
)
def test_streams_are_refused(url):
    with pytest.raises(ValueError, match="download the shards first"):
        WebDatasetImages(url)


def test_registered_and_strict_about_keys(shards):
    assert len(DATASETS.build(dict(type="WebDatasetImages", shards=shards, cache=False))) == 12
    with pytest.raises(TypeError, match="shard"):
        DATASETS.build(dict(type="WebDatasetImages", shard=shards))
