"""Shader images: a function of the seed, at any size; varied; full of what can be tracked."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from mmpmg.synthesis import ShaderProgram, shader_image
from mmpmg.synthesis.coordinates import COORDINATES
from mmpmg.synthesis.fields import FIELDS
from mmpmg.synthesis.layer import Layer
from mmpmg.synthesis.palette import Palette

SEEDS = range(1000, 1200)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.stack([shader_image(seed, 0, 0, 96) for seed in SEEDS])


def _digest(images: list[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(image.tobytes() for image in images)).hexdigest()


def test_form_and_sizes():
    for size, shape in [
        (64, (64, 64, 3)),
        ((30, 71), (30, 71, 3)),
        (1, (1, 1, 3)),
        ((1, 5), (1, 5, 3)),
    ]:
        image = shader_image(3, 0, 0, size)
        assert image.shape == shape
        assert image.dtype == np.uint8


def test_same_image_in_another_process_whatever_was_drawn_before():
    code = (
        "import hashlib; from mmpmg.synthesis import shader_image as f; f(77, 0, 0, 32);"
        "print(hashlib.sha256(b''.join(f(s, 0, 0, 40).tobytes() for s in range(12))).hexdigest())"
    )
    np.random.seed(0)  # noqa: NPY002
    here = _digest([shader_image(seed, 0, 0, 40) for seed in range(12)])
    environment = dict(os.environ, PYTHONHASHSEED="7", PYTHONPATH=os.pathsep.join(sys.path))
    there = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.split()[-1] == here


def test_another_size_shows_the_same_composition():
    agreement = []
    for seed in SEEDS[:30]:
        small = cv2.resize(shader_image(seed, 0, 0, 64), (16, 16), interpolation=cv2.INTER_AREA)
        large = cv2.resize(shader_image(seed, 0, 0, 256), (16, 16), interpolation=cv2.INTER_AREA)
        agreement.append(np.corrcoef(small.ravel(), large.ravel())[0, 1])
    assert np.median(agreement) > 0.95
    assert min(agreement) > 0.5


def test_wider_picture_holds_the_square_in_its_middle():
    for seed in SEEDS[:10]:
        square, wide = shader_image(seed, 0, 0, 64), shader_image(seed, 0, 0, (64, 128))
        difference = np.abs(wide[:, 32:96].astype(int) - square)
        # Relief is lit by neighbours, which the outermost column of a square lacks.
        assert np.mean(difference[:, 2:-2] > 2) < 0.02


def test_all_seeds_differ_and_none_nearly_repeats_another(images):
    thumbs = np.stack([cv2.resize(image, (8, 8), interpolation=cv2.INTER_AREA) for image in images])
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float64) / 255
    distance = np.sqrt(((flat[:, None] - flat[None]) ** 2).mean(-1))
    off_diagonal = distance[~np.eye(len(flat), dtype=bool)]
    assert off_diagonal.mean() > 0.2
    assert off_diagonal.min() > 0.04


def test_images_use_the_range_of_brightness_and_many_hues(images):
    grey = images.mean(-1).reshape(len(images), -1)
    assert np.median(grey.std(1)) > 40
    assert grey.std(1).min() > 10
    hsv = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2HSV) for image in images])
    hue = np.array([np.median(h[s > 60]) for h, s in zip(hsv[..., 0], hsv[..., 1], strict=True)])
    histogram, _ = np.histogram(hue[np.isfinite(hue)], bins=6, range=(0, 180))
    assert (histogram > 0.03 * len(images)).all()


def test_there_is_something_to_track():
    counts = []
    for seed in SEEDS[:60]:
        grey = cv2.cvtColor(shader_image(seed, 0, 0, 224), cv2.COLOR_RGB2GRAY)
        corners = cv2.goodFeaturesToTrack(grey, 1000, 0.05, 4)
        counts.append(0 if corners is None else len(corners))
    assert np.median(counts) > 200
    assert np.percentile(counts, 5) > 40


def test_patches_of_an_image_are_told_apart_by_their_neighbours(images):
    """A patch matched against the whole image is found where it is, in most images."""
    found = []
    for image in images[:60]:
        patch = image[40:56, 40:56]
        response = cv2.matchTemplate(image, patch, cv2.TM_SQDIFF)
        at = np.unravel_index(response.argmin(), response.shape)
        response[36:45, 36:45] = np.inf
        # The best match elsewhere is clearly worse: mean squared difference above 3 grey levels.
        found.append(at == (40, 40) and response.min() / patch.size > 9)
    assert np.mean(found) > 0.7


def test_every_rule_is_finite_everywhere_and_pure():
    axis = np.concatenate([np.linspace(-2, 2, 21), [0, 1, -1, 1e-8, 1e5]]).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    keep = x.copy(), y.copy()
    seen_coordinates, seen_fields = set(), set()
    rng = np.random.default_rng(5)
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(300):
            step, field = COORDINATES.sample(rng), FIELDS.sample(rng)
            seen_coordinates.add(step.name)
            seen_fields.add(field.name)
            u, v = step(x, y)
            assert u.dtype == v.dtype == np.float32, step
            assert u.shape == v.shape == x.shape, step
            assert np.isfinite(u).all(), step
            assert np.isfinite(v).all(), step
            value = field(x, y)
            assert value.dtype == np.float32, field
            assert value.shape == x.shape, field
            centre = field(x[:21, :21], y[:21, :21])
            assert np.isfinite(centre).all(), field
            assert -2 < np.median(centre) < 3, field
    np.testing.assert_array_equal(x, keep[0])
    np.testing.assert_array_equal(y, keep[1])
    assert seen_coordinates == set(COORDINATES.names)
    assert seen_fields == set(FIELDS.names)


def test_palette_is_the_cosine_formula_and_closes():
    palette = Palette.sample(np.random.default_rng(2))
    t = np.linspace(-1, 2, 200).astype(np.float32)
    index = np.floor(t[:, None] * 512) / 512
    wave = np.cos(2 * np.pi * (index * palette.cycles + np.asarray(palette.phase)))
    expected = np.clip(np.asarray(palette.bias) + np.asarray(palette.swing) * wave, 0, 1)
    # Truncation towards zero moves negative values by one entry of the table.
    assert np.abs(palette(t) - expected).max() < 0.03
    np.testing.assert_allclose(palette(t[:50]), palette(t[:50] + 1), atol=0.03)


def test_flat_programs_are_replaced(monkeypatch):
    flat_first = []
    for seed in range(3000, 3030):
        program = ShaderProgram._draw(np.random.default_rng((seed, 0)))
        if program.layers != ShaderProgram.sample(seed).layers:
            flat_first.append((seed, program))
    assert 2 <= len(flat_first) <= 25

    def busy(image: np.ndarray) -> float:
        return float(cv2.Laplacian(image.mean(-1).astype(np.float32), cv2.CV_32F, ksize=3).std())

    dropped = [busy(program.render(96, 96)) for _, program in flat_first]
    chosen = [busy(shader_image(seed, 0, 0, 96)) for seed, _ in flat_first]
    assert np.median(chosen) > np.median(dropped)


def test_description_names_every_part():
    program = ShaderProgram.sample(8)
    text = program.describe()
    assert text == ShaderProgram.sample(8).describe()
    assert text.count("\n") == len(program.layers) - 1
    for layer in program.layers:
        assert isinstance(layer, Layer)
        assert layer.field.name in text
        assert all(step.name in text for step in layer.steps)
    assert ShaderProgram.sample(9).describe() != text


@pytest.mark.parametrize("size", [0, (0, 4), (4, -1)])
def test_illegal_size(size):
    with pytest.raises(ValueError, match="1 or more"):
        shader_image(0, 0, 0, size)


def test_illegal_seed():
    with pytest.raises(ValueError, match="seed=-1"):
        shader_image(-1, 0, 0)
