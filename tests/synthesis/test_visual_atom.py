"""Visual Atom: the published vertices and lines; categories with meaning; never blank."""

from __future__ import annotations

import hashlib
import math

import cv2
import numpy as np
import pytest
from reference.visual_atom_reference import draw, noise_1d, place

from mmpmg.synthesis import visual_atom_image
from mmpmg.synthesis.uniform_stream import UniformStream
from mmpmg.synthesis.visual_atom import VisualAtom, draw_orbits, visual_atom
from mmpmg.synthesis.visual_atom_contour import _slopes, perlin_1d, turn_table


def _noise(atom: VisualAtom, seed: int) -> np.ndarray:
    positions = np.random.default_rng(seed).uniform(0, 10_000, (2, atom.orbits, atom.vertices))
    return perlin_1d(positions)


@pytest.mark.parametrize("parts", [1, 2, 3, 8, 200, 997, 1000])
def test_table_of_cosine_and_sine(parts):
    cosine, sine = turn_table(parts)
    angles = [2 * math.pi * k / parts for k in range(parts)]
    np.testing.assert_allclose(cosine, [math.cos(a) for a in angles], rtol=0, atol=2e-15)
    np.testing.assert_allclose(sine, [math.sin(a) for a in angles], rtol=0, atol=2e-15)


def test_noise_along_a_line():
    positions = np.concatenate([np.random.default_rng(0).uniform(0, 600, 400), [0, 1, 255.5, 256]])
    expected = [noise_1d(p, _slopes()[0][0].tolist()) for p in positions.tolist()]
    np.testing.assert_allclose(perlin_1d(positions), expected, rtol=0, atol=1e-12)
    assert sorted(_slopes()[0][0].tolist()) == sorted([-1.0] * 128 + list(range(1, 9)) * 16)


@pytest.mark.parametrize("category", range(6))
def test_vertices_are_the_published_ones(category):
    atom = visual_atom(0, category)
    noise = _noise(atom, category)
    x, y = atom.contours(noise)
    placed = place(
        noise, atom.coefficient, atom.width, atom.radius, atom.waves, atom.ovals, (0.0, 0.0)
    )
    assert len(placed) == atom.orbits
    np.testing.assert_allclose(x, [xs for xs, _ in placed], rtol=0, atol=1e-9)
    np.testing.assert_allclose(y, [ys for _, ys in placed], rtol=0, atol=1e-9)


@pytest.mark.parametrize("category", range(6))
def test_picture_is_pillows_but_for_ties(category):
    """Where a line passes half-way between two pixels OpenCV and Pillow may choose differently."""
    atom = visual_atom(0, category)
    noise = _noise(atom, category)
    x, y = atom.contours(noise)
    grey = np.random.default_rng(category).integers(0, 256, atom.orbits)
    ours = draw_orbits(x + 250.5, y + 200, grey, (512, 512))
    placed = place(
        noise, atom.coefficient, atom.width, atom.radius, atom.waves, atom.ovals, (250.5, 200)
    )
    theirs = draw(placed, grey)
    lit = (theirs > 0).any(-1)
    same = (ours == theirs).all(-1)
    assert same[lit].mean() > 0.9
    # What differs stands beside it.
    around = range(-1, 2)
    shifted = [np.roll(ours, (dy, dx), (0, 1)) for dy in around for dx in around]
    near = np.any([(other == theirs).all(-1) for other in shifted], axis=0)
    assert near[1:-1, 1:-1].mean() > 0.985
    small = [cv2.resize(p[..., 0].astype(np.float32), (128, 128), interpolation=cv2.INTER_AREA)
             for p in (ours, theirs)]  # fmt: skip
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.98


def test_parameters_keep_to_the_published_ranges_and_use_them():
    stream = UniformStream(5)
    atoms = [VisualAtom.sample(stream) for _ in range(2000)]
    for name, low, high in [("vertices", 200, 1000), ("orbits", 1, 200), ("radius", 10, 60),
                            ("coefficient", 0, 4), ("width", 0, 0.1)]:  # fmt: skip
        values = np.array([getattr(atom, name) for atom in atoms])
        assert low <= values.min() < low + 0.01 * (high - low) + 1e-9, name
        assert high - 0.01 * (high - low) - 1e-9 < values.max() <= high, name
        assert abs(values.mean() - (low + high) / 2) < 0.03 * (high - low), name
    waves = np.array([atom.waves for atom in atoms])
    assert (waves[:, 0] != waves[:, 1]).all()
    for column in waves.T:
        assert set(column) == set(range(21))
    ovals = np.array([atom.ovals for atom in atoms])
    assert ovals.min() >= 1 and ovals.max() < 2
    assert np.ptp(ovals, axis=0).min() > 0.98


