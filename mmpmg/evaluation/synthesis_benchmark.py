"""How fast images are made, against straightforward restatements of the published programs.

The restatements do less than the published programs, and ratios are lower for it: the fractal's
patch is made once instead of at every point, and the atom's noise is looked up in a short table
where the program calls a library.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from mmpmg.evaluation.timing import Side, alternate, limited_threads, markdown_table, ratios, spread
from mmpmg.synthesis import fractal_image, perlin_clip, shader_image, visual_atom_image
from mmpmg.synthesis.fractal import WEIGHTS, FractalVariant, fractal_system
from mmpmg.synthesis.perlin import PerlinTexture, slopes_at
from mmpmg.synthesis.perlin_noise3d import SLOPES
from mmpmg.synthesis.shader import ShaderProgram
from mmpmg.synthesis.visual_atom import visual_atom

HEAD = ["source", "restatement", "ours, images/s", "theirs, images/s", "ratio (min to max)"]
FEED_HEAD = ["source at 96 x 96", "images/s", "share of a core for 50 clips/s, %"]
#: What two cores take in of the toy recipe: clips a second, one image each.
DEMAND = 50


class Contest(NamedTuple):
    """One row of the table.

    Attributes:
        source: What is made.
        against: What the restatement is.
        ours: Makes the image of a round.
        theirs: Makes the same; None where there is none.
    """

    source: str
    against: str
    ours: Side
    theirs: Side | None


def fractal_loop(seed: int, category: int, instance: int, side: int, points: int) -> np.ndarray:
    """Make a fractal point by point, one patch pasted for each.

    Args:
        seed: As in `fractal_image`.
        category: Likewise.
        instance: Likewise; its weights are taken as published.
        side: Of the picture, in pixels.
        points: How many.

    Returns:
        (side, side, 3) uint8; not the picture of `fractal_image`, for it throws other dice.
    """
    variant = FractalVariant.of_instance(instance)
    maps, thresholds = fractal_system(seed, category)
    rows = (maps * WEIGHTS[variant.weight]).tolist()
    bounds = [*thresholds.tolist(), 1.0]
    x, y, xs, ys = 0.0, 0.0, [0.0], [0.0]
    for die in np.random.default_rng(0).random(points - 1).tolist():
        symbol = 0
        while die > bounds[symbol]:
            symbol += 1
        a, b, c, d, e, f = rows[symbol]
        x, y = a * x + b * y + e, c * x + d * y + f
        xs.append(x)
        ys.append(y)
    columns, lines = (
        ((v - v.min()) / (v.max() - v.min()) * (side - 12) + 6).astype(int)
        for v in (np.array(xs), np.array(ys))
    )
    bits = [int(bit) for bit in f"{variant.pattern(seed, category):09b}"]
    pixels = np.array([[127 * bits[3 * row + k]] * 3 for row in range(3) for k in range(3)])
    patch = Image.fromarray(pixels.reshape(3, 3, 3).astype(np.uint8))
    picture = Image.new("RGB", (side, side))
    for i in range(points):
        picture.paste(patch, (int(columns[i]) + 1, int(lines[i]) + 1))
    return np.asarray(picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM))


def atom_loop(seed: int, category: int) -> np.ndarray:
    """Make an atom vertex by vertex and draw it line by line.

    Args:
        seed: As in `visual_atom_image`.
        category: Likewise.

    Returns:
        (512, 512, 3) uint8; other noise than in `visual_atom_image`, in the middle of the picture.
    """
    atom = visual_atom(seed, category)
    angle = 2 * math.pi / atom.vertices
    xs = [math.cos(angle * v) * atom.radius * atom.ovals[0] + 256 for v in range(atom.vertices)]
    ys = [math.sin(angle * v) * atom.radius * atom.ovals[1] + 256 for v in range(atom.vertices)]
    picture = Image.new("RGB", (512, 512))
    pen = ImageDraw.Draw(picture)
    first, second = atom.waves
    dice = random.Random(0)
    table = [dice.uniform(-0.5, 0.5) for _ in range(10_000)]
    for _ in range(atom.orbits):
        grey = dice.randint(0, 255)
        for positions, turn in ((xs, math.cos), (ys, math.sin)):
            for v in range(atom.vertices):
                noise = table[int(dice.uniform(0, 10_000))]
                offset = noise * atom.coefficient - atom.coefficient
                offset -= 0.5 * math.sin(angle * v * first) + 0.5 * math.sin(angle * v * second)
                positions[v] -= turn(angle * v) * (offset - atom.width)
        for v in range(atom.vertices):
            w = (v + 1) % atom.vertices
            pen.line((xs[v], ys[v], xs[w], ys[w]), fill=(grey, grey, grey), width=1)
    return np.asarray(picture)


def perlin_corners(seed: int, category: int, num_frames: int, side: int) -> np.ndarray:
    """Make a Perlin clip from the eight corners of every pixel's cell, all pixels at once.

    Args:
        seed: As in `perlin_clip`.
        category: Likewise.
        num_frames: T.
        side: In pixels.

    Returns:
        (T, side, side, 3) uint8 with the texture of `perlin_clip`, but other slopes.
    """
    texture = PerlinTexture.sample(seed, category)
    axes = (np.arange(num_frames) / 16, np.arange(side) / side, np.arange(side) / side)
    clip = np.zeros((num_frames, side, side, texture.fields), np.float32)
    for field in range(texture.fields):
        for octave in range(texture.octaves):
            scaled = [a * f * 2**octave for a, f in zip(axes, texture.frequency[::-1], strict=True)]
            cells = [np.floor(a).astype(int) for a in scaled]
            slopes = SLOPES[
                slopes_at(field, (cells[0][-1] + 2, cells[1][-1] + 2, cells[2][-1] + 2))
            ]
            t, y, x = np.meshgrid(
                *(a - c for a, c in zip(scaled, cells, strict=True)), indexing="ij", copy=False
            )
            weights = [u**3 * (u * (u * 6 - 15) + 10) for u in (t, y, x)]
            for corner in np.ndindex(2, 2, 2):
                at = np.ix_(*(c + k for c, k in zip(cells, corner, strict=True)))
                slope = slopes[at]
                height = slope[..., 0] * (x - corner[2]) + slope[..., 1] * (y - corner[1])
                height += slope[..., 2] * (t - corner[0])
                for weight, k in zip(weights, corner, strict=True):
                    height = height * (weight if k else 1 - weight)
                clip[..., field] += height * 0.5**octave
    return np.broadcast_to(np.clip(clip * 200 + 128, 0, 255), (*clip.shape[:3], 3)).astype(np.uint8)


def contests(repeats: int) -> list[Contest]:
    """List what is compared; fractals and atoms are searched and shaders written here."""
    for k in range(repeats):
        fractal_image(0, k, 0)
        visual_atom(0, k)
        shader_image(0, k, 0, 8)
    return [
        Contest(
            "FractalDB, 362 x 362, 200,000 points", "pure Python, a patch pasted a point",
            lambda k: fractal_image(0, k, 0), lambda k: fractal_loop(0, k, 0, 362, 200_000),
        ),
        Contest(
            "Visual Atom, 512 x 512", "pure Python, Pillow's lines",
            lambda k: visual_atom_image(0, k, 0), lambda k: atom_loop(0, k),
        ),
        Contest("shaders, 256 x 256", "none", lambda k: shader_image(0, k, 1, 256), None),
        Contest(
            "Perlin, first frame, 256 x 256", "NumPy, eight corners a pixel",
            lambda k: perlin_clip(0, k, 0, 1, 256), lambda k: perlin_corners(0, k, 1, 256),
        ),
        Contest(
            "Perlin, clip of 16 x 112 x 112", "NumPy, eight corners a pixel",
            lambda k: perlin_clip(0, k, 0, 16, 112), lambda k: perlin_corners(0, k, 16, 112),
        ),
    ]  # fmt: skip


def benchmark_images(repeats: int) -> str:
    """Time all generators on one thread, as Markdown.

    Every round makes an image of another category, known from before: the search of a fractal and
    the writing of a shader, once a category, are timed on their own. A second table says what the
    sources cost the toy recipe, at its size: a computed share, not a measured wait.

    Args:
        repeats: Timed rounds, >= 1.
    """
    rows = []
    with limited_threads(1):
        for source, against, ours, theirs in contests(repeats):
            sides = {"ours": ours} if theirs is None else {"ours": ours, "theirs": theirs}
            timings = alternate(sides, repeats, warmup=1)
            row = [source, against, *(_rate(seconds) for seconds in timings.values())]
            rows.append(row + ([str(ratios(timings, "ours", "theirs"))] if theirs else ["", ""]))
        feeds = [_feed_row(*feed, repeats) for feed in _feeds()]
        fresh = iter(range(10_000, 10_000 + 2 * repeats))
        once = {
            "fractal": lambda _: fractal_system(0, next(fresh)),
            "shader": lambda _: ShaderProgram.of_category(0, next(fresh)),
        }
        search = alternate(once, repeats, warmup=0)
    return (
        f"### Images, one thread\n\n{markdown_table(HEAD, rows)}\n\n"
        f"Once a category: {spread(search['fractal']).median * 1000:.0f} ms to search a fractal, "
        f"{spread(search['shader']).median * 1000:.0f} ms to write a shader.\n\n"
        f"{markdown_table(FEED_HEAD, feeds)}"
    )


def _feeds() -> list[tuple[str, Callable[[int], object]]]:
    return [
        ("FractalDB, 20,000 points", lambda k: fractal_image(0, k, 0, 96, points=20_000)),
        ("Visual Atom", lambda k: visual_atom_image(0, k, 0, 96)),
        ("shaders", lambda k: shader_image(0, k, 0, 96)),
        ("Perlin", lambda k: perlin_clip(0, k, 0, 1, 96)),
    ]


def _feed_row(source: str, make: Side, repeats: int) -> list[str]:
    for k in range(repeats):
        make(k)  # categories are found once in a run
    seconds = alternate({"ours": make}, repeats, warmup=0)["ours"]
    return [source, _rate(seconds), f"{100 * DEMAND * sum(seconds) / len(seconds):.0f}"]


def _rate(seconds: list[float]) -> str:
    """Images a second over all rounds: costs differ from image to image, so no median."""
    rate = len(seconds) / sum(seconds)
    return f"{rate:.0f}" if rate >= 100 else f"{rate:.3g}"
