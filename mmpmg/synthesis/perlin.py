"""Video Perlin Noise: clips of noise that boils (Kataoka et al., WACV 2022; PMG's VPN baseline).

A clip is Perlin noise over (x, y, t). As in VPN, what makes a category are the frequencies of the
noise in the three directions; its clips differ in the slopes of the lattice. No generator of VPN is
public, so the ranges are ours, and so are octaves and colour, which are properties of a category
too. Everything is computed with exact operations: a clip is the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .perlin_noise3d import SLOPES, lattice_shape, perlin_noise
from .uniform_stream import UniformStream

_FRAMES = 16  # frequencies in time are for so many
_GAIN = 0.85


@dataclass(frozen=True)
class PerlinTexture:
    """The parameters of a category.

    Args:
        frequency: lattice cells of the first octave along x and y, over the shorter side of a
            picture, each in [1, 16), and along t, over 16 frames, in [.5, 4).
        octaves: 1 to 3; each has twice the frequency and half the amplitude of the one before.
        fields: 1 for grey, 3 for a noise of its own for each of red, green and blue.
    """

    frequency: tuple[float, float, float]
    octaves: int
    fields: int

    @classmethod
    def sample(cls, seed: int, category: int) -> PerlinTexture:
        """Draw the parameters of a category: each octave of frequencies is equally likely."""
        stream = UniformStream(seed, category)
        x, y, t = (
            (1 + float(stream.take(1)[0])) * 2.0 ** stream.whole(lowest, lowest + steps)
            for lowest, steps in ((0, 3), (0, 3), (-1, 2))
        )
        return cls((x, y, t), octaves=stream.whole(1, 3), fields=1 + 2 * stream.whole(0, 1))


def perlin_clip(
    seed: int, category: int, instance: int, num_frames: int, size: int | tuple[int, int]
) -> np.ndarray:
    """Make a clip of Video Perlin Noise.

    Args:
        seed: 0 or more; another seed gives other categories.
        category: 0 or more.
        instance: 0 or more.
        num_frames: 1 or more; a longer clip begins with the shorter one.
        size: side, or (height, width), in pixels; another size shows the same clip.

    Returns:
        (T, H, W, 3) uint8 RGB, a function of the arguments alone.

    Raises:
        ValueError: an argument is out of its range.
    """
    height, width = (size, size) if isinstance(size, int) else (size[0], size[1])
    if min(height, width, num_frames) < 1:
        raise ValueError(f"size={size!r}, num_frames={num_frames}: must be 1 or more")
    if min(seed, category, instance) < 0:
        raise ValueError(f"{seed=}, {category=}, {instance=}: must be 0 or more")
    texture = PerlinTexture.sample(seed, category)
    short = min(height, width)
    grid = (
        np.arange(num_frames) / _FRAMES,
        (np.arange(height) + 0.5) / short,
        (np.arange(width) + 0.5) / short,
    )
    clip = np.empty((num_frames, height, width, 3), np.uint8)
    for field in range(texture.fields):
        value = perlin_field(texture, (seed, category, instance, field), grid)
        value *= np.float32(_GAIN * 255)
        value += np.float32(128)
        np.clip(value, 0, 255, out=value)
        clip[..., field] = value
    clip[..., texture.fields :] = clip[..., :1]
    return clip


def perlin_field(
    texture: PerlinTexture, stream: tuple[int, ...], grid: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Sum the octaves of one noise.

    Args:
        texture: frequencies and octaves.
        stream: what to draw the lattice from: not negative.
        grid: t in units of 16 frames, y and x in units of the shorter side, each rising from 0.

    Returns:
        (T, H, W) float32, amplitudes summing to 1.
    """
    total = np.zeros(tuple(len(axis) for axis in grid), np.float32)
    scale = np.float32(1 / (2 - 2.0 ** (1 - texture.octaves)))
    for octave in range(texture.octaves):
        numbers = UniformStream(*stream, octave)
        # Noise is zero on the lattice; where the lattice stands must not be the same in all clips.
        shift = numbers.take(3)
        t, y, x = (
            axis * (frequency * 2.0**octave) + start
            for axis, frequency, start in zip(grid, texture.frequency[::-1], shift, strict=True)
        )
        lattice = slopes_at(numbers.whole(0, 2**53 - 1), lattice_shape(t, y, x))
        noise = perlin_noise(lattice, t, y, x)
        noise *= scale * np.float32(0.5**octave)
        total += noise
    return total


def slopes_at(key: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Say which slope stands at each lattice point, so that larger lattices hold smaller ones.

    A hash of the point: its coordinates times odd constants, stirred as in SplitMix64.

    Args:
        key: in [0, 2**53); another key gives other slopes.
        shape: lattice points along t, y and x.

    Returns:
        (D, L, M) uint8, rows of `SLOPES`, all equally likely.
    """
    h = np.full(shape, key, np.uint64)
    for axis, odd in enumerate((0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)):
        place = np.arange(shape[axis], dtype=np.uint64) * np.uint64(odd)
        h += place.reshape([-1 if k == axis else 1 for k in range(3)])
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        h ^= h >> np.uint64(shift)
        h *= np.uint64(factor)
    h ^= h >> np.uint64(31)
    return ((h >> np.uint64(32)) * np.uint64(len(SLOPES)) >> np.uint64(32)).astype(np.uint8)