def test_instances_share_the_atom_and_nothing_else():
    images = [visual_atom_image(0, 4, instance, 128) for instance in range(8)]
    middles = set()
    for image in images:
        assert (image[..., 0] == image[..., 1]).all() and (image[..., 0] == image[..., 2]).all()
        rows, columns = np.nonzero(image[..., 0])
        middles.add((int(rows.mean()), int(columns.mean())))
    assert len(middles) == 8
    assert visual_atom(0, 3) == visual_atom(0, 3) != visual_atom(0, 4)


def test_another_size_shows_the_same_atom():
    agreement = []
    for category in range(10):
        pictures = [visual_atom_image(0, category, 1, size)[..., 0] for size in (512, 160)]
        coarse = [cv2.resize(p, (16, 16), interpolation=cv2.INTER_AREA).ravel() for p in pictures]
        agreement.append(np.corrcoef(*coarse)[0, 1])
    assert min(agreement) > 0.7
    assert np.median(agreement) > 0.93


def test_no_image_is_blank_or_nearly_constant():
    for k in range(1000):
        image = visual_atom_image(0, k % 100, k // 100, 128)
        assert (image > 8).any(-1).mean() > 0.005, k
        assert image.std() > 8, k


def test_few_orbits_are_bright_enough_at_the_published_size():
    """Lines are one pixel wide at any size, so that larger pictures are darker."""
    assert visual_atom_image(0, 328, 6).std() >= 10  # five orbits, all of them dim at first
    fewest = sorted(range(1000), key=lambda category: visual_atom(0, category).orbits)
    for category in fewest[:60]:
        for instance in range(8):
            image = visual_atom_image(0, category, instance)
            assert image.std() >= 10, (category, instance)
            assert (image > 8).any(-1).mean() > 0.002, (category, instance)


def test_atoms_that_hardly_show_are_drawn_anew():
    """With the published ranges alone some categories have next to nothing to show."""
    stream, meagre = UniformStream(11), 0
    for _ in range(100):
        atom = VisualAtom.sample(stream)
        x, y = atom.contours(np.zeros((2, atom.orbits, atom.vertices)))
        picture = draw_orbits(x + 256, y + 256, np.full(atom.orbits, 255), (512, 512))
        meagre += (picture > 0).any(-1).mean() < 0.005
    assert meagre > 0


def test_first_images_stay_what_they_are():
    def digest(*images):
        return hashlib.sha256(b"".join(i.tobytes() for i in images)).hexdigest()[:16]

    assert (
        digest(*(visual_atom_image(0, c, i) for c in (0, 1) for i in (0, 1))) == "ba8b5f6d0fad30aa"
    )
    assert digest(visual_atom_image(7, 2, 3, (40, 90))) == "9dd28bf3bacaca1d"


def test_an_image_depends_on_its_arguments_alone():
    image = visual_atom_image(3, 1, 9, 80)
    visual_atom_image(3, 0, 9, 80)
    visual_atom.cache_clear()
    np.testing.assert_array_equal(visual_atom_image(3, 1, 9, 80), image)
    for other in ((4, 1, 9), (3, 2, 9), (3, 1, 10)):
        assert (visual_atom_image(*other, 80) != image).any()


@pytest.mark.parametrize("size", [1, 2, (1, 9), (30, 3)])
def test_smallest_pictures(size):
    shape = (size, size) if isinstance(size, int) else size
    assert visual_atom_image(0, 0, 0, size).shape == (*shape, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 0, 0, 0), "size=0"),
        ((0, 0, 0, (4, -1)), "size="),
        ((-1, 0, 0), "seed=-1"),
        ((0, -1, 0), "category=-1"),
        ((0, 0, -1), "instance=-1"),
    ],
)
def test_illegal_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        visual_atom_image(*arguments)
