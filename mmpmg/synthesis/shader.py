"""Procedural shader images: every seed is another random program.

The paper's best source of stills is Shaders1k, pictures by small programs of coordinates, waves,
noise, folds and palettes. These are such programs, written by a random generator: a layer draws a
field (`fields`) through a chain of coordinate steps (`coordinates`) in the colours of a cosine
palette (`palette`); layers are laid over each other; the result is lit as a relief, or not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from .fields import edge
from .layer import Layer

_PROXY = 96  # side of the small picture by which a program is judged and exposed
_ATTEMPTS = 12
_SLOPE = 0.025  # brightness a pixel, on the proxy, that counts as structure
_BLENDS = ("mask", "mask", "mask", "multiply", "screen", "difference")


@dataclass(frozen=True)
class ShaderProgram:
    """A random program that draws one picture at any size: a value, fixed by its seed.

    Args:
        layers: what is drawn, from the bottom up.
        blends: how each layer above the first is laid over those below.
        threshold: value of a layer's field above which ``"mask"`` shows it.
        exposure: (black, white), the brightness that becomes 0 and 1.
    """

    layers: tuple[Layer, ...]
    blends: tuple[str, ...]
    threshold: float
    exposure: tuple[float, float] = (0.0, 1.0)

    @classmethod
    def sample(cls, seed: int) -> ShaderProgram:
        """Write the program of a seed.

        Programs whose picture is flat, or as fine as white noise, are dropped and the next one of
        the seed is tried; if all fail, the best counts. The judgement is made on a small picture
        of fixed size, so that it depends on nothing but the seed.

        Args:
            seed: 0 or more.

        Returns:
            The program.

        Raises:
            ValueError: the seed is negative.
        """
        if seed < 0:
            raise ValueError(f"seed={seed}: must be 0 or more")
        best: tuple[float, ShaderProgram] | None = None
        for attempt in range(_ATTEMPTS):
            program = cls._draw(np.random.default_rng((seed, attempt)))
            proxy = program._render_linear(_PROXY, _PROXY)
            low, high = np.percentile(proxy, (2, 98))
            program = replace(program, exposure=(float(low), float(max(high, low + 0.05))))
            merit = _merit(program._expose(proxy))
            if best is None or merit > best[0]:
                best = (merit, program)
            if merit >= 1:
                break
        assert best is not None
        return best[1]

    @classmethod
    def _draw(cls, rng: np.random.Generator) -> ShaderProgram:
        layers = tuple(Layer.sample(rng) for _ in range(rng.choice([1, 2, 3], p=[0.25, 0.5, 0.25])))
        blends = tuple(str(rng.choice(_BLENDS)) for _ in layers[1:])
        return cls(layers, blends, threshold=float(rng.uniform(0.35, 0.6)))

    def describe(self) -> str:
        """Return the program as one line of text for each layer."""
        lines = []
        for blend, layer in zip(("base", *self.blends), self.layers, strict=True):
            chain = " | ".join(str(step) for step in (*layer.steps, layer.field))
            tint = f" tinted by {layer.tint}" if layer.tint is not None else ""
            lines.append(f"{blend}: {chain}{tint}")
        return "\n".join(lines)

    def render(self, height: int, width: int) -> np.ndarray:
        """Draw the picture; another size shows the same composition.

        Args:
            height: pixels, 1 or more.
            width: pixels, 1 or more.

        Returns:
            (height, width, 3) uint8 RGB.

        Raises:
            ValueError: a side is below 1.
        """
        if min(height, width) < 1:
            raise ValueError(f"size=({height}, {width}): both must be 1 or more")
        return (self._expose(self._render_linear(height, width)) * 255 + 0.5).astype(np.uint8)

    def _render_linear(self, height: int, width: int) -> np.ndarray:
        short = min(height, width)
        # Pixel centres; from -1 to 1 along the shorter side.
        columns = (2 * np.arange(width, dtype=np.float32) + 1 - width) / np.float32(short)
        rows = (2 * np.arange(height, dtype=np.float32) + 1 - height) / np.float32(short)
        x, y = np.meshgrid(columns, rows)
        with np.errstate(all="ignore"):  # what overflows is tamed
            picture, _ = self.layers[0].render(x, y)
            for layer, blend in zip(self.layers[1:], self.blends, strict=True):
                colour, value = layer.render(x, y)
                if blend == "mask":
                    alpha = edge(value - np.float32(self.threshold), 0.08)[..., None]
                    picture += alpha * (colour - picture)
                elif blend == "multiply":
                    picture *= 0.3 + 1.2 * colour
                elif blend == "screen":
                    picture += colour * (1 - np.minimum(picture, 1))
                else:
                    picture = np.abs(picture - colour)
        return picture

    def _expose(self, picture: np.ndarray) -> np.ndarray:
        low, high = self.exposure
        return np.clip((picture - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)


def shader_image(
    seed: int, category: int, instance: int, size: int | tuple[int, int] = 256
) -> np.ndarray:
    """Make a shader image.

    Args:
        seed: 0 or more; another seed gives other programs.
        category: which program, 0 or more.
        instance: which image of the program, 0 or more.
        size: side, or (height, width), in pixels.

    Returns:
        (H, W, 3) uint8 RGB, a function of the arguments alone.

    Raises:
        ValueError: a number is negative or a side is below 1.
    """
    height, width = (size, size) if isinstance(size, int) else size
    for name, value in (("seed", seed), ("category", category), ("instance", instance)):
        if value < 0:
            raise ValueError(f"{name}={value}: must be 0 or more")
    mixed = np.random.SeedSequence((seed, category, instance)).generate_state(1, np.uint32)[0]
    return _program(int(mixed)).render(height, width)


@lru_cache(maxsize=8192)
def _program(seed: int) -> ShaderProgram:
    """Write a program once; writing and judging it takes a quarter of the time of drawing 256²."""
    return ShaderProgram.sample(seed)


def _merit(picture: np.ndarray) -> float:
    """Judge a picture: 1 or more when most of it has structure that can be tracked.

    A block of 8 x 8 pixels can be tracked if its brightness changes in both directions, that is if
    the smaller eigenvalue of its structure tensor is not small (Shi and Tomasi's criterion).

    Args:
        picture: (96, 96, 3) in [0, 1].

    Returns:
        The smaller of two ratios to what is asked for: the share of blocks that can be tracked,
        and how alike neighbours are (white noise has corners everywhere, and none to be found
        again).
    """
    grey = picture.mean(axis=-1)
    down, right = np.gradient(grey)

    def block_mean(value: np.ndarray) -> np.ndarray:
        return value.reshape(_PROXY // 8, 8, _PROXY // 8, 8).mean(axis=(1, 3))

    a, b, c = block_mean(down * down), block_mean(right * right), block_mean(down * right)
    smaller = (a + b) / 2 - np.sqrt(((a - b) / 2) ** 2 + c * c)
    tracked = float((smaller > _SLOPE**2).mean())
    smooth = 1 - float(np.abs(np.diff(grey, axis=1)).mean()) / (float(grey.std()) + 1e-3)
    return min(tracked / 0.5, smooth / 0.3)
