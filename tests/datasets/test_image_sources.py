"""Folder, list and generator: what they hold, and what they say before training starts."""

from __future__ import annotations

import os

import numpy as np
import pytest
from mmaction.registry import DATASETS
from PIL import Image

from mmpmg.datasets import FolderImages, ImageReadError, ImageSource, ListImages, ShaderImages
from mmpmg.datasets.file_check import _SAMPLED
from mmpmg.synthesis import shader_image

HINT = "Get it from the moon, or train on configs/x.py instead."


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "images"
    for i, name in enumerate(["b 1.png", "a/é.PNG", "a/z.png"]):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (3, 2), (i, 0, 0)).save(root / name, "PNG")
    return root


def test_folder_holds_its_images_in_order(folder):
    source = FolderImages(str(folder), cache=False)
    assert isinstance(source, ImageSource)
    assert [os.path.relpath(source.name(i), folder) for i in range(len(source))] == [
        "a/z.png",
        "a/é.PNG",
        "b 1.png",
    ]
    assert [int(source.load(i)[0, 0, 0]) for i in range(3)] == [2, 1, 0]
    with pytest.raises(IndexError):
        source.load(3)


def test_folder_options(folder):
    assert len(FolderImages(str(folder), recursive=False, cache=False)) == 1
    assert len(FolderImages(str(folder), extensions=["PNG"], cache=False)) == 3
    with pytest.raises(ImageReadError, match="max_pixels=5"):
        FolderImages(str(folder), cache=False, max_pixels=5).load(0)
    with pytest.raises(ValueError, match="extensions"):
        FolderImages(str(folder), extensions=".png")
    with pytest.raises(ValueError, match="max_pixels=0"):
        FolderImages(str(folder), max_pixels=0)


def test_missing_and_empty_folders_say_so_and_give_the_hint(tmp_path, folder):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist .*images\.root") as caught:
        FolderImages(str(tmp_path / "nowhere"), hint=HINT)
    assert str(caught.value).endswith(HINT)
    with pytest.raises(FileNotFoundError, match="is not a folder"):
        FolderImages(str(folder / "b 1.png"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no file that ends in .*\.jpg") as caught:
        FolderImages(str(tmp_path / "empty"), hint=HINT, cache=False)
    assert str(caught.value).endswith(HINT)
    with pytest.raises(FileNotFoundError, match=r"\.webp"):
        FolderImages(str(folder), extensions=[".webp"], cache=False)


def test_list_keeps_its_order_and_repetitions(tmp_path, folder):
    (tmp_path / "list.txt").write_text("b 1.png\n\na/é.PNG\nb 1.png\n", encoding="utf-8")
    source = ListImages(str(tmp_path / "list.txt"), root=str(folder), check="all")
    assert isinstance(source, ImageSource)
    assert [int(source.load(i)[0, 0, 0]) for i in range(len(source))] == [0, 1, 0]


def test_list_of_missing_files_counts_and_names_them(tmp_path, folder):
    lines = ["b 1.png"] * 4 * _SAMPLED
    lines[7 :: len(lines) // 8] = ["no.png"] * 8
    lines[-1] = "end.png"
    (tmp_path / "list.txt").write_text("\n".join(lines))
    for check in ("all", "sample"):  # the sample meets the last one, and then counts them all
        with pytest.raises(FileNotFoundError, match=r"9 of the 4000 files .*/no\.png") as caught:
            ListImages(str(tmp_path / "list.txt"), str(folder), check=check, hint=HINT)
        assert str(caught.value).endswith(HINT)
        assert "images.root" in str(caught.value)
    assert len(ListImages(str(tmp_path / "list.txt"), str(folder), check="none")) == 4000


def test_list_of_folders_and_of_nonsense(tmp_path, folder):
    (tmp_path / "list.txt").write_bytes(b"a\nx\x00y.png\n")
    with pytest.raises(FileNotFoundError, match="2 of the 2 files"):
        ListImages(str(tmp_path / "list.txt"), root=str(folder))


def test_missing_and_empty_lists(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist .*images\.list_file") as caught:
        ListImages(str(tmp_path / "none.txt"), hint=HINT)
    assert str(caught.value).endswith(HINT)
    (tmp_path / "list.txt").write_text("\n\n")
    with pytest.raises(FileNotFoundError, match="names no file"):
        ListImages(str(tmp_path / "list.txt"))
    with pytest.raises(ValueError, match=r"images\.check='some'.*all, sample, none"):
        ListImages(str(tmp_path / "list.txt"), check="some")


def test_shaders_are_functions_of_seed_and_index():
    source = ShaderImages(50, 1, size=(12, 20), seed=1)
    assert isinstance(source, ImageSource)
    assert source.load(3).shape == (12, 20, 3)
    np.testing.assert_array_equal(source.load(3), ShaderImages(4, 1, (12, 20), 1).load(3))
    assert (source.load(3) != ShaderImages(50, 1, (12, 20), 2).load(3)).any()
    np.testing.assert_array_equal(
        eval(source.name(7), {"shader_image": shader_image}), source.load(7)
    )
    source.load(50)  # images go on beyond the length
    with pytest.raises(IndexError):
        source.load(-1)


def test_images_are_balanced_over_categories_from_the_first_one():
    source = ShaderImages(num_categories=3, images_per_category=4, size=8)
    assert len(source) == 12
    assert [source.address(i) for i in (0, 1, 3, 11, 12)] == [
        (0, 0), (1, 0), (0, 1), (2, 3), (0, 4),
    ]  # fmt: skip
    assert source.categories().tolist() == [0, 1, 2] * 4


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"num_categories": 0}, "num_categories"),
        ({"images_per_category": 2.5}, "images_per_category"),
        ({"size": 0}, "size"),
        ({"size": (1, 2, 3)}, "size"),
        ({"seed": -1}, "seed"),
    ],
)
def test_shader_options(options, key):
    with pytest.raises(ValueError, match=key):
        ShaderImages(**options)


def test_registered_and_strict_about_keys():
    built = DATASETS.build({"type": "ShaderImages", "num_categories": 3, "images_per_category": 1})
    assert len(built) == 3
    with pytest.raises(TypeError, match="num_category"):
        DATASETS.build({"type": "ShaderImages", "num_category": 3})
