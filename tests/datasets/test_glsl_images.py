"""Images of a folder of user shaders: categories, skipped ones, workers."""

from __future__ import annotations

import importlib.util
import logging
import sys

import numpy as np
import pytest
from mmaction.registry import DATASETS
from reference.glsl_samples import CLASSIC, ENDLESS, SHADERTOY
from torch.utils.data import DataLoader

from mmpmg.datasets import GLSLImages, ImageReadError, ImageToPseudoVideo
from mmpmg.synthesis.glsl_process import GLSLProcess, GLSLUnavailableError

MOVES = "o = vec4(.5 + .5 * sin(t + FC.x * .3 + vec3(0, 1, 2)), 1);"


@pytest.fixture(scope="module", autouse=True)
def drawable():
    try:
        GLSLProcess().draw("#version 300 es\nvoid main() {}", 1, 1, {})
    except GLSLUnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "toy.frag").write_text(SHADERTOY)
    (tmp_path / "b.glsl").write_text(CLASSIC)
    (tmp_path / "c.frag").write_text(MOVES)
    (tmp_path / "readme.txt").write_text("no shader")
    return tmp_path


def test_a_category_is_a_file_and_an_image_a_moment(folder):
    source = DATASETS.build({"type": "GLSLImages", "root": str(folder), "size": (20, 30)})
    assert len(source) == 300 and source.num_categories == 3 and not source.skipped
    assert [source.name(index).split(" at ")[0] for index in range(3)] == [
        str(folder / name) for name in ("a/toy.frag", "b.glsl", "c.frag")
    ]
    assert source.load(2).shape == (20, 30, 3)
    np.testing.assert_array_equal(source.load(2), GLSLImages(str(folder), size=(20, 30)).load(2))
    assert (source.load(2) != source.load(5)).any()
    assert (source.load(2) != GLSLImages(str(folder), size=(20, 30), seed=1).load(2)).any()
    source.load(301)  # images go on beyond the length


def test_the_fingerprint_tells_shaders_apart(folder):
    before = GLSLImages(str(folder)).fingerprint()
    (folder / "readme.txt").write_text("still no shader")
    assert GLSLImages(str(folder), size=64, seed=3).fingerprint() == before
    (folder / "c.frag").write_text(MOVES.replace(".3", ".4"))
    edited = GLSLImages(str(folder)).fingerprint()
    (folder / "c.frag").rename(folder / "d.frag")
    assert len({before, edited, GLSLImages(str(folder)).fingerprint()}) == 3


def test_bad_shaders_are_left_out_counted_and_named(folder, caplog):
    (folder / "bad.frag").write_text("void mainImage(out vec4 c, in vec2 p) {\n c = foo(p);\n}")
    (folder / "hangs.frag").write_text(ENDLESS)
    (folder / "empty.frag").write_bytes(b"\xff\xfe")
    with caplog.at_level(logging.WARNING):
        source = GLSLImages(str(folder), 1, 16, time_limit=2)
    assert source.num_categories == 3
    assert list(source.skipped) == ["bad.frag", "empty.frag", "hangs.frag"]
    assert "0:2(" in source.skipped["bad.frag"] and "foo" in source.skipped["bad.frag"]
    assert "longer than 2 s" in source.skipped["hangs.frag"]
    np.testing.assert_array_equal(source.categories(), [0, 1, 2])


def test_a_shader_that_fails_later_is_an_unreadable_image(folder):
    source = GLSLImages(str(folder), 1, 16, time_limit=2)
    source._sources[1] = "nonsense"
    with pytest.raises(ImageReadError, match=r"b\.glsl at \d.*syntax error"):
        source.load(1)
    assert source.load(0).shape == (16, 16, 3)


def test_data_workers_draw_the_same_images(folder):
    dataset = ImageToPseudoVideo(GLSLImages(str(folder), 2, 16), [lambda results: results["imgs"]])
    alone = [item[0] for item in dataset]
    loader = DataLoader(dataset, batch_size=None, num_workers=2, collate_fn=lambda item: item)
    for one, other in zip(alone, loader, strict=True):
        np.testing.assert_array_equal(one, np.asarray(other[0]))


def test_errors_say_what_to_do(folder, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"images\.root"):
        GLSLImages(str(tmp_path / "nowhere"))
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "bad.frag").write_text("o = foo;")
    with pytest.raises(FileNotFoundError, match=r"1 of 1 files .*bad\.frag: .*foo"):
        GLSLImages(str(tmp_path / "d"))
    with pytest.raises(ValueError, match=r"images\.max_time=0"):
        GLSLImages(str(folder), max_time=0)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    with pytest.raises(GLSLUnavailableError, match=r"mmpmg\[glsl\]"):
        GLSLImages(str(folder))


def test_nothing_is_imported_before_it_is_needed():
    assert "moderngl" not in sys.modules
