"""Fields of waves and lines: what sines, distances and angles draw."""

from __future__ import annotations

import numpy as np

from .exact_math import angle, edge, fraction, rotated, sine
from .grammar import PHASE, SEED, Vocabulary, linear, log, whole
from .noise import lookup, randoms, value_noise
from .random_stream import RandomStream

WAVES = Vocabulary()


@WAVES.rule(weight=0.9, count=whole(2, 5), frequency=log(0.5, 1.8), seed=SEED, time=PHASE)
def waves(
    x: np.ndarray, y: np.ndarray, count: int, frequency: float, seed: int, time: float
) -> np.ndarray:
    """Let plane waves of random directions interfere."""
    stream = RandomStream(seed)
    total = np.full_like(x, 0.5)
    for _ in range(count):
        turns, factor, phase = stream.unit(), stream.uniform(0.5, 1.6), stream.unit()
        wave = rotated(x, y, turns, frequency * factor)
        wave += phase + time
        wave = sine(wave)
        wave *= 0.75 / (count + 1)
        total += wave
    return total


@WAVES.rule(weight=0.6, centred=True, frequency=log(1.0, 5.0), arms=whole(0, 5), time=PHASE)
def rings(x: np.ndarray, y: np.ndarray, frequency: float, arms: int, time: float) -> np.ndarray:
    """Draw rings about the centre, or a spiral."""
    phase = x * x
    phase += y * y
    np.sqrt(phase, out=phase)
    phase *= frequency
    phase += time
    if arms:
        around = angle(x, y)
        around *= arms
        phase += around
    wave = sine(phase)
    wave *= 0.5
    wave += 0.5
    return wave


@WAVES.rule(weight=0.5, centred=True, rays=whole(4, 14), twist=linear(-0.6, 0.6), seed=SEED)
def burst(x: np.ndarray, y: np.ndarray, rays: int, twist: float, seed: int) -> np.ndarray:
    """Send out rays of random length and brightness."""
    radius = x * x
    radius += y * y
    np.sqrt(radius, out=radius)
    around = angle(x, y)
    around *= rays
    around += radius * twist
    number = np.floor(around)
    around -= number
    around -= 0.5
    np.abs(around, out=around)
    column = number.astype(np.int32)
    where = lookup(column % rays, column % rays * 3, seed)
    reach = randoms(where)
    reach += 0.25
    reach -= radius
    np.minimum(reach, np.subtract(0.42, around), out=reach)
    value = edge(reach, 0.08)
    shade = randoms(where, 1)
    shade *= 0.6
    shade += 0.4
    value *= shade
    return value


@WAVES.rule(
    weight=1, frequency=log(2.0, 7.0), swing=linear(0.3, 1.5), thick=linear(0.06, 0.25), seed=SEED
)
def strings(
    x: np.ndarray, y: np.ndarray, frequency: float, swing: float, thick: float, seed: int
) -> np.ndarray:
    """Draw lines one below another, each a curve of its own."""
    bend = value_noise(x * 1.4, y * (0.35 * frequency), seed)
    bend *= swing
    bend += y * frequency
    row = np.floor(bend)
    bend -= row
    bend -= 0.5
    np.abs(bend, out=bend)
    number = row.astype(np.int32)
    shade = randoms(lookup(number, number * 5, seed))
    shade *= 0.7
    shade += 0.3
    line = edge(np.subtract(thick, bend), 0.07)
    line *= shade
    return line


@WAVES.rule(weight=1, centred=True, count=whole(3, 7), size=log(0.02, 0.12), seed=SEED, time=PHASE)
def blobs(
    x: np.ndarray, y: np.ndarray, count: int, size: float, seed: int, time: float
) -> np.ndarray:
    """Let balls of liquid melt together: contours of a sum of 1 / d²."""
    stream = RandomStream(seed)
    total = np.zeros_like(x)
    for _ in range(count):
        px = x - (stream.uniform(-1, 1) + 0.4 * time)
        py = y - (stream.uniform(-1, 1) - 0.3 * time)
        px *= px
        py *= py
        px += py
        px += 0.004
        np.divide(size * stream.uniform(0.4, 1.2), px, out=px)
        total += px
    # s / (1 + s) brings the peaks into reach; its contours are the picture.
    total /= total + 1
    return total


@WAVES.rule(weight=0.7, frequency=log(0.8, 2.5), tilt=linear(0.02, 0.12), time=PHASE)
def moire(x: np.ndarray, y: np.ndarray, frequency: float, tilt: float, time: float) -> np.ndarray:
    """Lay two sets of waves over each other at a small angle, and cut the product off."""
    f = frequency * 2
    one = sine(x * f)
    other = rotated(x, y, tilt, f * (1 + tilt))
    other += time
    one *= sine(other)
    third = sine(y * frequency)
    third *= 0.35
    one += third
    one *= 0.7
    one += 0.5
    return one


@WAVES.rule(weight=0.6, frequency=log(1.0, 3.5), duty=linear(0.25, 0.6), seed=SEED)
def stripes(x: np.ndarray, y: np.ndarray, frequency: float, duty: float, seed: int) -> np.ndarray:
    """Paint stripes of random width and brightness, crossed by thin ones."""
    f = x * frequency
    number = np.floor(f).astype(np.int32)
    where = lookup(number, number * 11, seed)
    width = randoms(where)
    width *= 0.5
    width += duty - 0.25
    inside = edge(width - fraction(f), 0.06)
    shade = randoms(where, 1)
    shade *= 0.75
    shade += 0.15
    inside *= shade
    thin = fraction(y * (2 * frequency))
    thin -= 0.5
    np.abs(thin, out=thin)
    thin = edge(np.subtract(0.1, thin), 0.08)
    thin *= 0.5
    inside += thin
    return inside
