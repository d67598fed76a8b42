"""Shader images: a function of their numbers, at any size; varied; full of what can be tracked."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from reference.picture_features import corners, distances, features

from mmpmg.synthesis import ShaderProgram, shader_image
from mmpmg.synthesis.coordinates import COORDINATES
from mmpmg.synthesis.fields import FIELDS
from mmpmg.synthesis.layer import Layer
from mmpmg.synthesis.palette import Palette
from mmpmg.synthesis.random_stream import RandomStream
from mmpmg.synthesis.surfaces import SURFACES
from mmpmg.synthesis.trackability import merit

PROGRAMS = 150
VIEWS = 3


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """Return (150 programs, 3 views, 96, 96, 3)."""
    return np.stack(
        [[shader_image(0, category, i, 96) for i in range(VIEWS)] for category in range(PROGRAMS)]
    )


def _digest(images: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(image.tobytes() for image in images)).hexdigest()


#: SHA-256 of the first images: a new checksum is a change of results.
SQUARE = "59ac19f51a6e9b17bddf0c60e928525fcf36e01fe662fe68d47ffa5cc8b67df7"
WIDE = "a27cd688044d98a452b42280ce1614075807d96392876f74daa0c3fc33da5b2a"


def test_first_images_never_change():
    """Any machine, numpy and Python: the same bits."""
    square = [shader_image(0, category, i, 64) for category in range(20) for i in (0, 1)]
    assert _digest(square) == SQUARE
    assert _digest([shader_image(7, c, 5, (150, 200)) for c in range(10)]) == WIDE


def test_form_and_sizes():
    for size, shape in [
        (64, (64, 64, 3)),
        ((30, 71), (30, 71, 3)),
        (1, (1, 1, 3)),
        ((1, 5), (1, 5, 3)),
        ((5, 20_000), (5, 20_000, 3)),
    ]:
        image = shader_image(3, 0, 0, size)
        assert image.shape == shape
        assert image.dtype == np.uint8


def test_same_image_in_another_process_whatever_was_drawn_before():
    code = (
        "import hashlib; from mmpmg.synthesis import shader_image as f; f(77, 0, 0, 32);"
        "print(hashlib.sha256(b''.join(f(0, s, 1, 40).tobytes() for s in range(12))).hexdigest())"
    )
    np.random.seed(0)  # noqa: NPY002
    here = _digest([shader_image(0, category, 1, 40) for category in range(12)])
    environment = dict(os.environ, PYTHONHASHSEED="7", PYTHONPATH=os.pathsep.join(sys.path))
    # Other vector instructions, where numpy chooses its loops by the processor.
    environment["NPY_DISABLE_CPU_FEATURES"] = _vector_instructions()
    there = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.split()[-1] == here


def _vector_instructions() -> str:
    """Return what numpy could do without: the features that this processor has and it uses."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    return " ".join(name for name in __cpu_dispatch__ if __cpu_features__.get(name))


def test_tiles_do_not_show(monkeypatch):
    whole = [shader_image(0, category, 0, 60) for category in range(20)]
    monkeypatch.setattr("mmpmg.synthesis.shader._TILE", 60 * 7)
    for category, image in enumerate(whole):
        np.testing.assert_array_equal(shader_image(0, category, 0, 60), image)


def test_another_size_shows_the_same_composition():
    agreement = []
    for category in range(30):
        small = cv2.resize(shader_image(0, category, 1, 64), (16, 16), interpolation=cv2.INTER_AREA)
        large = cv2.resize(
            shader_image(0, category, 1, 256), (16, 16), interpolation=cv2.INTER_AREA
        )
        agreement.append(np.corrcoef(small.ravel(), large.ravel())[0, 1])
    assert np.median(agreement) > 0.95
    assert min(agreement) > 0.5


def test_wider_picture_holds_the_square_in_its_middle():
    for category in range(15):
        square, wide = shader_image(0, category, 2, 64), shader_image(0, category, 2, (64, 128))
        np.testing.assert_array_equal(wide[:, 32:96], square)


