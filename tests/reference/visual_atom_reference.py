"""Visual Atom as its program describes it: vertex by vertex, line by line, drawn by Pillow."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw


def place(noise, coefficient, width, radius, waves, ovals, start) -> list[tuple[list, list]]:
    """Return x and y of every orbit's vertices; ``noise`` is (2, orbits, vertices)."""
    _, orbits, count = noise.shape
    angle = 2 * math.pi / count
    xs = [math.cos(angle * v) * radius * ovals[0] + start[0] for v in range(count)]
    ys = [math.sin(angle * v) * radius * ovals[1] + start[1] for v in range(count)]
    placed = []
    for orbit in range(orbits):
        for v in range(count):
            wave = 0.5 * math.sin(angle * v * waves[0]) + 0.5 * math.sin(angle * v * waves[1])
            offset_x = noise[0, orbit, v] * coefficient - coefficient - wave
            offset_y = noise[1, orbit, v] * coefficient - coefficient - wave
            xs[v] -= math.cos(angle * v) * (offset_x - width)
            ys[v] -= math.sin(angle * v) * (offset_y - width)
        placed.append((list(xs), list(ys)))
    return placed


def draw(placed, grey, side: int = 512) -> np.ndarray:
    """Draw each orbit's segments one after the other."""
    picture = Image.new("RGB", (side, side))
    pen = ImageDraw.Draw(picture)
    for (xs, ys), level in zip(placed, grey):
        level = int(level)
        for v in range(len(xs)):
            w = (v + 1) % len(xs)
            pen.line((xs[v], ys[v], xs[w], ys[w]), fill=(level, level, level), width=1)
    return np.asarray(picture)


def noise_1d(position: float, slopes) -> float:
    """Perlin noise along a line with slopes of period 256, times .4."""
    cell = math.floor(position)
    u = position - cell
    fade = u**3 * (u * (u * 6 - 15) + 10)
    left = slopes[cell % 256] * u
    right = slopes[(cell + 1) % 256] * (u - 1)
    return (left + fade * (right - left)) * 0.4
