"""Fields of noise: clouds, ridges, marble, stones."""

from __future__ import annotations

import numpy as np

from .exact_math import edge, sine
from .grammar import PHASE, SEED, Vocabulary, linear, log, whole
from .noise import gradient_noise, value_noise, worley

NOISES = Vocabulary()


def _geometric_sum(ratio: float, terms: int) -> float:
    """Return 1 + ratio + ratio² ..., by Horner's scheme: a power's last bit is not certain."""
    total = 0.0
    for _ in range(terms):
        total = total * ratio + 1
    return total


@NOISES.rule(
    weight=1.0, frequency=log(1.2, 4.0), octaves=whole(3, 4), gain=linear(0.45, 0.7), seed=SEED
)
def clouds(
    x: np.ndarray, y: np.ndarray, frequency: float, octaves: int, gain: float, seed: int
) -> np.ndarray:
    """Add octaves of value noise."""
    total, a, f = np.full_like(x, 0.5), 1.0, frequency
    weight = _geometric_sum(gain, octaves)
    for octave in range(octaves):
        noise = value_noise(x * f, y * f, seed + 131 * octave)
        noise *= a * 0.75 / weight
        total += noise
        a, f = a * gain, f * 2.03
    return total


@NOISES.rule(
    weight=0.9, frequency=log(1.0, 3.0), octaves=whole(2, 3), gain=linear(0.5, 0.7), seed=SEED
)
def ridges(
    x: np.ndarray, y: np.ndarray, frequency: float, octaves: int, gain: float, seed: int
) -> np.ndarray:
    """Add octaves of folded gradient noise: sharp crests, as of mountains or veins."""
    total, a, f = np.full_like(x, -0.2), 1.0, frequency
    weight = _geometric_sum(gain, octaves)
    for octave in range(octaves):
        crest = gradient_noise(x * f, y * f, seed + 131 * octave)
        np.abs(crest, out=crest)
        np.subtract(1, crest, out=crest)
        crest *= crest
        crest *= a * 1.25 / weight
        total += crest
        a, f = a * gain, f * 2.1
    return total


@NOISES.rule(weight=0.9, frequency=log(0.5, 1.8), depth=linear(0.2, 1.0), seed=SEED, time=PHASE)
def marble(
    x: np.ndarray, y: np.ndarray, frequency: float, depth: float, seed: int, time: float
) -> np.ndarray:
    """Bend stripes by two octaves of noise: marble or wood."""
    phase = value_noise(x * 1.6, y * 1.6, seed)
    fine = value_noise(x * 4.3, y * 4.3, seed + 131)
    fine *= 0.45
    phase += fine
    phase *= depth
    phase += x * frequency
    phase += time
    wave = sine(phase)
    np.abs(wave, out=wave)
    return np.sqrt(wave, out=wave)


@NOISES.rule(weight=0.8, frequency=log(1.5, 6.0), jitter=linear(0.5, 1.0), seed=SEED)
def stones(x: np.ndarray, y: np.ndarray, frequency: float, jitter: float, seed: int) -> np.ndarray:
    """Draw Voronoi regions, each of its own brightness, with dark joints."""
    first, second, identity = worley(x * frequency, y * frequency, seed, jitter)
    second -= first
    second -= 0.06
    value = edge(second, 0.08)
    identity *= 0.85
    identity += 0.15
    value *= identity
    return value


@NOISES.rule(
    weight=0.6, frequency=log(1.5, 6.0), jitter=linear(0.6, 1.0), seed=SEED, rings_=whole(0, 3)
)
def bubbles(
    x: np.ndarray, y: np.ndarray, frequency: float, jitter: float, seed: int, rings_: int
) -> np.ndarray:
    """Draw the distance to the nearest of scattered points, or rings about it."""
    first, _, identity = worley(x * frequency, y * frequency, seed, jitter)
    if rings_:
        first *= rings_
        first += identity
        wave = sine(first)
        wave *= 0.4
        wave += 0.5
        return wave
    identity *= 0.6
    identity += 1
    identity *= first
    return np.subtract(1.15, identity, out=identity)


@NOISES.rule(weight=0.9, frequency=log(1.0, 3.5), levels=whole(3, 7), seed=SEED)
def islands(x: np.ndarray, y: np.ndarray, frequency: float, levels: int, seed: int) -> np.ndarray:
    """Cut noise into terraces with bright rims: a map with its contour lines."""
    height = value_noise(x * frequency, y * frequency, seed)
    fine = gradient_noise(x * (2.7 * frequency), y * (2.7 * frequency), seed + 131)
    fine *= 0.35
    height += fine
    height *= 0.5 * levels
    step = np.floor(height)
    height -= step
    rim = edge(np.subtract(0.14, height), 0.1)
    rim *= 0.6
    step *= 1 / levels
    step += 0.4
    step += rim
    return step


@NOISES.rule(weight=0.7, frequency=log(3.0, 9.0), stretch=log(2.0, 7.0), seed=SEED)
def fibres(x: np.ndarray, y: np.ndarray, frequency: float, stretch: float, seed: int) -> np.ndarray:
    """Stretch noise along curved threads: hair, grass, grain of wood."""
    bend = value_noise(x * 1.3, y * 1.3, seed + 131)
    bend *= 0.8
    bend += y
    value = gradient_noise(x * (frequency / stretch), bend * frequency, seed)
    fine = value_noise(x * (2.3 * frequency / stretch), bend * (2.3 * frequency), seed + 262)
    fine *= 0.3
    value += fine
    value *= 0.6
    value += 0.5
    return value