def test_programs_differ_and_images_of_one_are_related(images):
    table = np.array([[features(image) for image in views] for views in images])
    flat = table.reshape(-1, table.shape[-1])
    program = np.repeat(np.arange(PROGRAMS), VIEWS)
    apart = distances(flat, flat)
    same = program[:, None] == program
    within = apart[same & ~np.eye(len(flat), dtype=bool)]
    between = apart[~same]
    assert np.median(between) > 2 * np.median(within)
    np.fill_diagonal(apart, np.inf)
    # Most images' nearest neighbour is another view of their own program.
    assert (program[apart.argmin(1)] == program).mean() > 0.6


def test_no_image_nearly_repeats_another(images):
    flat = images.reshape(-1, *images.shape[2:])
    thumbs = np.stack([cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA) for image in flat])
    rows = thumbs.reshape(len(thumbs), -1) / 255 / np.sqrt(8 * 8 * 3)
    apart = distances(rows, rows)
    np.fill_diagonal(apart, np.inf)
    assert (apart.min(1) < 0.02).mean() < 0.01  # root mean square, of 1
    one_each = apart[::VIEWS, ::VIEWS]
    assert one_each.min() > 0.04


def test_images_use_the_range_of_brightness_and_many_hues(images):
    flat = images.reshape(-1, *images.shape[2:])
    grey = flat.mean(-1).reshape(len(flat), -1)
    assert np.median(grey.std(1)) > 40
    assert grey.std(1).min() > 10
    hsv = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2HSV) for image in flat[::VIEWS]])
    hue = np.array([np.median(h[s > 60]) for h, s in zip(hsv[..., 0], hsv[..., 1], strict=True)])
    histogram, _ = np.histogram(hue[np.isfinite(hue)], bins=6, range=(0, 180))
    assert (histogram > 0.03 * len(hsv)).all()


def test_no_image_of_a_thousand_is_blank():
    """1,000 programs, one view each: none near-constant, none without something to follow."""
    weakest, dullest, largest = 9.0, 255.0, 0.0
    for category in range(1000):
        image = shader_image(1, category, 1, 64)
        weakest = min(weakest, merit(image))
        dullest = min(dullest, float(image.mean(-1).std()))
        colour = image.astype(np.int64) @ [65536, 256, 1]
        largest = max(largest, np.unique(colour, return_counts=True)[1].max() / colour.size)
    assert weakest >= 1
    assert dullest > 8
    assert largest < 0.7


def test_there_is_something_to_track():
    counts = [corners(shader_image(0, category, 1, 224)) for category in range(80)]
    assert np.median(counts) > 200
    assert np.percentile(counts, 5) > 40


def test_patches_of_an_image_are_told_apart_by_their_neighbours(images):
    """A patch matched against the whole image is found where it is, in most images."""
    found = []
    for image in images[:80, 0]:
        patch = image[40:56, 40:56]
        response = cv2.matchTemplate(image, patch, cv2.TM_SQDIFF)
        at = np.unravel_index(response.argmin(), response.shape)
        response[36:45, 36:45] = np.inf
        # The best match elsewhere is clearly worse: mean squared difference above 3 grey levels.
        found.append(at == (40, 40) and response.min() / patch.size > 9)
    assert np.mean(found) > 0.7


def test_every_rule_is_finite_everywhere_and_pure():
    axis = np.concatenate([np.linspace(-2, 2, 21), [0, 1, -1, 1e-8, 2048]]).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    keep = x.copy(), y.copy()
    seen: dict[str, set[str]] = {"step": set(), "surface": set(), "field": set()}
    stream = RandomStream(5)
    for _ in range(600):
        step, surface, field = (v.sample(stream) for v in (COORDINATES, SURFACES, FIELDS))
        for name, rule in (("step", step), ("surface", surface), ("field", field)):
            seen[name].add(rule.name)
        results = ((step, step(x, y)), (surface, surface(x, y)), (field, (field(x, y),)))
        for rule, arrays in results:
            for array in arrays:
                assert array.dtype == np.float32, rule
                assert array.shape == x.shape, rule
                assert np.isfinite(array).all(), rule
        assert -1 < np.median(results[2][1][0][:21, :21]) < 3, field
        light = results[1][1][2][:21, :21]
        assert light.min() >= -0.7 and light.max() < 1.7, surface
    np.testing.assert_array_equal(x, keep[0])
    np.testing.assert_array_equal(y, keep[1])
    assert seen == {
        "step": set(COORDINATES.names),
        "surface": set(SURFACES.names),
        "field": set(FIELDS.names),
    }


def test_palettes_are_circles_of_colour():
    stream, kinds = RandomStream(2), set()
    for _ in range(40):
        palette = Palette.sample(stream)
        kinds.add(palette.kind)
        table = palette.table()
        assert table.shape == (3, 512) and table.dtype == np.float32
        assert table.min() >= 0 and table.max() <= 1
        jump = np.abs(np.diff(table, append=table[:, :1])).max()
        if palette.kind == "swatches":
            assert len(np.unique(table, axis=1).T) <= len(palette.colours)
            for number, colour in enumerate(palette.colours):
                middle = int((number + 0.5) * 512 / len(palette.colours))
                np.testing.assert_allclose(table[:, middle], colour, atol=1e-6)
        else:
            assert jump < 0.03  # also from the last to the first
        t = np.float32([-1.25, 0.3, 7.3])
        planes = palette(t)
        for channel in range(3):
            assert planes[channel][1] == table[channel, 153]
            assert planes[channel][0] == table[channel, 384]
    assert kinds == {"wave", "ramp", "swatches"}


def test_wave_palette_is_the_cosine_formula():
    palette = next(
        p for p in (Palette.sample(RandomStream(n)) for n in range(9)) if p.kind == "wave"
    )
    bias, swing, cycles, phase = (np.array(row)[:, None] for row in palette.colours)
    t = np.arange(512) / 512
    expected = np.clip(bias + swing * np.cos(2 * np.pi * (cycles * t + phase)), 0, 1)
    assert np.abs(palette.table() - expected).max() < 0.002


def test_merit_tells_structure_from_flatness_lines_and_noise():
    def judged(grey: np.ndarray) -> float:
        return merit(np.repeat(grey.astype(np.uint8)[..., None], 3, 2))

    iy, ix = np.mgrid[:64, :64]
    assert judged(np.full((64, 64), 90)) < 0.1
    assert judged(128 + 100 * np.sin(ix / 3)) < 0.1  # stripes: the aperture problem
    assert judged(np.random.default_rng(0).integers(0, 256, (64, 64))) < 1
    assert judged(128 + 60 * np.sin(ix / 3) + 60 * np.sin(iy / 3)) >= 1
    half = 128 + 60 * np.sin(ix / 3) + 60 * np.sin(iy / 3)
    half[:40] = 128
    assert judged(half) < 1


def test_flat_programs_and_views_are_replaced():
    firsts = [ShaderProgram._draw(RandomStream(0, category, 0)) for category in range(60)]
    dropped = [
        category
        for category, first in enumerate(firsts)
        if not first._exposed()[1] or ShaderProgram.of_category(0, category).layers != first.layers
    ]
    assert 2 <= len(dropped) <= 50
    program = ShaderProgram.of_category(0, 0)
    flat = replace(
        program.layers[0], bands=0.0, tint_amount=0.0, shade=0.0, relief=0.0, contour=0.0
    )
    flat = replace(flat, surface=None)
    assert not replace(program, layers=(flat,), blends=())._exposed()[1]


def test_views_share_rules_and_colours():
    program = ShaderProgram.of_category(3, 1)
    views = [program.view(3, 1, instance) for instance in range(12)]
    for view in views:
        assert [layer.field.name for layer in view.layers] == [
            layer.field.name for layer in program.layers
        ]
        assert [layer.palette for layer in view.layers] == [
            layer.palette for layer in program.layers
        ]
    assert len({(view.zoom, view.tilt) for view in views}) >= 11
    assert program.view(3, 1, 4) == views[4]


def test_description_names_every_part():
    program = ShaderProgram.of_category(0, 8)
    text = program.describe()
    assert text == ShaderProgram.of_category(0, 8).describe()
    assert text.count("\n") == len(program.layers) - 1
    for layer in program.layers:
        assert isinstance(layer, Layer)
        assert layer.field.name in text
        assert all(step.name in text for step in layer.steps)
    assert ShaderProgram.of_category(0, 9).describe() != text


@pytest.mark.parametrize("size", [0, (0, 4), (4, -1)])
def test_illegal_size(size):
    with pytest.raises(ValueError, match="1 or more"):
        shader_image(0, 0, 0, size)


@pytest.mark.parametrize("name", ["seed", "category", "instance"])
def test_illegal_numbers(name):
    with pytest.raises(ValueError, match=f"{name}=-1"):
        shader_image(**{"seed": 0, "category": 0, "instance": 0, name: -1})
